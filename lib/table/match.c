#include "table/match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/lines.h"
#include "config/values.h"
#include "table/asker.h"
#include "table/internal.h"
#include "table/network.h"

#define FILE_LIMIT	(16 * 1024 * 1024)
#define DEPTH_LIMIT	10	/* files that name files */

struct pattern {
	enum { PATTERN_NAME, PATTERN_PARENT, PATTERN_NETWORK, PATTERN_TABLE,
	    PATTERN_BROKEN }	 kind;
	bool			 negated;
	char			*word;		/* in lower case, or what is broken */
	struct network		 network;
	struct table		*table;
};

struct match_list {
	const char	*parameter;
	bool		 parents;	/* example.com has its subdomains too */
	bool		 has_tables;
	struct pattern	*patterns;
	size_t		 count;
};

/* What is asked: a string, a domain or host with parents, an address; NULL what is not. */
struct question {
	const char	*name;
	bool		 parents;
	const struct network *address;
	const char	*address_text;	/* for tables */
};

/*
 * "192.0.2.0/24", "[2001:db8::]/32", "[2001:db8::/32]", or without prefix.
 * 1 if it is one, 0 if it is something else, -1 with *wrong.
 */
static int
network_parse(const char *word, struct network *network, const char **wrong)
{
	char address[INET6_ADDRSTRLEN + 8];
	const char *slash;
	size_t length = 0;
	int64_t bits;

	for (const char *p = word; *p != '\0' && *p != '/'; p++)
		if (*p != '[' && *p != ']' && length < sizeof(address) - 1)
			address[length++] = *p;
	address[length] = '\0';
	if (inet_pton(AF_INET, address, network->bytes) == 1)
		network->length = sizeof(struct in_addr);
	else if (*word == '[' &&
	    inet_pton(AF_INET6, address, network->bytes) == 1)
		network->length = sizeof(struct in6_addr);
	else if (*word == '[') {
		*wrong = "expected [IPv6 address] or [IPv6 address]/bits";
		return -1;
	} else
		return 0;

	network->bits = (int)network->length * 8;
	if ((slash = strchr(word, '/')) == NULL)
		return 1;

	char *digits = mem_strdup(slash + 1);

	digits[strcspn(digits, "]")] = '\0';

	int result = config_number(digits, 0, network->bits, &bits);

	free(digits);
	if (result == -1) {
		*wrong = "the number behind the / is not a prefix length";
		return -1;
	}
	network->bits = (int)bits;
	if (network_has_host_bits(network)) {
		*wrong = "non-null host address bits behind the prefix";
		return -1;
	}
	return 1;
}

static struct pattern *
add(struct match_list *list, bool negated, const char *word)
{
	struct pattern *new;

	list->patterns = mem_resize(list->patterns, list->count + 1,
	    sizeof(*list->patterns));
	new = &list->patterns[list->count++];
	*new = (struct pattern){
		.negated = negated,
		.word = text_lower(mem_strdup(word)),
	};
	return new;
}

static void
add_broken(struct match_list *list, const char *word, const char *why)
{
	log_warning("%s: %s: %s", list->parameter, word, why);
	add(list, false, word)->kind = PATTERN_BROKEN;
}

static bool
is_table(const char *word)
{
	const char *colon = strchr(word, ':');

	/* An IPv6 address in brackets has colons, too; a bare one is no name either. */
	return colon != NULL && *word != '[' && colon != word;
}

static void add_words(struct match_list *, bool, const char *, int);

/* A /file: its lines are words; ! before it turns each around. */
static void
add_file(struct match_list *list, bool negated, const char *path, int depth)
{
	struct lines lines;
	size_t length;
	char *text = file_read(path, FILE_LIMIT, &length), *line;

	if (text == NULL || depth > DEPTH_LIMIT) {
		add_broken(list, path, text == NULL ? strerror(errno)
		    : "files that name one another");
		free(text);
		return;
	}
	lines_open(&lines, text, length);
	while ((line = lines_next(&lines)) != NULL)
		add_words(list, negated, line, depth + 1);
	lines_close(&lines);
	free(text);
}

static void
add_word(struct match_list *list, bool negated, char *word, int depth)
{
	const char *wrong = NULL;
	struct network network;

	for (; *word == '!'; word++)
		negated = !negated;
	if (*word == '/') {
		add_file(list, negated, word, depth);
		return;
	}
	if (is_table(word)) {
		struct pattern *p = add(list, negated, word);

		list->has_tables = true;
		p->kind = PATTERN_TABLE;
		p->table = table_open(word, 0);
		return;
	}
	switch (network_parse(word, &network, &wrong)) {
	case -1:
		add_broken(list, word, wrong);
		return;
	case 1: {
		struct pattern *p = add(list, negated, word);

		p->kind = PATTERN_NETWORK;
		p->network = network;
		return;
	}
	default:
		add(list, negated, word)->kind =
		    *word == '.' && !list->parents ? PATTERN_PARENT
						   : PATTERN_NAME;
	}
}

static void
add_words(struct match_list *list, bool negated, const char *words, int depth)
{
	char *copy = mem_strdup(words), *cursor = copy, *word;
	const char *wrong = NULL;

	while ((word = config_word(&cursor, &wrong)) != NULL)
		add_word(list, negated, word, depth);
	if (wrong != NULL)
		add_broken(list, words, wrong);
	free(copy);
}

/* Does parent_domain_matches_subdomains name this parameter? */
static bool
parents_match(const char *parameter)
{
	char *copy, *cursor, *word;
	bool found = false;

	if (config.parent_domain_matches_subdomains == NULL)
		return false;
	cursor = copy = mem_strdup(config.parent_domain_matches_subdomains);
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		found |= strcmp(word, parameter) == 0;
	free(copy);
	return found;
}

struct match_list *
match_list_open(const char *parameter, const char *words)
{
	struct match_list *list = mem_zalloc(1, sizeof(*list));

	list->parameter = parameter;
	list->parents = parents_match(parameter);
	add_words(list, false, words, 0);
	return list;
}

void
match_list_close(struct match_list **list)
{
	if (*list == NULL)
		return;
	for (size_t i = 0; i < (*list)->count; i++) {
		table_close(&(*list)->patterns[i].table);
		free((*list)->patterns[i].word);
	}
	free((*list)->patterns);
	free(*list);
	*list = NULL;
}

/* A table has keys for the name, then its parents: "b.org", or ".b.org" where those do not count by themselves. */
static enum table_answer
ask_table_for_name(const struct match_list *list, struct table *table,
    const struct question *q)
{
	const char *value, *name = q->name;
	enum table_answer answer = table_get(table, name, &value);

	while (answer == TABLE_NONE && q->parents &&
	    !table_is_pattern(table) && (name = strchr(name + 1, '.')) != NULL)
		answer = table_get(table, list->parents ? name + 1 : name,
		    &value);
	return answer;
}

static enum table_answer
try_table(const struct match_list *list, struct table *table,
    const struct question *q)
{
	enum table_answer answer = TABLE_NONE;
	const char *value;

	if (q->name != NULL)
		answer = ask_table_for_name(list, table, q);
	if (answer == TABLE_NONE && q->address_text != NULL)
		answer = table_get(table, q->address_text, &value);
	return answer;
}

/* "a.b.org" ends in ".b.org". */
static bool
is_below(const char *name, const char *parent, bool has_dot)
{
	size_t length = strlen(name), tail = strlen(parent);

	if (length <= tail || strcasecmp(name + length - tail, parent) != 0)
		return false;
	return has_dot || name[length - tail - 1] == '.';
}

static enum table_answer
try_pattern(const struct match_list *list, const struct pattern *p,
    const struct question *q)
{
	bool fits = false;

	switch (p->kind) {
	case PATTERN_NAME:
		fits = q->name != NULL && (strcasecmp(q->name, p->word) == 0 ||
		    (q->parents && list->parents &&
		    is_below(q->name, p->word, false)));
		break;
	case PATTERN_PARENT:
		fits = q->name != NULL && q->parents &&
		    is_below(q->name, p->word, true);
		break;
	case PATTERN_NETWORK:
		fits = q->address != NULL &&
		    network_has(&p->network, q->address);
		/* An address may also stand where a name is asked for. */
		fits |= q->name != NULL && q->address == NULL &&
		    strcasecmp(q->name, p->word) == 0;
		break;
	case PATTERN_TABLE:
		return try_table(list, p->table, q);
	case PATTERN_BROKEN:
		return TABLE_ERROR;
	}
	return fits ? TABLE_FOUND : TABLE_NONE;
}

static enum table_answer
ask(struct match_list *list, const struct question *q)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct pattern *p = &list->patterns[i];
		enum table_answer answer = try_pattern(list, p, q);

		if (answer == TABLE_ERROR && !table_is_asking())
			log_warning("%s: %s: table lookup problem",
			    list->parameter, p->word);
		if (answer == TABLE_FOUND && p->negated)
			return TABLE_NONE;
		if (answer != TABLE_NONE)
			return answer;
	}
	return TABLE_NONE;
}

enum table_answer
match_string(struct match_list *list, const char *string)
{
	return ask(list, &(struct question){ .name = string });
}

enum table_answer
match_domain(struct match_list *list, const char *domain)
{
	return ask(list, &(struct question){ .name = domain, .parents = true });
}

enum table_answer
match_client(struct match_list *list, const char *name,
    const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN];
	struct network network;
	struct question q = { .parents = true };

	if (list->count == 0)
		return TABLE_NONE;
	if (name != NULL && strcmp(name, "unknown") != 0)
		q.name = name;
	if (address != NULL && network_from_address(address, &network)) {
		q.address = &network;
		if (list->has_tables)
			q.address_text = inet_ntop(network.length == 4 ?
			    AF_INET : AF_INET6, network.bytes, text,
			    sizeof(text));
	}
	return ask(list, &q);
}

/* Fewer bits than these hold more than one site. */
#define SITE_BITS_IPV4	8
#define SITE_BITS_IPV6	16

const char *
match_list_too_wide(const struct match_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct pattern *p = &list->patterns[i];

		if (p->kind == PATTERN_NETWORK && !p->negated &&
		    p->network.bits < (p->network.length == 4
		    ? SITE_BITS_IPV4 : SITE_BITS_IPV6))
			return p->word;
	}
	return NULL;
}
