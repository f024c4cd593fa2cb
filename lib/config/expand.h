/*
 * expand - $name and its kin, in the values of main.cf and wherever it uses them
 *
 *	$name  ${name}  $(name)		the value of name, "" if there is none
 *	${name?text}  ${name?{text}}	text if name has a value that is not ""
 *	${name:text}  ${name:{text}}	text if it has not
 *	${name?{text}:{text}}		one or the other
 *	${{a} == {b} ? {text} : {text}}	== != < <= > >=, as numbers where both are;
 *					with "level" behind it, as release numbers;
 *					without texts "true" or ""
 *	$$				a single $
 */

#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include <stdbool.h>

#include "base/text.h"

struct expansion {
	/* The value of name, NULL if there is none; borrowed until the next call. */
	const char	*(*value)(const char *name, void *context);
	void		*context;
	bool		 recursive;	/* values are expanded in turn */
	bool		*is_missing;	/* set if a name whose value was wanted has none; NULL: nobody asks */
};

/*
 * Append string to out, expanded. 0, or -1 with the reason appended to why:
 * bad syntax, a value that leads back to itself, or more than 1 MiB.
 */
int	expand(const struct expansion *expansion, const char *string,
	    struct text *out, struct text *why);

#endif
