#include "table/maps.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "base/base.h"
#include "config/values.h"
#include "table/asker.h"

struct maps {
	const char	*parameter;
	struct table	**tables;
	size_t		 count;
	const char	*last;		/* the table that was asked last */
	struct text	 key;
	maps_look	*look;		/* NULL: table_get() */
};

/* Who chooses an address must not choose a command, a path, or a user. */
static bool
is_sensitive(const char *parameter)
{
	static const char *const sensitive[] = {
		"address_verify_sender_dependent_default_transport_maps",
		"address_verify_sender_dependent_relayhost_maps",
		"alias_maps", "mailbox_command_maps",
		"sender_dependent_default_transport_maps",
		"sender_dependent_relayhost_maps", "virtual_gid_maps",
		"virtual_mailbox_maps", "virtual_uid_maps",
	};

	for (size_t i = 0; i < COUNT_OF(sensitive); i++)
		if (strcmp(sensitive[i], parameter) == 0)
			return true;
	return false;
}

struct maps *
maps_open(const char *parameter, const char *list)
{
	struct maps *maps = mem_zalloc(1, sizeof(*maps));
	char *copy = mem_strdup(list), *cursor = copy, *word;
	const char *wrong = NULL;

	maps->parameter = parameter;
	maps->last = parameter;
	while ((word = config_word(&cursor, &wrong)) != NULL) {
		maps->tables = mem_resize(maps->tables, maps->count + 1,
		    sizeof(*maps->tables));
		maps->tables[maps->count++] = table_open(word,
		    is_sensitive(parameter) ? TABLE_NO_SUBSTITUTION : 0);
	}
	if (wrong != NULL)
		log_warning("%s = %s: %s", parameter, list, wrong);
	free(copy);
	return maps;
}

void
maps_close(struct maps **maps)
{
	if (*maps == NULL)
		return;
	for (size_t i = 0; i < (*maps)->count; i++)
		table_close(&(*maps)->tables[i]);
	text_clear(&(*maps)->key);
	free((*maps)->tables);
	free(*maps);
	*maps = NULL;
}

void
maps_look_with(struct maps *maps, maps_look *look)
{
	maps->look = look;
}

bool
maps_are_empty(const struct maps *maps)
{
	return maps->count == 0;
}

const char *
maps_table_name(const struct maps *maps)
{
	return maps->last;
}

/* A part of an address is nothing to ask a table of patterns for. */
static enum table_answer
find(struct maps *maps, const char *key, bool is_part, const char **value)
{
	*value = NULL;
	for (size_t i = 0; i < maps->count; i++) {
		if (is_part && table_is_pattern(maps->tables[i]))
			continue;

		enum table_answer answer;

		maps->last = table_name(maps->tables[i]);
		if (maps->look == NULL)
			answer = table_get(maps->tables[i], key, value);
		else if (!maps->look(maps->tables[i], key, &answer, value))
			return TABLE_ERROR;
		if (answer == TABLE_ERROR && !table_is_asking())
			log_warning("%s lookup error for \"%s\"", maps->last,
			    key);
		/* An empty value says nothing, and would make mail vanish. */
		if (answer == TABLE_FOUND && **value == '\0') {
			log_warning("%s: an empty value for \"%s\" counts as none",
			    maps->last, key);
			answer = TABLE_NONE;
		}
		if (answer != TABLE_NONE)
			return answer;
	}
	return TABLE_NONE;
}

enum table_answer
maps_find(struct maps *maps, const char *key, const char **value)
{
	return find(maps, key, false, value);
}

enum table_answer
maps_find_part(struct maps *maps, const char *key, const char **value)
{
	return find(maps, key, true, value);
}

/* Look up base bytes of the address, followed by tail. */
static enum table_answer
find_form(struct maps *maps, const char *address, size_t base,
    const char *tail, const char **value)
{
	bool is_part = strlen(address) != base + strlen(tail);

	text_truncate(&maps->key, 0);
	text_append(&maps->key, address, base);
	text_puts(&maps->key, tail);
	return find(maps, text_string(&maps->key), is_part, value);
}

enum table_answer
maps_find_address(struct maps *maps, const char *address, bool is_local,
    const char *delimiters, const char **value, struct text *extension)
{
	size_t whole = address_localpart_length(address);
	size_t base = address_base_length(address, whole, delimiters);
	const char *at = address + whole;
	enum table_answer answer;

	if (extension != NULL)
		text_truncate(extension, 0);
	if (maps->count == 0)
		return TABLE_NONE;
	if ((answer = find_form(maps, address, whole, at, value)) != TABLE_NONE)
		return answer;
	if (base < whole &&
	    (answer = find_form(maps, address, base, at, value)) != TABLE_NONE)
		goto without_extension;
	if (is_local && *at != '\0') {
		if ((answer = find_form(maps, address, whole, "", value)) !=
		    TABLE_NONE)
			return answer;
		if (base < whole && (answer = find_form(maps, address, base,
		    "", value)) != TABLE_NONE)
			goto without_extension;
	}
	return *at == '\0' ? TABLE_NONE : find(maps, at, true, value);

without_extension:
	if (answer == TABLE_FOUND && extension != NULL)
		text_append(extension, address + base, whole - base);
	return answer;
}
