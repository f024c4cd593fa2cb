/*
 * sendmail - bring a message from standard input to the road
 *
 * Also mailq and newaliases, by the name it is called. Programs have spoken
 * to this command for forty years: it takes all their options, and does what
 * still has a meaning. It runs as the user who calls; what needs more is done
 * by the commands that it runs:
 *
 *	a message	pickup takes it, or postdrop, which may write in maildrop
 *	-bs		smtpd, which speaks on standard input and does the same
 *	-bv, -v		the same: what becomes of it, the sender is told by mail
 *	-bp		postqueue -p
 *	-q -qI -qR	postqueue -f -i -s
 *	-bi -I		postalias on alias_database
 *	-bd		postroad start
 */

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "handover/handover.h"
#include "message/verp.h"
#include "tools/shared/command.h"
#include "tools/shared/sendmail_options.h"
#include "tools/shared/submission.h"

static struct sendmail_options options;

static void
list_queue(void)
{
	command_exec("postqueue", (const char *[]){ "-p", NULL });
}

static void
flush_queue(void)
{
	if (options.site != NULL)
		command_exec("postqueue",
		    (const char *[]){ "-s", options.site, NULL });
	if (options.queue_id != NULL)
		command_exec("postqueue",
		    (const char *[]){ "-i", options.queue_id, NULL });
	command_exec("postqueue", (const char *[]){ "-f", NULL });
}

static void
speak_smtp(void)
{
	char *path = mem_printf("%s/smtpd", config.daemon_directory);

	execl(path, "smtpd", "-S", (char *)NULL);
	fatal_exit_code = EX_OSERR;
	fatal("run %s: %m", path);
}

static void
make_aliases(void)
{
	const char *tables[32] = { "--" };
	size_t count = 1;
	char *cursor = mem_strdup(config.alias_database), *word;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL &&
	    count + 1 < COUNT_OF(tables))
		tables[count++] = word;
	if (count > 1)
		command_exec("postalias", tables);
}

/* "Ada L <ada@example.org>" after -f means the address in it; "" and <> the null sender. */
static char *
sender_address(const char *given)
{
	struct address_list list = { .text = given,
	    .length = strlen(given) };
	struct address_found found;

	if (!address_list_next(&list, &found))
		return mem_strdup("");
	return mem_strdup(found.address);
}

/* The caller's full name, for a From field: -F, NAME, or what the password file says. */
static char *
full_name(void)
{
	const struct passwd *entry = getpwuid(getuid());
	const char *name = options.full_name != NULL ? options.full_name :
	    getenv("NAME");
	struct text text = TEXT_EMPTY;

	if (name != NULL)
		return mem_strdup(name);
	if (entry == NULL || entry->pw_gecos == NULL)
		return mem_strdup("");
	for (const char *p = entry->pw_gecos; *p != '\0' && *p != ','; p++) {
		if (*p == '&') {	/* the login name with a capital */
			text_putc(&text, (char)toupper(
			    (unsigned char)*entry->pw_name));
			text_puts(&text, entry->pw_name + 1);
		} else {
			text_putc(&text, *p);
		}
	}
	return text_take(&text);
}

static const char *
who(void)
{
	static char text[ADDRESS_SIZE + 32];

	snprintf(text, sizeof(text), "%s(%ld)",
	    options.sender != NULL ? options.sender : command_user(),
	    (long)getuid());
	return text;
}

/* In place of a message: its header, for who finds it in the queue. */
static void
write_probe(struct submission *submission)
{
	const struct envelope *envelope = submission->envelope;
	struct text *content = &submission->content;

	if (*envelope->sender != '\0') {
		text_puts(content, "From: ");
		address_quote(content, envelope->sender);
		text_putc(content, '\n');
	}
	text_puts(content, "Subject: probe\nTo:");
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		text_puts(content, i == 0 ? " " : ",\n\t");
		address_quote(content, envelope->recipients[i].address);
	}
	text_putc(content, '\n');
}

static void
read_message(struct submission *submission)
{
	if (options.mode == MODE_VERIFY)
		write_probe(submission);
	else if (submission_read(submission, stdin, !options.dots_mean_nothing) == -1)
		sendmail_refuse(EX_DATAERR, "%s: error reading input: %m", who());
	if (submission->too_large)
		sendmail_refuse(EX_UNAVAILABLE, "%s: message file too big", who());
	if (options.from_header)
		submission_take_header_recipients(submission);
	if (submission->envelope->recipient_count == 0)
		sendmail_refuse(EX_TEMPFAIL, options.from_header ?
		    "%s: No recipient addresses found in message header" :
		    "%s: Recipient addresses must be specified on the command "
		    "line or via the -t option", who());
}

/* "a b" on the command line is two addresses, "A B <c>" one: words become a list where no name is about. Released with free(3). */
static char *
separate(const char *argument)
{
	char *list = mem_strdup(argument), *at = list;
	int depth = 0;

	if (strpbrk(list, "<\":") != NULL)
		return list;
	for (char *p = list; *p != '\0'; p++) {	/* comments are blanks */
		depth += *p == '(';
		if (depth > 0) {
			depth -= *p == ')';
			*p = ' ';
		}
	}
	while ((at = strpbrk(at, " \t")) != NULL) {
		size_t gap = strspn(at, " \t");
		bool joins = at == list || at[gap] == '\0' ||
		    strchr("@.", at[-1]) != NULL ||
		    strchr("@.", at[gap]) != NULL;

		if (!joins)
			*at = ',';
		at += gap;
	}
	return list;
}

/* -XV: each recipient has a sender of his own. */
static void
fill_verp(struct envelope *envelope)
{
	if (options.verp == NULL)
		return;
	if (*envelope->sender == '\0')
		sendmail_refuse(EX_TEMPFAIL, "%s: -V option requires non-null sender "
		    "address", who());
	if (*options.verp == '\0')
		options.verp = config.default_verp_delimiters;
	if (verp_complaint(options.verp, config.verp_delimiter_filter) != NULL)
		sendmail_refuse(EX_TEMPFAIL, "-V requires two characters from %s",
		    config.verp_delimiter_filter);
	envelope->verp = options.verp;
}

static void
fill_envelope(struct submission *submission, char **recipients)
{
	struct envelope *envelope = submission->envelope;

	if (options.sender == NULL && getpwuid(getuid()) == NULL)
		sendmail_refuse(EX_OSERR, "%s: no login name for this user: say who "
		    "sends with -f", who());
	envelope->sender = options.sender != NULL ?
	    sender_address(options.sender) : command_user();
	envelope->flags = options.flags;
	envelope->dsn_ret = options.dsn_ret;
	if (options.envid != NULL)
		envelope->dsn_envid = options.envid;
	fill_verp(envelope);
	for (; *recipients != NULL; recipients++) {
		char *list = separate(*recipients);

		if (submission_add_recipients(submission, list,
		    strlen(list)) == 0)
			sendmail_refuse(EX_USAGE, "bad recipient address: %s",
			    *recipients);
		free(list);
	}
}

/* Once delivered or tried, the sender is told by mail. */
static void
say_report_follows(const struct envelope *envelope)
{
	char sender[ADDRESS_EXTERNAL_SIZE];

	printf("Mail Delivery Status Report will be mailed to <%s>.\n",
	    address_external(sender, envelope->sender));
}

static int
submit(char **recipients)
{
	struct submission submission;
	struct envelope *envelope;
	char *name = full_name();

	submission_init(&submission);
	envelope = submission.envelope;
	fill_envelope(&submission, recipients);
	read_message(&submission);
	for (size_t i = 0; i < envelope->recipient_count; i++)
		envelope->recipients[i].dsn_notify = options.dsn_notify;
	if (*name != '\0' && *envelope->sender != '\0' &&
	    (options.flags & ENVELOPE_LOCAL_ORIGIN) &&
	    options.mode == MODE_SUBMIT)
		envelope->full_name = name;

	char id[HANDOVER_ID_SIZE];
	int code = handover(envelope, &submission.content, id);

	if (code == 0 && (options.flags & (ENVELOPE_TRACE | ENVELOPE_VERIFY)))
		say_report_follows(envelope);
	submission_clear(&submission);
	free(name);
	return code;
}

int
main(int argc, char **argv)
{
	command_start("sendmail");
	sendmail_options_read(&options, argc, argv);
	command_configure(options.configuration);
	switch (options.mode) {
	case MODE_SUBMIT: case MODE_VERIFY:
		return submit(argv + optind);
	case MODE_DIALOGUE:
		speak_smtp();
		break;
	case MODE_LIST:
		if (argv[optind] != NULL)
			sendmail_refuse(EX_TEMPFAIL,
			    "%s mode requires no recipient",
			    "display queue");
		list_queue();
		break;
	case MODE_FLUSH:
		flush_queue();
		break;
	case MODE_ALIASES:
		make_aliases();
		break;
	case MODE_START:
		command_exec("postroad", (const char *[]){ "start", NULL });
	case MODE_NOTHING:
		break;
	}
	return 0;
}
