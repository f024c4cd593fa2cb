/*
 * template - the words of notices: ours, or the site's
 *
 * bounce_template_file has up to four templates, in Postfix's form:
 *
 *	failure_template = <<EOF
 *	Charset: us-ascii
 *	From: Mail Delivery System <MAILER-DAEMON>
 *	Subject: ...
 *	Postmaster-Subject: ...
 *
 *	Text, in which $name is a parameter's value, and that of a time also
 *	$name_days, _weeks, _hours, _minutes or _seconds.
 *	EOF
 *
 * One that is wrong, or is not there, is ours in its place.
 */

#ifndef DELIVERY_TEMPLATE_H
#define DELIVERY_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"
#include "base/text.h"

enum template_kind {
#define TEMPLATE(kind, name, subject, postmaster, body)	TEMPLATE_##kind,
#include "delivery/templates.def"
#undef TEMPLATE
	TEMPLATE_KINDS
};

struct template {
	const char	*name;			/* "failure" */
	const char	*charset, *from, *subject;
	const char	*postmaster_subject;	/* of the postmaster's copy */
	const char	*body;			/* with its $names */
};

struct templates {
	struct pool	*pool;		/* where they live */
	struct template	 of[TEMPLATE_KINDS];
	int		 mistakes;		/* each was logged, with file and line */
};

/* Ours. */
void	templates_init(struct templates *templates);

/*
 * Those that a file's text has, over what templates has already. name is the
 * file's, for the log. Strings live in pool.
 */
void	templates_parse(struct templates *templates, struct pool *pool,
	    const char *text, size_t length, const char *name);

/* templates_init(), and then the file bounce_template_file if there is one, or path if that is not NULL. */
void	templates_load(struct templates *templates, struct pool *pool,
	    const char *path);

/* The body with its $names expanded. False (logged) if it cannot be: nothing is appended. */
bool	template_expand(const struct template *template, struct text *out);

#endif
