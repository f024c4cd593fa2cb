/*
 * report - the rows themselves, and what is to be said of a main.cf
 *
 * For postconf(1), postroad check and master's start; daemons need config.h only.
 */

#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum parameter_type { PARAMETER_STRING, PARAMETER_RAW, PARAMETER_BOOL,
    PARAMETER_INT, PARAMETER_SIZE, PARAMETER_TIME, PARAMETER_RATE,
    PARAMETER_FEEDBACK };

struct parameter {
	const char		*name;
	enum parameter_type	 type;
	const char		*preset;	/* in parentheses: computed */
	int64_t			 smallest;
	int64_t			 largest;
	const char		*readers;
	const char		*manual;
	size_t			 offset;	/* in struct config */
};

extern const struct parameter config_parameters[];
extern const size_t config_parameter_count;

/*
 * As config_load(), but no value is looked at and no field is filled: for
 * postconf(1), which must be able to mend what is wrong.
 */
int	config_read(const char *directory, const char *const overrides[]);

/* The same of a main.cf that says nothing, whether there is one or not. */
int	config_read_defaults(const char *directory,
	    const char *const overrides[]);

/* The row of name; NULL if it is none of ours. */
const struct parameter *config_parameter(const char *name);

/* The default of a row, not expanded; computed if it is. Borrowed until the next load. */
const char *config_default(const struct parameter *parameter);

/* What main.cf or -o say for name, not expanded, and where; NULL if nothing. file and line may be NULL. */
const char *config_definition(const char *name, const char **file, int *line);

/* Warn if main.cf defines name twice: the last one counts. */
void	config_warn_earlier(const char *name);

/* Walk through all definitions, by name: start with *position 0; NULL at the end. */
const char *config_next_definition(size_t *position);

/* What a parameter is to us. */
enum config_standing {
	CONFIG_OURS,		/* in parameters.def, or a transport's own */
	CONFIG_REFERRED,	/* a name of the site's own that a value refers to */
	CONFIG_UNUSED,		/* unknown, and nothing refers to it */
	CONFIG_IGNORED,		/* Postfix's, not implemented, and nothing is lost by that */
	CONFIG_MISSED,		/* ... and something does not happen that was asked for */
	CONFIG_UNSAFE,		/* ... and the system is less safe than it was asked to be */
};

/*
 * Judge a parameter that was set to value (expanded). *why (may be NULL) says
 * what is missing, for the last three; for CONFIG_UNUSED it is the nearest
 * name that we know, or NULL.
 */
enum config_standing config_judge(const char *name, const char *value,
    const char **why);

/* Let config_judge() know that text (a value in master.cf) refers to names. */
void	config_note_references(const char *text);

/*
 * Log a line for every definition that is not as it seems: warnings, and
 * errors for those which are unsafe to ignore. The number of errors.
 */
int	config_report(void);

#endif
