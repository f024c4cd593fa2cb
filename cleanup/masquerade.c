/* masquerade - a host's own name behind its domain: user@host.example.org is user@example.org */

#include "cleanup/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "rewrite/rewrite.h"
#include "table/match.h"

static struct domain {
	const char	*name;
	bool		 is_kept;	/* "!name": what is below it stays as it is */
} *domains;
static size_t domain_count;
static int classes;
static struct match_list *exceptions;

void
masquerade_open(void)
{
	char *cursor = mem_strdup(config.masquerade_domains), *word;

	domains = mem_zalloc(strlen(cursor) + 1, sizeof(*domains));
	domain_count = 0;
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		struct domain *domain = &domains[domain_count];

		domain->is_kept = false;
		for (; *word == '!'; word++)
			domain->is_kept = !domain->is_kept;
		domain->name = word;
		domain_count += *word != '\0';
	}
	classes = rewrite_classes("masquerade_classes",
	    config.masquerade_classes);
	exceptions = match_list_open("masquerade_exceptions",
	    config.masquerade_exceptions);
}

/* The first that is this name or a parent of it. */
static const struct domain *
find_domain(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < domain_count; i++) {
		size_t own = strlen(domains[i].name);

		if (own <= length &&
		    strcasecmp(domains[i].name, name + length - own) == 0 &&
		    (own == length || name[length - own - 1] == '.'))
			return &domains[i];
	}
	return NULL;
}

enum table_answer
masquerade(int class, struct text *address)
{
	const char *name = address_domain(text_string(address));
	const struct domain *domain;
	enum table_answer excepted = TABLE_NONE;

	if ((classes & class) == 0 || name == NULL ||
	    (domain = find_domain(name)) == NULL || domain->is_kept)
		return TABLE_NONE;
	if (*config.masquerade_exceptions != '\0') {
		char *user = mem_strndup(address->bytes,
		    address_localpart_length(address->bytes));

		excepted = match_string(exceptions, user);
		free(user);
	}
	if (excepted != TABLE_NONE)
		return excepted == TABLE_ERROR ? TABLE_ERROR : TABLE_NONE;
	text_truncate(address, (size_t)(name - address->bytes));
	text_puts(address, domain->name);
	return TABLE_FOUND;
}
