/* smtp-reply - a reply ends within its limits, and where packets are cut changes nothing */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/reply.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct smtp_reply whole = { 0 }, parts = { 0 };

	smtp_reply_read(&whole, (const char *)bytes, length);
	for (size_t at = 0; at < length && parts.progress == SMTP_REPLY_MORE; at++)
		smtp_reply_read(&parts, (const char *)bytes + at, 1);
	if (whole.progress != parts.progress || whole.code != parts.code)
		abort();
	if (whole.progress == SMTP_REPLY_WHOLE &&
	    (strcmp(text_string(&whole.text), text_string(&parts.text)) != 0 ||
	    whole.text.length > SMTP_REPLY_TEXT_MAX + SMTP_REPLY_LINE_MAX))
		abort();
	smtp_reply_clear(&whole);
	smtp_reply_clear(&parts);
	return 0;
}
