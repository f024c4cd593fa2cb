/* postalias - build, change and ask alias tables */

#include "table/source.h"
#include "tools/shared/table_command.h"

int
main(int argc, char **argv)
{
	static const struct table_command postalias = {
		.name = "postalias",
		.split = source_split_alias,
		.tidy = source_tidy_alias,
		.listing = "%s:\t%s\n",
		.marks = true,
	};

	return table_command_run(&postalias, argc, argv);
}
