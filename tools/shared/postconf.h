/* What the files of postconf share. */

#ifndef TOOLS_SHARED_POSTCONF_H
#define TOOLS_SHARED_POSTCONF_H

#include <stdbool.h>

#define POSTCONF_FOLD_COLUMN	80
#define POSTCONF_FOLD_INDENT	4

/* How to show what was asked for. */
struct postconf_style {
	bool	only_set;	/* -n */
	bool	defaults;	/* -d */
	bool	expand;		/* -x */
	bool	fold;		/* -f */
	bool	no_name;	/* -h */
	bool	no_value;	/* -H */
};

/* main.cf: the named parameters, or all. Gives the exit code. */
int	postconf_show_main(const struct postconf_style *style, char **names);

/* Is it set, and does somebody read it? What nobody reads is only warned of. */
bool	postconf_is_used(const char *name);

/* Warn of names in main.cf, or in the -o of master.cf, that nobody reads or that nobody defines. */
void	postconf_warn_main(void);
void	postconf_warn_entries(void);

/* What a name has as a service's own parameter, or in Postfix: not expanded; NULL if it is none. */
const char *postconf_derived_default(const char *name);
const char *postconf_other_default(const char *name);

/* Each name that a service of master.cf may have for itself: smtp_time_limit and so on. */
void	postconf_each_derived(void (*each)(const char *name, const char *value,
	    void *context), void *context);

/* master.cf: entries (-M), their columns (-F), their -o parameters (-P); each name is service[/type[/what]]. */
int	postconf_show_entries(const struct postconf_style *style, char **names);
int	postconf_show_columns(const struct postconf_style *style, char **names);
int	postconf_show_overrides(const struct postconf_style *style, char **names);

/* What an edit does with the lines it finds. */
enum postconf_edit { POSTCONF_SET, POSTCONF_COMMENT, POSTCONF_REMOVE };

/* main.cf: each word is name=value, or a name for the last two. The file is replaced at once, comments stay. */
int	postconf_edit_main(enum postconf_edit edit, char **words);

/* master.cf: "service/type=line" (-M), "service/type/column=value" (-F), "service/type/name=value" (-P). */
int	postconf_edit_entries(enum postconf_edit edit, char **words);
int	postconf_edit_columns(enum postconf_edit edit, char **words);
int	postconf_edit_overrides(enum postconf_edit edit, char **words);

/* Print "name = value" as style says, in words with one blank between them. */
void	postconf_print(const struct postconf_style *style, const char *name,
	    const char *value);

/* The manual page of all parameters, in mdoc. */
int	postconf_manual(void);

/* postconf_templates.c: the templates of notices, from file or, if that is NULL, as the configuration has them. */
int	postconf_templates(const char *file, bool expanded);

#endif
