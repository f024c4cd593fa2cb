/* postmap - build, change and ask look-up tables */

#include "table/source.h"
#include "tools/shared/table_command.h"

int
main(int argc, char **argv)
{
	static const struct table_command postmap = {
		.name = "postmap",
		.split = source_split,
		.listing = "%s\t%s\n",
		.hint_alias = true,
	};

	return table_command_run(&postmap, argc, argv);
}
