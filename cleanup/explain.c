/* What becomes of the recipients, for postroad explain: copies, virtual aliases, the way to a filter. */

#include "cleanup/cleanup.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "service/explain.h"

#define POOL		(16 << 20)
#define SHOWN_MAX	20	/* recipients whose way is told */
#define DEPTH_MAX	4	/* messages that became others */

static void
tell_flags(const struct envelope *envelope)
{
	if (envelope->flags & ENVELOPE_LOCAL_ORIGIN)
		puts("  header     short addresses are completed; Date, "
		    "Message-Id and From are added if they are missing");
	else if (*config.remote_header_rewrite_domain != '\0')
		printf("  header     short addresses are completed with %s\n",
		    config.remote_header_rewrite_domain);
	if (envelope->flags & ENVELOPE_NO_EXPAND)
		puts("  aliases    not looked up (receive_override_options = "
		    "no_address_mappings)");
	if (envelope->flags & ENVELOPE_HOLD)
		puts("  the message is put on hold, until postsuper -H");
	if (*envelope->filter != '\0')
		printf("  filter     first all recipients go to %s;\n"
		    "             what it brings back begins anew at its own "
		    "service, and goes on from there:\n", envelope->filter);
}

static void
tell_sender(const struct envelope *envelope, const char *before)
{
	if (strcmp(envelope->sender, before) != 0)
		printf("  sender     <%s>, for <%s>\n", envelope->sender,
		    before);
}

static void
tell_recipients(const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		printf("  recipient  <%s>", recipient->address);
		if (*recipient->original != '\0' &&
		    strcmp(recipient->original, recipient->address) != 0)
			printf(", for <%s>", recipient->original);
		puts(*recipient->expanded != '\0' ? ", an alias whose sender "
		    "is told" : "");
	}
}

static void
tell_ways(const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->recipient_count && i < SHOWN_MAX;
	    i++) {
		const char *const arguments[] = { envelope->sender,
		    envelope->recipients[i].address, NULL };

		explain_next("trivial-rewrite", arguments);
	}
	if (envelope->recipient_count > SHOWN_MAX)
		printf("\nand %zu more recipients\n",
		    envelope->recipient_count - SHOWN_MAX);
}

int
explain(int argc, char **argv)
{
	int at = explain_options(argc, argv);
	struct submission submission = { .file = -1, .dsn = "", .reason = "",
	    .id = "explain" };

	if (argc - at != 2)
		explain_fail("usage: %s --explain title envelope", argv[0]);
	explain_begin(explain_service("cleanup"));
	expand_open();
	submission.pool = pool_new(POOL);
	submission.envelope = envelope_decode(submission.pool,
	    argv[at + 1], strlen(argv[at + 1]));
	if (submission.envelope == NULL)
		explain_fail("%s: not an envelope", argv[at + 1]);
	printf("\n%s\n", argv[at]);
	tell_flags(submission.envelope);
	explain_tables();

	const char *sender = submission.envelope->sender;

	expand_envelope(&submission);
	if (submission.status != 0) {
		printf("  the client hears: %d %s %s\n", submission.status,
		    submission.dsn, submission.reason);
		return 0;
	}
	tell_sender(submission.envelope, sender);
	tell_recipients(submission.envelope);
	if (explain_depth() >= DEPTH_MAX)
		puts("  and so on");
	else
		tell_ways(submission.envelope);
	return 0;
}
