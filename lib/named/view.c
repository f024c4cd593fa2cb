/*
 * A single view that lets everybody in is the same as no view at all: its
 * zones, keys and servers become those of the file, its options come before
 * those of options. More than one, or one for some clients alone, would need
 * several sets of zones, and is refused.
 */

#include <string.h>

#include "named/statements.h"

/* Do these restrict anything? */
static bool
is_anybody(const struct conf_statement *at)
{
	const struct conf_item *list = at->items->next;

	return list != NULL && list->kind == CONF_BLOCK && list->next == NULL &&
	    list->block != NULL && list->block->next == NULL &&
	    list->block->items->next == NULL && conf_is(list->block, "any");
}

static bool
is_about_clients(const struct conf_statement *at)
{
	return conf_is(at, "match-clients") ||
	    conf_is(at, "match-destinations");
}

/* Statements of a view that stand outside of all braces without one. */
static bool
is_of_file(const struct conf_statement *at)
{
	static const char *const names[] = { "dlz", "dyndb", "key",
	    "managed-keys", "plugin", "server", "trust-anchors",
	    "trusted-keys", "zone" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (conf_is(at, names[i]))
			return true;
	return false;
}

/* view "name" [IN] { ... }: the block; NULL, with an error, if it is not of that form. */
static struct conf_item *
view_block(struct target *to, const struct conf_statement *at)
{
	struct conf_item *item = at->items->next;

	if (item != NULL && item->text != NULL)
		item = item->next;
	if (item != NULL && item->text != NULL &&
	    strcasecmp(item->text, "IN") == 0)
		item = item->next;
	if (item != NULL && item != at->items->next &&
	    item->kind == CONF_BLOCK && item->next == NULL)
		return item;
	conf_error(&to->settings->conf, at, "expected: view \"name\" { ... "
	    "}; of class IN");
	return NULL;
}

/* Why is this not the same as no view? NULL: it is. */
static const struct conf_statement *
find_restriction(const struct conf_statement *list)
{
	for (; list != NULL; list = list->next)
		if ((is_about_clients(list) && !is_anybody(list)) ||
		    (conf_is(list, "match-recursive-only") &&
		    list->items->next != NULL &&
		    list->items->next->text != NULL &&
		    (strcasecmp(list->items->next->text, "yes") == 0 ||
		    strcasecmp(list->items->next->text, "true") == 0)))
			return list;
	return NULL;
}

static struct conf_statement **
end_of(struct conf_statement **list)
{
	while (*list != NULL)
		list = &(*list)->next;
	return list;
}

/* The block of options, made if there is none. */
static struct conf_statement **
options_block(struct conf *conf, const struct conf_statement *view)
{
	struct conf_statement *at = conf->statements;
	struct conf_item *items;

	while (at != NULL && !conf_is(at, "options"))
		at = at->next;
	if (at == NULL) {
		items = pool_alloc(conf->pool, 2 * sizeof(*items));
		items[0] = (struct conf_item) { &items[1], CONF_WORD,
		    "options", NULL };
		items[1] = (struct conf_item) { NULL, CONF_BLOCK, NULL, NULL };
		at = pool_alloc(conf->pool, sizeof(*at));
		*at = (struct conf_statement) { NULL, items, view->file,
		    view->line };
		*end_of(&conf->statements) = at;
	}
	return at->items->next != NULL && at->items->next->kind ==
	    CONF_BLOCK ? &at->items->next->block : NULL;
}

/* What a view says counts, not what options say. */
static void
remove_option(struct conf_statement **list, const char *name)
{
	while (*list != NULL)
		if (conf_is(*list, name))
			*list = (*list)->next;
		else
			list = &(*list)->next;
}

static void
unfold(struct conf *conf, const struct conf_statement *view,
    struct conf_statement *list)
{
	struct conf_statement **options = options_block(conf, view), *next;
	struct conf_statement *own = NULL, **own_end = &own;
	struct conf_statement **end = end_of(&conf->statements);

	for (struct conf_statement *at = list; at != NULL; at = next) {
		next = at->next;
		at->next = NULL;
		if (is_about_clients(at) ||
		    conf_is(at, "match-recursive-only"))
			continue;
		if (is_of_file(at)) {
			*end = at;
			end = &at->next;
		} else if (options != NULL && at->items->text != NULL) {
			remove_option(options, at->items->text);
			*own_end = at;
			own_end = &at->next;
		}
	}
	if (options != NULL)
		*end_of(options) = own;
}

void
view_unfold(struct target *to)
{
	struct conf *conf = &to->settings->conf;
	struct conf_statement **place = NULL, *view;
	const struct conf_statement *restriction;
	struct conf_item *item;
	unsigned count = 0;

	for (struct conf_statement **at = &conf->statements; *at != NULL;
	    at = &(*at)->next)
		if (conf_is(*at, "view") && count++ == 0)
			place = at;
	if (count != 1)		/* more are told of, each */
		return;
	view = *place;
	*place = view->next;
	item = view_block(to, view);
	if (item == NULL)
		return;
	restriction = find_restriction(item->block);
	if (restriction != NULL) {
		conf_error(conf, restriction, "a view for some clients alone "
		    "is not served by this server; without it others would "
		    "get answers that are not for them: remove it or stay "
		    "with BIND");
		return;
	}
	to->settings->view = view->items->next->text;
	for (const struct conf_statement *at = conf->statements; at != NULL;
	    at = at->next)
		if (conf_is(at, "zone"))
			conf_error(conf, at, "when using 'view' statements, "
			    "all zones must be in views");
	unfold(conf, view, item->block);
}
