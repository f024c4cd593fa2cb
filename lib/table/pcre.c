/*
 * pcre: - Perl's regular expressions, by PCRE2
 *
 * A match is bounded in steps and memory: a pattern that explodes on a key
 * is an error, not an hour of work for whoever sent the key.
 */

#ifdef HAVE_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "table/rules.h"

#define STEPS_MAX	1000000
#define DEPTH_KIB_MAX	4096

static const struct rule_flag flags_known[] = {
	{ 'i', PCRE2_CASELESS },
	{ 'm', PCRE2_MULTILINE },
	{ 's', PCRE2_DOTALL },
	{ 'x', PCRE2_EXTENDED },
	{ 'A', PCRE2_ANCHORED },
	{ 'E', PCRE2_DOLLAR_ENDONLY },
	{ 'U', PCRE2_UNGREEDY },
	{ 'X', 0 },		/* always so in PCRE2 */
};

/* All tables of a process take turns with these. */
static pcre2_match_context *limits;
static pcre2_match_data *found;

static void *
compile_pcre(struct rules *rules, const struct rule *rule, char **text)
{
	char *letters, *pattern = rules_cut_pattern(rules, text, &letters);
	uint32_t flags = PCRE2_CASELESS | PCRE2_DOTALL;
	PCRE2_UCHAR why[256];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	if (pattern == NULL)
		return NULL;
	if (!rules_read_flags(rules, letters, flags_known,
	    COUNT_OF(flags_known), &flags))
		return NULL;
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, flags,
	    &error, &offset, NULL);
	if (code == NULL) {
		pcre2_get_error_message(error, why, sizeof(why));
		rules_warn(rules, "error in regex at offset %zu: %s",
		    (size_t)offset, (const char *)why);
	}
	return code;
}

static bool
fits_pcre(const struct rule *rule, struct rule_subject *subject)
{
	int count = pcre2_match(rule->pattern, (PCRE2_SPTR)subject->key,
	    subject->length, 0, 0, found, limits);

	if (count == PCRE2_ERROR_NOMATCH)
		return rule->negated;
	if (count < 0) {
		subject->failed = count == PCRE2_ERROR_MATCHLIMIT ||
		    count == PCRE2_ERROR_HEAPLIMIT
		    ? "the pattern takes too many steps with this key"
		    : "the matching failed";
		return false;
	}

	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(found);

	if (count == 0)		/* more groups than we keep */
		count = CAPTURES_MAX;
	subject->capture_count = (size_t)count;
	for (int i = 0; i < count; i++)
		subject->captures[i] = ends[2 * i] == PCRE2_UNSET
		    ? (struct capture){ 1, 0 }
		    : (struct capture){ ends[2 * i], ends[2 * i + 1] };
	return !rule->negated;
}

static void
release_pcre(void *pattern)
{
	pcre2_code_free(pattern);
}

static size_t
pcre_groups(const void *pattern)
{
	uint32_t count = 0;

	pcre2_pattern_info(pattern, PCRE2_INFO_CAPTURECOUNT, &count);
	return count;
}

static int
open_pcre(struct table *table)
{
	static const struct rule_dialect pcre = {
		.compile = compile_pcre,
		.fits = fits_pcre,
		.release = release_pcre,
		.groups = pcre_groups,
	};

	if (limits == NULL) {
		limits = pcre2_match_context_create(NULL);
		found = pcre2_match_data_create(CAPTURES_MAX, NULL);
		if (limits == NULL || found == NULL) {
			text_puts(&table->why, "out of memory");
			return -1;
		}
		pcre2_set_match_limit(limits, STEPS_MAX);
		pcre2_set_heap_limit(limits, DEPTH_KIB_MAX);
	}
	return rules_open(table, &pcre);
}

const struct table_backend table_pcre = {
	.type = "pcre",
	.suffix = "",
	.is_pattern = true,
	.keeps_case = true,
	.open = open_pcre,
	.get = rules_get,
	.close = rules_close,
};

#endif
