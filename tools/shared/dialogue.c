#include "tools/shared/dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/base.h"
#include "config/config.h"
#include "smtp/command.h"
#include "tools/shared/submission.h"

#define HONOURED	(SMTP_HONOUR_SIZE | SMTP_HONOUR_8BITMIME | \
			 SMTP_HONOUR_DSN | SMTP_HONOUR_SMTPUTF8)

struct dialogue {
	struct submission submission;
	bool		 greeted;
	bool		 in_mail;
	bool		 ended;
	char		*line;
	size_t		 line_size;
};

static void
say(const char *reply)
{
	printf("%s\r\n", reply);
	fflush(stdout);
}

static void
end_mail(struct dialogue *dialogue)
{
	if (dialogue->in_mail)
		submission_clear(&dialogue->submission);
	dialogue->in_mail = false;
}

/* The next line of the client without its end; -1 at the end of input. */
static ssize_t
next_line(struct dialogue *dialogue)
{
	ssize_t length = getline(&dialogue->line, &dialogue->line_size, stdin);

	if (length > 0 && dialogue->line[length - 1] == '\n')
		length--;
	if (length > 0 && dialogue->line[length - 1] == '\r')
		length--;
	return length;
}

static void
greet(struct dialogue *dialogue, const struct smtp_command *command)
{
	end_mail(dialogue);
	dialogue->greeted = true;
	if (strcmp(command->verb, "HELO") == 0) {
		printf("250 %s\r\n", config.myhostname);
	} else {
		printf("250-%s\r\n250-PIPELINING\r\n250-SIZE %lld\r\n250-VRFY\r\n"
		    "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
		    "250 SMTPUTF8\r\n", config.myhostname,
		    (long long)config.message_size_limit);
	}
	fflush(stdout);
}

static void
begin_mail(struct dialogue *dialogue, const struct smtp_command *command)
{
	struct text reply = TEXT_EMPTY;
	struct smtp_mail mail;
	const char *wrong;

	if (dialogue->in_mail) {
		say("503 5.5.1 Error: nested MAIL command");
		return;
	}
	wrong = smtp_mail_parse(command->argument, command->argument_length,
	    HONOURED, &mail, &reply);
	if (wrong == NULL && config.message_size_limit > 0 &&
	    mail.size > config.message_size_limit)
		wrong = "552 5.3.4 Message size exceeds fixed limit";
	if (wrong == NULL) {
		struct envelope *envelope;

		submission_init(&dialogue->submission);
		dialogue->in_mail = true;
		envelope = dialogue->submission.envelope;
		envelope->sender = pool_strdup(dialogue->submission.pool,
		    mail.sender);
		envelope->dsn_envid = pool_strdup(dialogue->submission.pool,
		    mail.envid);
		envelope->dsn_ret = mail.ret == SMTP_RET_FULL ? DSN_RET_FULL :
		    mail.ret == SMTP_RET_HDRS ? DSN_RET_HDRS : 0;
		if (mail.body == SMTP_BODY_8BITMIME)
			envelope->flags |= ENVELOPE_8BIT;
		if (mail.smtputf8)
			envelope->flags |= ENVELOPE_SMTPUTF8;
		wrong = "250 2.1.0 Ok";
	}
	say(wrong);
	text_clear(&reply);
}

static void
add_recipient(struct dialogue *dialogue, const struct smtp_command *command)
{
	struct text reply = TEXT_EMPTY;
	struct smtp_rcpt rcpt;
	const char *wrong;

	if (!dialogue->in_mail) {
		say("503 5.5.1 Error: need MAIL command");
		return;
	}
	wrong = smtp_rcpt_parse(command->argument, command->argument_length,
	    HONOURED, &rcpt, &reply);
	if (wrong == NULL) {
		struct pool *pool = dialogue->submission.pool;
		struct recipient *recipient = envelope_add_recipient(
		    dialogue->submission.envelope,
		    pool_strdup(pool, rcpt.recipient));

		/* The bits of NOTIFY are the same in both floors' headers. */
		recipient->dsn_notify = rcpt.notify;
		recipient->dsn_orcpt = pool_strdup(pool, rcpt.orcpt);
	}
	say(wrong != NULL ? wrong : "250 2.1.5 Ok");
	text_clear(&reply);
}

static void
take_data(struct dialogue *dialogue)
{
	struct submission *submission = &dialogue->submission;
	ssize_t length = 0;
	int code;

	if (!dialogue->in_mail || submission->envelope->recipient_count == 0) {
		say(dialogue->in_mail ? "554 5.5.1 Error: no valid recipients" :
		    "503 5.5.1 Error: need RCPT command");
		return;
	}
	say("354 End data with <CR><LF>.<CR><LF>");
	while ((length = next_line(dialogue)) != -1 &&
	    !(length == 1 && *dialogue->line == '.')) {
		bool stuffed = length > 0 && *dialogue->line == '.';

		submission_add_line(submission, dialogue->line + stuffed,
		    (size_t)length - stuffed);
	}
	if (length == -1) {
		/* Without its final dot it is not a message. */
		dialogue->ended = true;
	} else if (submission->too_large) {
		say("552 5.3.4 Error: message file too big");
	} else {
		code = submission_hand_over(submission);
		say(code == 0 ? "250 2.0.0 Ok: queued as maildrop" :
		    code == EX_NOPERM ? "550 5.7.0 Error: not permitted to submit mail" :
		    "451 4.3.0 Error: queue file write error");
	}
	end_mail(dialogue);
}

static void
serve(struct dialogue *dialogue, const struct smtp_command *command)
{
	const char *verb = command->verb;

	if (strcmp(verb, "QUIT") == 0) {
		say("221 2.0.0 Bye");
		dialogue->ended = true;
	} else if (strcmp(verb, "HELO") == 0 || strcmp(verb, "EHLO") == 0 ||
	    strcmp(verb, "LHLO") == 0) {
		greet(dialogue, command);
	} else if (strcmp(verb, "MAIL") == 0) {
		begin_mail(dialogue, command);
	} else if (strcmp(verb, "RCPT") == 0) {
		add_recipient(dialogue, command);
	} else if (strcmp(verb, "DATA") == 0) {
		take_data(dialogue);
	} else if (strcmp(verb, "RSET") == 0) {
		end_mail(dialogue);
		say("250 2.0.0 Ok");
	} else if (strcmp(verb, "NOOP") == 0) {
		say("250 2.0.0 Ok");
	} else if (strcmp(verb, "VRFY") == 0) {
		say("252 2.0.0 Cannot VRFY user, but will take a message for it");
	} else {
		say(*verb == '\0' ? "500 5.5.2 Error: bad syntax" :
		    "500 5.5.2 Error: command not recognized");
	}
}

int
dialogue_run(void)
{
	struct dialogue dialogue = { .line = NULL };
	ssize_t length;

	printf("220 %s ESMTP %s\r\n", config.myhostname, config.mail_name);
	fflush(stdout);
	while (!dialogue.ended && (length = next_line(&dialogue)) != -1) {
		struct smtp_command command;

		smtp_command_split(dialogue.line, (size_t)length, &command);
		serve(&dialogue, &command);
	}
	end_mail(&dialogue);
	free(dialogue.line);
	return 0;
}
