/* What the files of config share. */

#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "config/report.h"

/* One name = value. The last one of a name counts. */
struct definition {
	const char	*value;
	const char	*file;		/* "command line" for -o */
	const char	*earlier;	/* what the same file said before; NULL: nothing */
	int		 line;
};

/*
 * Read a main.cf text and hand on each definition in its order; name and value
 * are borrowed for the call. Every error is logged. 0, or -1 if there was one.
 */
int	main_cf_parse(const char *text, size_t length, const char *file,
	    void (*define)(const char *name, const char *value, int line,
	    void *context), void *context);

/* Cut "name = value" in place. NULL, or what is wrong with it. */
const char *main_cf_split(char *line, char **name, char **value);

/* The computed default of a parameter, to be freed; NULL if it has none. */
char	*config_compute_default(const char *name);

/* What mynetworks is when nothing is said, to be freed. */
char	*config_compute_mynetworks(void);

/* Set by a load: main.cf's directory as it was chosen. */
extern const char *config_chosen_directory;

/* The definition of name, or NULL: it has its default. */
const struct definition *config_find_definition(const char *name);

/*
 * Store text, the value of name, by type and range at field (which may be
 * NULL: only look). 0, or -1 with what is expected appended to expected.
 */
int	config_store(const struct parameter *parameter, const char *text,
	    void *field, struct text *expected);

/* The row that says type and range of <transport><suffix>, NULL if name ends in no known suffix. */
const struct parameter *config_transport_suffix(const char *name);

#endif
