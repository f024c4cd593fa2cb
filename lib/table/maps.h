/* maps - a list of tables, asked in their order: virtual_alias_maps, alias_maps */

#ifndef TABLE_MAPS_H
#define TABLE_MAPS_H

#include <stdbool.h>

#include "base/text.h"
#include "table/table.h"

struct maps;

/*
 * The tables that a parameter names. Where their values are commands and
 * paths, patterns may not put pieces of the key into them. Keeps parameter. Released
 * with maps_close().
 */
struct maps *maps_open(const char *parameter, const char *list);
void	 maps_close(struct maps **maps);

/*
 * Look up with this function in place of table_get(): for who must not wait.
 * When it gives false, it has asked and its owner will ask again: the maps
 * give TABLE_ERROR, without a word.
 */
typedef bool maps_look(struct table *table, const char *key,
	    enum table_answer *answer, const char **value);
void	 maps_look_with(struct maps *maps, maps_look *look);

/* No table at all? */
bool	 maps_are_empty(const struct maps *maps);

/*
 * The first table that has key. *value is borrowed until the next call.
 * TABLE_ERROR, logged, as soon as one table fails: what it would have said
 * is not known, so the next must not be asked.
 */
enum table_answer maps_find(struct maps *maps, const char *key,
	    const char **value);

/* The same for a part of what is looked up, which tables of patterns are not asked for. */
enum table_answer maps_find_part(struct maps *maps, const char *key,
	    const char **value);

/*
 * The same for an internal address, in the forms that Postfix tries:
 * user+ext@domain, user@domain, then with is_local (the domain is myorigin,
 * in mydestination, or our address) user+ext and user, and at last @domain.
 * delimiters is recipient_delimiter. When a form without the extension was
 * found, the extension with its delimiter is in extension (unless NULL), so
 * that the caller can hand it on; else that is empty.
 */
enum table_answer maps_find_address(struct maps *maps, const char *address,
	    bool is_local, const char *delimiters, const char **value,
	    struct text *extension);

/* The name of the table that failed or answered last. */
const char *maps_table_name(const struct maps *maps);

#endif
