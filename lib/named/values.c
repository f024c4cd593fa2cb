#include "named/values.h"

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#include "named/remotes.h"
#include "named/statements.h"

const struct conf_item *
value_item(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = at->items->next;

	if (item == NULL || item->text == NULL) {
		conf_error(&to->settings->conf, at, "'%s': expected a value "
		    "near '%s'", at->items->text, item == NULL ? ";" : "{");
		return NULL;
	}
	if (item->next != NULL) {
		conf_error(&to->settings->conf, at, "missing ';' after '%s'",
		    item->text);
		return NULL;
	}
	return item;
}

const struct conf_statement *
value_block(struct target *to, const struct conf_statement *at,
    const struct conf_item *item)
{
	if (item == NULL || item->kind != CONF_BLOCK || item->next != NULL) {
		conf_error(&to->settings->conf, at, "expected '{' after '%s'",
		    at->items->text);
		return NULL;
	}
	return item->block;
}

int
value_port(struct target *to, const struct conf_statement *at,
    const struct conf_item *item)
{
	const char *wrong = "missing";
	int port = -1;

	if (item != NULL && item->text != NULL)
		port = strtonum(item->text, 0, 65535, &wrong);
	if (wrong == NULL)
		return port;
	conf_error(&to->settings->conf, at, "port value '%s' is out of range",
	    item != NULL && item->text != NULL ? item->text : "");
	return -1;
}

bool
value_address(struct sockaddr_storage *address, const char *text,
    uint16_t port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		return true;
	}
	return false;
}

/* "notify-source 192.0.2.1": the address that questions leave from; "*" is any. */
static void
read_source(struct target *to, const struct conf_statement *at, int family,
    void *field)
{
	const struct conf_item *item = at->items->next;
	struct sockaddr_storage source = { 0 };

	if (item != NULL && item->next != NULL && item->next->text != NULL &&
	    strcasecmp(item->next->text, "port") == 0)
		conf_warning(at, "token 'port' is deprecated");
	else
		item = value_item(to, at);
	if (item == NULL || item->text == NULL)
		return;
	if (strcmp(item->text, "*") != 0 &&
	    (!value_address(&source, item->text, 0) ||
	    source.ss_family != family))
		conf_error(&to->settings->conf, at, "expected IPv%c address or "
		    "'*' near '%s'", family == AF_INET ? '4' : '6', item->text);
	else if (field != NULL)
		memcpy(field, &source, family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
}

/* Which of "one|other" a word is; -1 if none. */
static int
find_word(const char *words, const char *word)
{
	static const struct { const char *word, *means; } synonyms[] = {
		{ "true", "yes" }, { "1", "yes" }, { "false", "no" },
		{ "0", "no" }, { "master-only", "primary-only" },
		{ "master", "primary" }, { "slave", "secondary" },
	};
	size_t length = strlen(word);
	int number = 0;

	for (const char *at = words; *at != '\0'; number++) {
		size_t size = strcspn(at, "|");

		if (size == length && strncasecmp(at, word, length) == 0)
			return number;
		at += size + (at[size] == '|');
	}
	for (size_t i = 0; i < COUNT_OF(synonyms); i++)
		if (strcasecmp(synonyms[i].word, word) == 0)
			return find_word(words, synonyms[i].means);
	return -1;
}

static bool
read_choice(struct target *to, const struct conf_statement *at,
    const char *words, uint32_t *value)
{
	const struct conf_item *item = value_item(to, at);
	int word;

	if (item == NULL)
		return false;
	word = find_word(words, item->text);
	if (word == -1 && strncmp(words, "no|yes", 6) == 0)
		conf_error(&to->settings->conf, at, "boolean expected near "
		    "'%s'", item->text);
	else if (word == -1)
		conf_error(&to->settings->conf, at, "'%s' unexpected",
		    item->text);
	*value = word;
	return word != -1;
}

static bool
read_number(struct target *to, const struct conf_statement *at,
    const struct value_shape *shape, uint32_t *value)
{
	const struct conf_item *item = value_item(to, at);
	const char *wrong;
	long long number;

	if (item == NULL)
		return false;
	number = strtonum(item->text, 0, UINT32_MAX, &wrong);
	if (wrong != NULL) {
		conf_error(&to->settings->conf, at, "expected number near "
		    "'%s'", item->text);
		return false;
	}
	if (number < shape->least || number > shape->most) {
		if (shape->kind == VALUE_NUMBER) {
			conf_error(&to->settings->conf, at, "%s '%lld' is out "
			    "of range (%u..%u)", at->items->text, number,
			    shape->least, shape->most);
			return false;
		}
		number = number < shape->least ? shape->least : shape->most;
		conf_warning(at, "%s is out of range: using %lld",
		    at->items->text, number);
	}
	*value = shape->kind == VALUE_TENTHS ? number * 100 : number;
	return true;
}

/* "PT1H30M", "P1W": as ISO 8601 writes spans of time, without months and years. Seconds, or -1. */
static int64_t
parse_iso_duration(const char *text)
{
	static const struct { char unit; bool in_time; unsigned seconds; }
	    units[] = {
		{ 'W', false, 604800 }, { 'D', false, 86400 },
		{ 'H', true, 3600 }, { 'M', true, 60 }, { 'S', true, 1 },
	};
	bool in_time = false;
	int64_t total = 0;

	for (text++; *text != '\0'; text++) {
		unsigned seconds = 0;
		int64_t number = 0;

		if ((*text | 0x20) == 't' && !in_time) {
			in_time = true;
			continue;
		}
		if (*text < '0' || *text > '9')
			return -1;
		for (; *text >= '0' && *text <= '9' && number < UINT32_MAX;
		    text++)
			number = number * 10 + *text - '0';
		for (size_t i = 0; i < COUNT_OF(units); i++)
			if ((*text & ~0x20) == units[i].unit &&
			    units[i].in_time == in_time)
				seconds = units[i].seconds;
		if (seconds == 0)
			return -1;
		total += number * seconds;
		if (total > UINT32_MAX)
			return -1;
	}
	return total;
}

static bool
read_duration(struct target *to, const struct conf_statement *at,
    uint32_t *value)
{
	const struct conf_item *item = value_item(to, at);
	int64_t seconds;

	if (item == NULL)
		return false;
	*value = UINT32_MAX;
	if (strcasecmp(item->text, "unlimited") == 0)
		return true;
	seconds = (*item->text | 0x20) == 'p' ? parse_iso_duration(item->text) :
	    dns_ttl_parse(item->text, strlen(item->text));
	if (seconds == -1)
		conf_error(&to->settings->conf, at, "expected ISO 8601 "
		    "duration or TTL value near '%s'", item->text);
	*value = seconds;
	return seconds != -1;
}

static bool
read_percent(struct target *to, const struct conf_statement *at,
    uint32_t *value)
{
	const struct conf_item *item = value_item(to, at);
	char *end;

	if (item == NULL)
		return false;
	*value = 0;
	if (strcasecmp(item->text, "unlimited") == 0)
		return true;
	*value = strtoul(item->text, &end, 10);
	if (end == item->text || strcmp(end, "%") != 0)
		conf_error(&to->settings->conf, at, "expected percentage near "
		    "'%s'", item->text);
	return end != item->text && strcmp(end, "%") == 0;
}

/* "10", "10k", "10m", "10g". */
bool
value_size(const char *word, uint64_t *octets)
{
	char *end;
	uint64_t size = strtoull(word, &end, 10);

	switch (end != word ? *end | 0x20 : 'x') {
	case 'g':
		size *= 1024;	/* FALLTHROUGH */
	case 'm':
		size *= 1024;	/* FALLTHROUGH */
	case 'k':
		size *= 1024;
		end++;
		break;
	}
	if (end == word || *end != '\0')
		return false;
	*octets = size;
	return true;
}

static void
read_size(struct target *to, const struct conf_statement *at, uint64_t *field)
{
	const struct conf_item *item = value_item(to, at);
	uint64_t size = UINT64_MAX;

	if (item == NULL || strcasecmp(item->text, "default") == 0)
		return;
	if (strcasecmp(item->text, "unlimited") != 0 &&
	    !value_size(item->text, &size))
		conf_error(&to->settings->conf, at, "expected integer and "
		    "optional unit near '%s'", item->text);
	else if (field != NULL)
		*field = size;
}

static void
read_text(struct target *to, const struct conf_statement *at,
    enum value_kind kind, const char **field)
{
	const struct conf_item *item = value_item(to, at);
	const char *text = item != NULL ? item->text : NULL;

	if (item == NULL)
		return;
	if (kind == VALUE_TEXT && item->kind == CONF_WORD &&
	    strcasecmp(text, "none") == 0)
		text = NULL;
	else if (kind == VALUE_STRING && item->kind != CONF_STRING) {
		conf_error(&to->settings->conf, at, "expected quoted string "
		    "near '%s'", text);
		return;
	}
	if (field != NULL)
		*field = text;
}

/* What no field wants is read for its errors only. */
static bool
read_acl(struct target *to, const struct conf_statement *at, bool is_wanted,
    uint32_t *value)
{
	unsigned errors = to->settings->conf.errors;
	size_t rows = to->settings->acls.count;
	const struct conf_statement *list = value_block(to, at,
	    at->items->next);

	if (to->settings->conf.errors > errors)
		return false;
	*value = acls_add(&to->settings->acls, at, list);
	if (!is_wanted)
		to->settings->acls.count = rows;
	return true;
}

/* "keys k;" or "keys { k; };" */
static bool
read_key(struct target *to, const struct conf_statement *at, uint32_t *value)
{
	const struct conf_item *item = at->items->next;

	if (item != NULL && item->kind == CONF_BLOCK && item->block != NULL &&
	    item->block->next == NULL && item->block->items->text != NULL)
		item = item->block->items;
	else
		item = value_item(to, at);
	if (item == NULL)
		return false;
	*value = keys_find(&to->settings->keys, item->text);
	if (*value == 0)
		conf_error(&to->settings->conf, at, "unknown key '%s'",
		    item->text);
	return *value != 0;
}

void
value_read(struct target *to, const struct conf_statement *at,
    const struct value_shape *shape, void *field)
{
	uint32_t value;
	bool good = false;

	switch (shape->kind) {
	case VALUE_ANY:
		return;
	case VALUE_TEXT:
	case VALUE_STRING:
	case VALUE_WORD:
		read_text(to, at, shape->kind, field);
		return;
	case VALUE_SIZE:
		read_size(to, at, field);
		return;
	case VALUE_SOURCE:
	case VALUE_SOURCE6:
		read_source(to, at, shape->kind == VALUE_SOURCE ? AF_INET :
		    AF_INET6, field);
		return;
	case VALUE_REMOTES:
		remotes_read(to, at, field);
		return;
	case VALUE_BOOL:
		good = read_choice(to, at, "no|yes", &value);
		break;
	case VALUE_CHOICE:
		good = read_choice(to, at, shape->words, &value);
		break;
	case VALUE_NUMBER:
	case VALUE_CUT:
	case VALUE_TENTHS:
		good = read_number(to, at, shape, &value);
		break;
	case VALUE_DURATION:
		good = read_duration(to, at, &value);
		break;
	case VALUE_PERCENT:
		good = read_percent(to, at, &value);
		break;
	case VALUE_KEY:
		good = read_key(to, at, &value);
		break;
	case VALUE_ACL:
		good = read_acl(to, at, field != NULL, &value);
		break;
	}
	if (good && field != NULL)
		*(uint32_t *)field = value;
}
