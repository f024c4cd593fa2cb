/* With which addresses a message goes out, for postroad explain. */

#include "client.h"

#include <stdio.h>
#include <string.h>

#include "service/explain.h"

static void
tell(const char *what, const char *address)
{
	struct text other = TEXT_EMPTY;

	text_puts(&other, address);
	if (*address != '\0' && generic_address(&other) == -1)
		printf("  %s  <%s>: nobody knows: the mail would wait\n", what,
		    address);
	else if (strcmp(text_string(&other), address) != 0)
		printf("  %s  goes out as <%s>\n", what, text_string(&other));
	text_clear(&other);
}

int
explain(int argc, char **argv)
{
	int at = explain_options(argc, argv);

	if (argc - at != 3)
		explain_fail("usage: %s --explain service sender address",
		    argv[0]);
	explain_begin(explain_service(argv[at]));
	generic_start();
	explain_tables();
	tell("sender   ", argv[at + 1]);
	tell("recipient", argv[at + 2]);
	return 0;
}
