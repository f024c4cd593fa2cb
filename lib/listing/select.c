#include "listing/select.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/values.h"

enum kind { WORD, QUEUES, AGE, SIZE };

/* What may be asked for, where it is kept, and for a number where that is. */
static const struct criterion {
	const char	*name;
	enum kind	 kind;
	size_t		 text, number;
} criteria[] = {
#define AT(field)	offsetof(struct listing_selection, field)
	{ "from",    WORD,   AT(from),	  0 },
	{ "to",	     WORD,   AT(to),	  0 },
	{ "domain",  WORD,   AT(domain),  0 },
	{ "older",   AGE,    AT(older),	  AT(older_s) },
	{ "newer",   AGE,    AT(newer),	  AT(newer_s) },
	{ "larger",  SIZE,   AT(larger),  AT(larger_bytes) },
	{ "smaller", SIZE,   AT(smaller), AT(smaller_bytes) },
	{ "reason",  WORD,   AT(reason),  0 },
	{ "login",   WORD,   AT(login),	  0 },
	{ "queue",   QUEUES, AT(queues),  0 },
#undef AT
};

const char *
listing_criterion(size_t n)
{
	return n < COUNT_OF(criteria) ? criteria[n].name : NULL;
}

/* A number of bytes with k, M or G behind it, in any case. 0, or -1: not a size. */
static int
parse_size(const char *text, int64_t *bytes)
{
	static const char units[] = "kmg";
	char *digits = mem_strdup(text);
	size_t length = strspn(digits, "0123456789");
	char letter = (char)tolower((unsigned char)digits[length]);
	const char *unit = letter == '\0' ? NULL : strchr(units, letter);
	int shift = unit == NULL ? 0 : 10 * (int)(unit - units + 1), result = -1;

	if (letter == '\0' || (unit != NULL && digits[length + 1] == '\0')) {
		digits[length] = '\0';
		result = config_number(digits, 0, INT64_MAX >> shift, bytes);
		*bytes <<= shift;
	}
	free(digits);
	return result;
}

static bool
queues_are_known(const char *value)
{
	char *copy = mem_strdup(value), *cursor = copy, *queue;
	bool known = true;

	while (known && (queue = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		known = list_has_word(LISTING_QUEUES, queue);
	free(copy);
	return known;
}

int
listing_selection_set(struct listing_selection *selection, size_t n,
    const char *value, const char **why)
{
	const struct criterion *criterion = &criteria[n];
	const char **text = (const char **)((char *)selection +
	    criterion->text);
	int64_t *number = (int64_t *)((char *)selection + criterion->number);
	int seconds = 0;

	*why = NULL;
	if (*text != NULL)
		*why = "it was given twice";
	else if (*value == '\0')
		*why = "it is empty";
	else if (criterion->kind == QUEUES && !queues_are_known(value))
		*why = "the queues are " LISTING_QUEUES;
	else if (criterion->kind == AGE &&
	    config_time(value, 's', &seconds) == -1)
		*why = "not an age, as 90, 30m, 12h or 5d";
	else if (criterion->kind == SIZE && parse_size(value, number) == -1)
		*why = "not a size in bytes, as 5000, 20k or 3M";
	if (*why != NULL)
		return -1;
	if (criterion->kind == AGE)
		*number = seconds;
	*text = value;
	return 0;
}

bool
listing_selection_is_set(const struct listing_selection *selection)
{
	for (size_t i = 0; i < COUNT_OF(criteria); i++) {
		if (*(const char *const *)((const char *)selection +
		    criteria[i].text) != NULL)
			return true;
	}
	return false;
}

/* The text itself, or a shell pattern. */
static bool
word_matches(const char *pattern, const char *text)
{
	return strcmp(pattern, text) == 0 || fnmatch(pattern, text, 0) == 0;
}

/* A copy whose part behind the last @ is in lower case. Released with free(3). */
static char *
fold_domain(const char *address)
{
	char *copy = mem_strdup(address), *at = strrchr(copy, '@');

	if (at != NULL)
		text_lower(at);
	return copy;
}

bool
listing_address_matches(const char *pattern, const char *address)
{
	char *wanted, *seen;
	const char *at;
	bool matches;

	if (strcmp(pattern, "<>") == 0)
		pattern = "MAILER-DAEMON";
	wanted = fold_domain(pattern);
	seen = fold_domain(address);
	at = *wanted == '@' ? strrchr(seen, '@') : seen;
	matches = at != NULL && word_matches(wanted, at);
	free(wanted);
	free(seen);
	return matches;
}

/* "x.org", or with a dot in front all below it too. */
static bool
domain_matches(const char *pattern, const char *address)
{
	char *wanted = text_lower(mem_strdup(pattern));
	char *seen = fold_domain(address);
	const char *at = strrchr(seen, '@');
	bool matches = at != NULL && (word_matches(wanted, at + 1) ||
	    (*wanted == '.' && (strcmp(wanted + 1, at + 1) == 0 ||
	    text_ends_with(at + 1, wanted))));

	free(wanted);
	free(seen);
	return matches;
}

/* Part of the reason as it is; or a shell pattern for all of it. */
static bool
reason_matches(const char *pattern, const char *reason)
{
	return strcasestr(reason, pattern) != NULL ||
	    fnmatch(pattern, reason, FNM_CASEFOLD) == 0;
}

static bool
recipient_is_meant(const struct listing_selection *selection,
    const struct listed_recipient *r)
{
	if (selection->to != NULL &&
	    !listing_address_matches(selection->to, r->address) &&
	    !listing_address_matches(selection->to, r->original))
		return false;
	if (selection->domain != NULL &&
	    !domain_matches(selection->domain, r->address))
		return false;
	return selection->reason == NULL ||
	    reason_matches(selection->reason, r->reason);
}

static bool
some_recipient_is_meant(const struct listing_selection *selection,
    const struct listed_message *message)
{
	for (size_t i = 0; i < message->recipient_count; i++) {
		if (recipient_is_meant(selection, &message->recipients[i]))
			return true;
	}
	return false;
}

/* Cheap questions first. */
bool
listing_selects(const struct listing_selection *selection,
    const struct listed_message *message, int64_t now)
{
	int64_t age = now - message->arrival;

	if (selection->queues != NULL &&
	    !list_has_word(selection->queues, message->queue))
		return false;
	if ((selection->older != NULL && age <= selection->older_s) ||
	    (selection->newer != NULL && age >= selection->newer_s) ||
	    (selection->larger != NULL &&
	    message->size <= selection->larger_bytes) ||
	    (selection->smaller != NULL &&
	    message->size >= selection->smaller_bytes))
		return false;
	if (selection->login != NULL &&
	    !word_matches(selection->login, message->login))
		return false;
	if (selection->from != NULL &&
	    !listing_address_matches(selection->from, message->sender))
		return false;
	return (selection->to == NULL && selection->domain == NULL &&
	    selection->reason == NULL) ||
	    some_recipient_is_meant(selection, message);
}
