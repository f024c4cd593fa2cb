/* table_command - postmap(1) and postalias(1), which differ in the form of their source */

#ifndef TOOLS_SHARED_TABLE_COMMAND_H
#define TOOLS_SHARED_TABLE_COMMAND_H

#include <stdbool.h>

#include "base/text.h"

struct table_command {
	const char	*name;
	const char	*(*split)(char *line, char **key, char **value);
	void		(*tidy)(const char *value, struct text *out);	/* may be NULL */
	const char	*listing;	/* of one key and value */
	bool		 marks;		/* alias tables say when they were made: NIS asks for that */
	bool		 hint_alias;	/* "key: value" is probably a mistake */
};

/* All of the command; gives its exit code. */
int	table_command_run(const struct table_command *command, int argc,
	    char **argv);

#endif
