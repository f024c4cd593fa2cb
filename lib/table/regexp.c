/* regexp: - POSIX regular expressions: "/^(.*)-owner@/ OK" */

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "table/rules.h"

static const struct rule_flag flags_known[] = {
	{ 'i', REG_ICASE },
	{ 'm', REG_NEWLINE },
	{ 'x', REG_EXTENDED },
};

static void *
compile_regexp(struct rules *rules, const struct rule *rule, char **text)
{
	char *letters, *pattern = rules_cut_pattern(rules, text, &letters);
	uint32_t flags = REG_ICASE | REG_EXTENDED;
	char why[256];
	regex_t *regexp;
	int error;

	if (pattern == NULL)
		return NULL;
	if (!rules_read_flags(rules, letters, flags_known,
	    COUNT_OF(flags_known), &flags))
		return NULL;
	regexp = mem_zalloc(1, sizeof(*regexp));
	if ((error = regcomp(regexp, pattern, (int)flags)) == 0)
		return regexp;
	regerror(error, regexp, why, sizeof(why));
	rules_warn(rules, "%s", why);
	free(regexp);
	return NULL;
}

static bool
fits_regexp(const struct rule *rule, struct rule_subject *subject)
{
	regmatch_t found[CAPTURES_MAX];
	size_t count = rule->substitutes ? CAPTURES_MAX : 0;
	int error = regexec(rule->pattern, subject->key, count, found, 0);

	if (error != 0 && error != REG_NOMATCH) {
		subject->failed = "out of memory for this key";
		return false;
	}
	if (error != 0)
		return rule->negated;
	subject->capture_count = count;
	for (size_t i = 0; i < count; i++)
		subject->captures[i] = found[i].rm_so == -1
		    ? (struct capture){ 1, 0 } : (struct capture){
		    (size_t)found[i].rm_so, (size_t)found[i].rm_eo };
	return !rule->negated;
}

static void
release_regexp(void *pattern)
{
	regfree(pattern);
	free(pattern);
}

static size_t
regexp_groups(const void *pattern)
{
	const regex_t *regexp = pattern;

	return regexp->re_nsub;
}

static int
open_regexp(struct table *table)
{
	static const struct rule_dialect regexp = {
		.compile = compile_regexp,
		.fits = fits_regexp,
		.release = release_regexp,
		.groups = regexp_groups,
	};

	return rules_open(table, &regexp);
}

const struct table_backend table_regexp = {
	.type = "regexp",
	.suffix = "",
	.is_pattern = true,
	.keeps_case = true,
	.open = open_regexp,
	.get = rules_get,
	.close = rules_close,
};
