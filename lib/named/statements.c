#include "named/statements.h"

#include <stddef.h>
#include <string.h>

static const struct statement rows[] = {
#define SERVED(name, where, apply) \
	{ name, where, STATEMENT_SERVED, ANY, BASE_NONE, 0, apply },
#define FIELD(name, where, shape, field) \
	{ name, where, STATEMENT_SERVED, shape, BASE_SETTINGS, \
	    offsetof(struct settings, field), NULL },
#define ZONE_FIELD(name, where, shape, field) \
	{ name, where, STATEMENT_SERVED, shape, BASE_ZONE, \
	    offsetof(struct zone_options, field), NULL },
#define NO_CONCERN(name, where, shape) \
	{ name, where, STATEMENT_NO_CONCERN, shape, BASE_NONE, 0, NULL },
#define NOT_SERVED(name, where, shape) \
	{ name, where, STATEMENT_NOT_SERVED, shape, BASE_NONE, 0, NULL },
#define REFUSED(name, where, shape) \
	{ name, where, STATEMENT_REFUSED, shape, BASE_NONE, 0, NULL },
#include "named/statements.def"
#undef SERVED
#undef FIELD
#undef ZONE_FIELD
#undef NO_CONCERN
#undef NOT_SERVED
#undef REFUSED
};

const struct statement_table statements_of_zones = { rows, COUNT_OF(rows) };

/* "no" to what we do not do anyway. */
static bool
is_declined(const struct conf_statement *at)
{
	static const char *const noes[] = { "no", "none", "false", "off",
	    "insecure" };
	const struct conf_item *item = at->items->next;

	if (item != NULL && item->kind == CONF_BLOCK && item->next == NULL &&
	    item->block != NULL && item->block->next == NULL)
		item = item->block->items;
	if (item == NULL || item->text == NULL || item->next != NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(noes); i++)
		if (strcasecmp(item->text, noes[i]) == 0)
			return true;
	return false;
}

void
statement_tell_fate(struct conf *conf, const struct conf_statement *at,
    enum fate fate)
{
	if (is_declined(at))
		return;
	if (fate == STATEMENT_NOT_SERVED)
		conf_warning(at, "'%s' is not served by this server and has "
		    "no effect", at->items->text);
	else if (fate == STATEMENT_REFUSED)
		conf_error(conf, at, "'%s' is not served by this server; "
		    "without it answers would be others than you ask for: "
		    "remove it or stay with BIND", at->items->text);
}

static bool
stands_before(const struct conf_statement *list,
    const struct conf_statement *at)
{
	for (; list != at; list = list->next)
		if (list->items->text != NULL &&
		    strcasecmp(list->items->text, at->items->text) == 0)
			return true;
	return false;
}

const struct statement *
statement_find(const struct statement_table *table, const char *name)
{
	for (size_t i = 0; name != NULL && i < table->count; i++)
		if (strcasecmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

static void *
field_of(const struct target *to, const struct statement *row)
{
	char *base = row->base == BASE_SETTINGS ? (char *)to->settings :
	    row->base == BASE_ZONE ? (char *)to->options :
	    row->base == BASE_OTHER ? (char *)to->other : NULL;

	return base != NULL ? base + row->offset : NULL;
}

/* What BIND knew once, and its users may still have. */
static const char *const gone[] = {
    "acache-cleaning-interval", "acache-enable", "additional-from-auth",
    "additional-from-cache", "allow-v6-synthesis", "cleaning-interval",
    "deallocate-on-exit", "dnssec-enable", "dnssec-lookaside", "fake-iquery",
    "fetch-glue", "filter-aaaa", "filter-aaaa-on-v4", "filter-aaaa-on-v6",
    "geoip-use-ecs", "has-old-clients", "host-statistics",
    "host-statistics-max", "ixfr-base", "ixfr-tmp-file", "maintain-ixfr-base",
    "max-acache-size", "max-ixfr-log-size", "min-roots", "multiple-cnames",
    "named-xfer", "nosit-udp-size", "pubkey", "queryport-pool-ports",
    "queryport-pool-updateinterval", "request-sit", "rfc2308-type1",
    "serial-queries", "sit-secret", "topology", "treat-cr-as-space",
    "use-id-pool", "use-ixfr", "use-queryport-pool",
};

static bool
is_gone(const char *name)
{
	for (size_t i = 0; name != NULL && i < COUNT_OF(gone); i++)
		if (strcasecmp(gone[i], name) == 0)
			return true;
	return false;
}

/* False: it must not stand here. */
static bool
is_in_place(struct target *to, const struct conf_statement *list,
    const struct conf_statement *at, const struct statement *row,
    unsigned where)
{
	struct conf *conf = &to->settings->conf;
	const char *name = at->items->text;

	if (row == NULL && is_gone(name))
		conf_error(conf, at, "option '%s' no longer exists", name);
	else if (row == NULL || (where == OPTIONS && (row->where & where) == 0))
		conf_error(conf, at, "unknown option '%s'",
		    name != NULL ? name : "{");
	else if (where != 0 && (row->where & where) == 0)
		conf_error(conf, at, "option '%s' is not allowed in '%s' zone "
		    "'%s'", name, to->zone->type_name, to->zone->name);
	else if ((row->where & MANY) == 0 && stands_before(list, at))
		conf_error(conf, at, "'%s' redefined near '%s'", name, name);
	else
		return true;
	return false;
}

void
statements_apply(struct target *to, const struct conf_statement *list,
    const struct statement_table *table, unsigned where)
{
	for (const struct conf_statement *at = list; at != NULL;
	    at = at->next) {
		const struct statement *row = statement_find(table, at->items->text);

		if (!is_in_place(to, list, at, row, where))
			continue;
		if (row->where & DEPRECATED)
			conf_warning(at, "option '%s' is deprecated",
			    row->name);
		if (row->where & OBSOLETE)
			conf_warning(at, "option '%s' is obsolete and should "
			    "be removed", row->name);
		if (row->apply != NULL)
			row->apply(to, at);
		else
			value_read(to, at, &row->shape, field_of(to, row));
		statement_tell_fate(&to->settings->conf, at, row->fate);
	}
}
