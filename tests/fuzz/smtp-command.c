/* smtp-command - whatever a client says, what is accepted holds no control characters */

#include <stdint.h>
#include <stdlib.h>

#include "smtp/command.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check(const char *accepted)
{
	for (; *accepted != '\0'; accepted++)
		if ((unsigned char)*accepted < 0x20 || *accepted == 0x7f)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct text reply = TEXT_EMPTY;
	struct smtp_command command;
	struct smtp_mail mail;
	struct smtp_rcpt rcpt;

	smtp_command_split((const char *)bytes, length, &command);
	if (smtp_mail_parse(command.argument, command.argument_length, ~0U,
	    &mail, &reply) == NULL) {
		check(mail.sender);
		check(mail.envid);
	}
	if (smtp_rcpt_parse(command.argument, command.argument_length, ~0U,
	    &rcpt, &reply) == NULL) {
		check(rcpt.recipient);
		check(rcpt.orcpt);
	}
	text_clear(&reply);
	return 0;
}
