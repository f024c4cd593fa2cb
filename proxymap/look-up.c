/* Which tables may be read, and reading them. */

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/values.h"
#include "proxymap/proxymap.h"
#include "table/table.h"

#define PREFIX	"proxy:"

static struct map *allowed;	/* names without proxy: */

/*
 * Every type:name in proxy_read_maps, with proxy: or without: a daemon in a
 * chroot asks for any table that it cannot open, whatever it is called in main.cf.
 */
void
proxymap_allow(void)
{
	char *cursor = mem_strdup(config.proxy_read_maps), *word;
	const char *wrong = NULL;

	allowed = map_new();
	while ((word = config_word(&cursor, &wrong)) != NULL) {
		if (text_starts_with(word, PREFIX))
			word += strlen(PREFIX);
		if (strchr(word, ':') != NULL)
			map_set(allowed, word, allowed);
	}
	if (wrong != NULL)
		log_warning("proxy_read_maps: %s", wrong);
}

/* NULL if it must not be read. */
static struct table *
find_table(const char *name, int flags)
{
	static struct map *open;
	char *key;
	struct table *table;

	if (text_starts_with(name, PREFIX))
		name += strlen(PREFIX);
	if (map_get(allowed, name) == NULL)
		return NULL;
	if (open == NULL)
		open = map_new();
	key = mem_printf("%d %s", flags & TABLE_KEEP_CASE, name);
	if ((table = map_get(open, key)) == NULL) {
		table = table_open(name,
		    TABLE_HERE | (flags & TABLE_KEEP_CASE));
		map_set(open, key, table);
	}
	free(key);
	return table;
}

void
proxymap_look_up(const struct ipc_lookup *question,
    struct ipc_looked_up *answer)
{
	struct table *table = find_table(question->table,
	    (int)question->flags);
	const char *value;

	if (table == NULL) {
		log_warning("%s is not in proxy_read_maps: not read",
		    question->table);
		*answer = (struct ipc_looked_up){ .status = TABLE_ERROR,
		    .value = "not in proxy_read_maps" };
		return;
	}
	answer->status = table_get(table, question->key, &value);
	answer->value = answer->status == TABLE_FOUND ? value
	    : answer->status == TABLE_ERROR ? table_why(table) : "";
}
