/*
 * rules - tables whose entries are tried in their order: cidr, regexp, pcre
 *
 *	pattern result
 *	!pattern result		when the pattern does not fit
 *	if pattern		what follows counts only when it fits
 *	endif
 *
 * A line with a mistake is told with its number and left out, as in Postfix.
 * The dialects differ in what a pattern is.
 */

#ifndef TABLE_RULES_H
#define TABLE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/internal.h"
#include "table/network.h"

/* What $1 to $99 may stand for. */
#define CAPTURES_MAX	100

struct capture {
	size_t	start, end;	/* end < start: took no part in the match */
};

/* The key that is looked up. */
struct rule_subject {
	const char	*key;
	size_t		 length;
	bool		 is_address;
	struct network	 address;
	struct capture	 captures[CAPTURES_MAX];
	size_t		 capture_count;
	const char	*failed;	/* why nobody knows whether the rule fits */
};

struct rule {
	enum rule_kind { RULE_MATCH, RULE_IF } kind;
	bool		 negated;
	bool		 substitutes;	/* the result has a $ */
	int		 line;
	size_t		 past;		/* an IF: the rule behind its ENDIF */
	void		*pattern;
	char		*result;
};

struct rules;

struct rule_dialect {
	/*
	 * Cut a pattern off *text and compile it; negations before it were
	 * taken. NULL after rules_warn().
	 */
	void	*(*compile)(struct rules *rules, const struct rule *rule,
		    char **text);
	/* Does the rule fit, negation and all? */
	bool	 (*fits)(const struct rule *rule, struct rule_subject *subject);
	void	 (*release)(void *pattern);
	/* How many groups; NULL: $ has no meaning in results. */
	size_t	 (*groups)(const void *pattern);
};

/* A backend's functions, once its dialect is said. */
int	rules_open(struct table *table, const struct rule_dialect *dialect);
enum table_answer rules_get(struct table *table, const char *key);
void	rules_close(struct table *table);

/* "warning: regexp map FILE, line N: ..." about the line at hand. */
void	rules_warn(const struct rules *rules, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * "/pattern/flags" cut in place, as regexp: and pcre: have it. NULL after
 * rules_warn(); else the pattern, with *flags behind it as a string and
 * *text behind those.
 */
char	*rules_cut_pattern(struct rules *rules, char **text, char **flags);

/* A letter behind a pattern turns around what holds without it. */
struct rule_flag {
	char		letter;
	uint32_t	bit;
};

/* Turn the bits of these letters around in *bits. False after rules_warn(): one of them is none of known. */
bool	rules_read_flags(struct rules *rules, const char *letters,
	    const struct rule_flag *known, size_t count, uint32_t *bits);

#endif
