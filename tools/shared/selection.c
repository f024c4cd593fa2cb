#include "tools/shared/selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"

/* What getopt_long(3) gives: beyond every letter. */
enum { DRY_RUN = 256, FIRST_CRITERION };

#define CRITERIA_MAX	31

const struct option *
selection_options(void)
{
	static struct option options[CRITERIA_MAX + 2] = {
		{ "dry-run", no_argument, NULL, DRY_RUN },
	};

	for (size_t i = 0; i < CRITERIA_MAX && listing_criterion(i) != NULL; i++)
		options[1 + i] = (struct option){ listing_criterion(i),
		    required_argument, NULL, FIRST_CRITERION + (int)i };
	return options;
}

bool
selection_take(struct selection *selection, int option, const char *value)
{
	const char *why;

	if (option == DRY_RUN)
		selection->dry_run = true;
	if (option < FIRST_CRITERION)
		return option == DRY_RUN;

	size_t n = (size_t)(option - FIRST_CRITERION);

	if (listing_selection_set(&selection->criteria, n, value, &why) == -1)
		fatal("--%s %.100s: %s", listing_criterion(n), value, why);
	return true;
}

void
selection_refuse(char *const argv[])
{
	if (text_starts_with(argv[optind - 1], "--"))
		fatal("%.100s: no such option, or its value is missing",
		    argv[optind - 1]);
}

bool
selection_has(const struct selection *selection,
    const struct listed_message *message)
{
	return listing_selects(&selection->criteria, message,
	    (int64_t)time(NULL));
}

void
selection_show(const struct listed_message *message, const char *what)
{
	size_t others = message->recipient_count - 1;
	char *sender = text_printable(mem_strdup(message->sender));
	char *recipient = text_printable(mem_strdup(
	    message->recipient_count > 0 ? message->recipients[0].address : ""));

	printf("%s: would be %s: %s, from=<%s>, size=%lld, to=<%s>",
	    message->id, what, message->queue, sender,
	    (long long)message->size, recipient);
	if (message->recipient_count > 1)
		printf(" and %zu more", others);
	putchar('\n');
	free(sender);
	free(recipient);
}

void
selection_show_sum(size_t count, const char *what)
{
	printf("%zu message%s would be %s\n", count, count == 1 ? "" : "s",
	    what);
}
