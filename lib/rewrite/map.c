/* map - an address for an address */

#include "rewrite/rewrite.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "table/match.h"

static struct match_list *local_domains;

void
rewrite_open(void)
{
	if (local_domains == NULL)
		local_domains = match_list_open("mydestination",
		    config.mydestination);
}

int
rewrite_classes(const char *parameter, const char *list)
{
	static const char *const words[] = { "envelope_sender",
	    "envelope_recipient", "header_sender", "header_recipient" };
	char *copy = mem_strdup(list), *cursor = copy, *word;
	int classes = 0;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		size_t i = 0;

		while (i < COUNT_OF(words) && strcasecmp(word, words[i]) != 0)
			i++;
		if (i < COUNT_OF(words))
			classes |= 1 << i;
		else
			log_warning("%s: unknown class \"%s\" counts for nothing",
			    parameter, word);
	}
	free(copy);
	return classes;
}

bool
rewrite_propagates(const char *word)
{
	return list_has_word(config.propagate_unmatched_extensions, word);
}

enum table_answer
rewrite_look_up(struct maps *maps, const char *address, char **value,
    struct text *extension)
{
	const char *domain = address_domain(address), *borrowed;
	bool is_local = domain != NULL &&
	    (strcasecmp(domain, config.myorigin) == 0 ||
	    match_domain(local_domains, domain) == TABLE_FOUND);
	enum table_answer answer = maps_find_address(maps, address,
	    is_local, config.recipient_delimiter, &borrowed, extension);

	if (answer == TABLE_FOUND)
		*value = mem_strdup(borrowed);
	return answer;
}

void
rewrite_keep_user(const char *value, const char *address,
    const char *extension, struct text *out)
{
	text_truncate(out, 0);
	if (*value == '@') {
		char *user = mem_strndup(address,
		    address_localpart_length(address) - strlen(extension));

		/* What is put together is read as one that stood in the table. */
		address_quote(out, user);
		free(user);
	}
	text_puts(out, value);
}

void
rewrite_add_extension(struct text *address, const char *extension)
{
	size_t local = address_localpart_length(text_string(address));
	struct text longer = TEXT_EMPTY;

	text_append(&longer, address->bytes, local);
	text_puts(&longer, extension);
	text_append(&longer, address->bytes + local, address->length - local);
	text_clear(address);
	*address = longer;
}

/* The first address of the value, which should be the only one. */
static int
take_value(const struct text *value, struct maps *maps, struct text *address,
    const char *extension, rewrite_complete *complete)
{
	struct address_list list = { .text = text_string(value),
	    .length = value->length, .is_spaced = true };
	struct address_found found, more;
	struct text next = TEXT_EMPTY;

	if (!address_list_next(&list, &found) || *found.address == '\0' ||
	    found.too_long)
		return 0;
	if (address_list_next(&list, &more))
		log_warning("%s: more than one address for %s: the first "
		    "counts", maps_table_name(maps), text_string(address));
	if (complete(found.address, &next) == -1) {
		text_clear(&next);
		return -1;
	}
	if (*extension != '\0')
		rewrite_add_extension(&next, extension);
	if (next.length > 0 && next.length <= ADDRESS_MAX) {
		text_clear(address);
		*address = next;
	} else
		text_clear(&next);
	return 0;
}

enum table_answer
rewrite_map(struct maps *maps, struct text *address, bool propagates,
    rewrite_complete *complete, bool *changed)
{
	struct text extension = TEXT_EMPTY, whole = TEXT_EMPTY;
	char *value = NULL, *before = mem_strdup(text_string(address));
	enum table_answer answer = rewrite_look_up(maps, before, &value,
	    &extension);

	if (answer == TABLE_FOUND) {
		rewrite_keep_user(value, before, text_string(&extension),
		    &whole);
		if (take_value(&whole, maps, address, propagates ?
		    text_string(&extension) : "", complete) == -1)
			answer = TABLE_ERROR;
	}
	*changed = strcasecmp(before, text_string(address)) != 0;
	free(before);
	free(value);
	text_clear(&extension);
	text_clear(&whole);
	return answer;
}
