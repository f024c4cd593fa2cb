/* Words of main.cf become lists of checks, once, before the sandbox closes. */

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "smtpd/check/check.h"

#define CLASS_DEPTH_MAX	8

/* The next word; braces keep what is between them together. Writes into the string. */
static char *
next_word(char **cursor)
{
	char *at = *cursor + strspn(*cursor, LIST_SEPARATORS);
	char *word = at;
	int depth = 0;

	if (*at == '\0')
		return NULL;
	for (; *at != '\0'; at++) {
		if (*at == '{')
			depth++;
		else if (*at == '}')
			depth--;
		else if (depth <= 0 && strchr(LIST_SEPARATORS, *at) != NULL)
			break;
	}
	if (*at != '\0')
		*at++ = '\0';
	*cursor = at;
	return word;
}

static const struct check_list *
compile_class(const char *name, const char *implied)
{
	static int depth;
	const char *words = config_get(name);
	const struct check_list *list = NULL;

	if (words == NULL || depth == CLASS_DEPTH_MAX - 1) {
		log_warning("restriction class %s is %s", name,
		    words == NULL ? "not defined" : "part of itself");
		return NULL;
	}
	depth++;
	list = check_list_compile(name, words, implied);
	depth--;
	return list;
}

/* What the check works with. */
static void
compile_argument(struct check *check, const char *parameter,
    const char *argument)
{
	unsigned needs = check->kind->needs;
	const char *why = NULL;

	if (check->kind->decide == NULL) {
		log_warning("%s: %s is not implemented yet: mail that meets it "
		    "is put off", parameter, check->word);
		return;
	}
	if (!(needs & NEEDS_ARGUMENT))
		return;
	if (argument == NULL)
		why = "needs an argument";
	else if (needs & NEEDS_TABLE)
		check->table = table_open(argument, 0);
	else if (needs & NEEDS_DNSBL)
		check->dnsbl = dnsbl_new(argument, &why);
	else if (needs & NEEDS_POLICY)
		check->policy = delegate_open(argument, &why);
	if (why == NULL)
		check->argument = mem_strdup(argument);
	else {
		log_warning("%s: %s %s: %s", parameter, check->word,
		    argument == NULL ? "" : argument, why);
		check->kind = NULL;
	}
}

/* reject_maps_rbl, the old way: reject_rbl_client for each of maps_rbl_domains. */
static const struct check_list *
compile_maps_rbl(const char *parameter)
{
	char *domains = mem_strdup(config.maps_rbl_domains);
	char *cursor = domains, *domain;
	struct text words = TEXT_EMPTY;
	const struct check_list *list;

	log_warning("%s: restriction reject_maps_rbl is going away; use "
	    "reject_rbl_client domain in its place", parameter);
	while ((domain = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		text_printf(&words, "reject_rbl_client %s ", domain);
	list = check_list_compile("maps_rbl_domains", text_string(&words),
	    NULL);
	text_clear(&words);
	free(domains);
	return list;
}

/* A check that cannot be made: kind and list stay NULL, and it is 451. */
static void
compile_word(struct check *check, const char *parameter, char *word,
    char **cursor, const char *implied)
{
	const char *argument = NULL;

	check->word = mem_strdup(word);
	if (list_has_word(config.smtpd_restriction_classes, word)) {
		check->list = compile_class(check->word, implied);
		return;
	}
	if (text_equal_nocase(word, "reject_maps_rbl")) {
		check->list = compile_maps_rbl(parameter);
		return;
	}
	check->kind = check_kind_find(word);
	if (check->kind == NULL && implied != NULL && strchr(word, ':') != NULL) {
		check->kind = check_kind_find(implied);
		argument = word;
	}
	if (check->kind == NULL) {
		log_warning("unknown smtpd restriction: \"%s\" in %s", word,
		    parameter);
		return;
	}
	if (argument == NULL && (check->kind->needs & NEEDS_ARGUMENT))
		argument = next_word(cursor);
	compile_argument(check, parameter, argument);
}

const struct check_list *
check_list_compile(const char *name, const char *words, const char *implied)
{
	struct check_list *list = mem_zalloc(1, sizeof(*list));
	char *copy = mem_strdup(words), *cursor = copy, *word;
	bool warn_only = false;

	list->name = name;
	while ((word = next_word(&cursor)) != NULL) {
		struct check check = { .warn_only = warn_only };

		if (text_equal_nocase(word, "warn_if_reject")) {
			warn_only = true;
			continue;
		}
		warn_only = false;
		compile_word(&check, name, word, &cursor, implied);
		if (!check.warn_only &&
		    ((check.kind != NULL && (check.kind->needs & REFUSES_RELAY)) ||
		    (check.list != NULL && check.list->is_safe)))
			list->is_safe = true;
		list->checks = mem_resize(list->checks, list->count + 1,
		    sizeof(*list->checks));
		list->checks[list->count++] = check;
	}
	free(copy);
	return list;
}
