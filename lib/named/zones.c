/* zones - zone statements: name, type, and what the type needs */

#include <stdlib.h>
#include <string.h>

#include "named/statements.h"

static const struct {
	const char *word;
	const char *type_name;
	enum zone_type type;
	unsigned where;
	const char *remark;	/* why it is not served */
} types[] = {
	{ "primary", "primary", ZONE_PRIMARY, PRIMARY, NULL },
	{ "master", "primary", ZONE_PRIMARY, PRIMARY, NULL },
	{ "secondary", "secondary", ZONE_SECONDARY, SECONDARY, NULL },
	{ "slave", "secondary", ZONE_SECONDARY, SECONDARY, NULL },
	{ "mirror", "mirror", ZONE_UNSERVED, OTHER, "its names get SERVFAIL" },
	{ "redirect", "redirect", ZONE_UNSERVED, OTHER,
	  "its names get SERVFAIL" },
	{ "delegation-only", "delegation-only", ZONE_UNSERVED, OTHER, NULL },
	/* These serve recursion: we have no answers for such names. */
	{ "hint", "hint", ZONE_UNSERVED, 0, NULL },
	{ "forward", "forward", ZONE_UNSERVED, 0, "this server never recurses" },
	{ "stub", "stub", ZONE_UNSERVED, 0, "this server never recurses" },
	{ "static-stub", "static-stub", ZONE_UNSERVED, 0,
	  "this server never recurses" },
};

static const struct conf_statement *
find(const struct conf_statement *list, const char *word)
{
	while (list != NULL && !conf_is(list, word))
		list = list->next;
	return list;
}

/* zone "name" [IN] { ... }: the block, NULL if it is not of that form. */
static const struct conf_statement *
zone_block(struct target *to, const struct conf_statement *at,
    const char **name)
{
	struct conf *conf = &to->settings->conf;
	const struct conf_item *item = at->items->next;
	const struct conf_item *rest = item != NULL ? item->next : NULL;
	const char *class = rest != NULL && rest->kind != CONF_BLOCK ?
	    rest->text : NULL;

	if (class != NULL)
		rest = rest->next;
	if (item == NULL || item->text == NULL || rest == NULL ||
	    rest->kind != CONF_BLOCK || rest->next != NULL) {
		conf_error(conf, at, "expected: zone \"name\" { type ...; "
		    "... };");
		return NULL;
	}
	*name = item->text;
	if (class != NULL && dns_class_parse(class, strlen(class)) == -1)
		conf_error(conf, at, "zone '%s': invalid class %s", *name,
		    class);
	else if (class != NULL &&
	    dns_class_parse(class, strlen(class)) != DNS_CLASS_IN)
		conf_error(conf, at, "zone '%s': class '%s' is not served",
		    *name, class);
	else if (rest->block == NULL)
		conf_error(conf, at, "zone '%s': type not present", *name);
	else
		return rest->block;
	return NULL;
}

static struct zone_settings *
add_zone(struct target *to, const struct conf_statement *at, const char *name,
    enum zone_type type)
{
	struct settings *settings = to->settings;
	struct zone_settings zone = { .name = name, .at = at, .type = type,
	    .options = settings->options };
	const char *why;

	if (dns_name_parse(&zone.apex, name, strlen(name), NULL, &why) == -1) {
		conf_error(&settings->conf, at, "zone '%s': is not a valid "
		    "name", name);
		return NULL;
	}
	for (size_t i = 0; i < settings->zone_count; i++) {
		const struct zone_settings *other = &settings->zones[i];

		if (dns_name_equal(other->apex.bytes, zone.apex.bytes)) {
			conf_error(&settings->conf, at, "zone '%s': already "
			    "exists previous definition: %s:%u", name,
			    other->at->file, other->at->line);
			return NULL;
		}
	}
	if (type != ZONE_UNSERVED) {
		zone.options.rules.check_names = settings->check_names[type];
		zone.options.ixfr_from_differences =
		    settings->ixfr_from_differences[type];
	}
	settings->zones = mem_resize(settings->zones, settings->zone_count + 1,
	    sizeof(zone));
	settings->zones[settings->zone_count] = zone;
	return &settings->zones[settings->zone_count++];
}

/* A secondary writes its file: no other zone may have it. */
static void
check_file(struct target *to, const struct zone_settings *zone)
{
	struct settings *settings = to->settings;

	for (const struct zone_settings *other = settings->zones;
	    zone->file != NULL && other < zone; other++)
		if (other->file != NULL && strcmp(other->file,
		    zone->file) == 0 && (zone->type == ZONE_SECONDARY ||
		    other->type == ZONE_SECONDARY))
			conf_error(&settings->conf, zone->at, "writeable file "
			    "'%s': already in use: %s:%u", zone->file,
			    other->at->file, other->at->line);
}

static void
check_zone(struct target *to, const struct zone_settings *zone,
    const struct conf_statement *list, bool is_sound)
{
	struct conf *conf = &to->settings->conf;
	bool has_primaries = find(list, "primaries") != NULL;

	if (find(list, "in-view") != NULL)
		return;
	if (zone->type == ZONE_PRIMARY && zone->file == NULL)
		conf_error(conf, zone->at, "zone '%s': missing 'file' entry",
		    zone->name);
	if (zone->type == ZONE_SECONDARY) {
		if (has_primaries && find(list, "masters") != NULL)
			conf_error(conf, zone->at, "'primaries' and 'masters' "
			    "cannot both be used in the same zone");
		else if (!has_primaries && find(list, "masters") == NULL)
			conf_error(conf, zone->at, "zone '%s': missing "
			    "'primaries' entry", zone->name);
		else if (zone->options.primaries.count == 0 && is_sound)
			conf_error(conf, zone->at, "zone '%s': empty "
			    "'primaries' entry", zone->name);
	}
	check_file(to, zone);
}

/* The row of a zone's type; -1 with an error. */
static int
find_type(struct target *to, const struct conf_statement *at,
    const struct conf_statement *list, const char *name)
{
	const struct conf_statement *type = find(list, "type");
	const struct conf_item *word = type != NULL ? type->items->next : NULL;

	if (word == NULL || word->text == NULL) {
		conf_error(&to->settings->conf, at, "zone '%s': type not "
		    "present", name);
		return -1;
	}
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcasecmp(types[i].word, word->text) == 0)
			return i;
	conf_error(&to->settings->conf, type, "'%s' unexpected", word->text);
	return -1;
}

void
zone_statement_read(struct target *to, const struct conf_statement *at)
{
	struct zone_settings *zone;
	const char *name;
	const struct conf_statement *list = zone_block(to, at, &name);
	unsigned errors;
	int type;

	if (list == NULL)
		return;
	if (find(list, "in-view") != NULL) {
		statement_tell_fate(&to->settings->conf, find(list, "in-view"),
		    STATEMENT_REFUSED);
		return;
	}
	type = find_type(to, at, list, name);
	if (type == -1)
		return;
	if (types[type].remark != NULL)
		conf_warning(at, "zone '%s': type %s is not served: %s", name,
		    types[type].word, types[type].remark);
	if (types[type].where == 0)
		return;
	zone = add_zone(to, at, name, types[type].type);
	if (zone == NULL)
		return;
	zone->type_name = types[type].type_name;
	to->zone = zone;
	to->options = &zone->options;
	errors = to->settings->conf.errors;
	statements_apply(to, list, &statements_of_zones, types[type].where);
	if (zone->type == ZONE_UNSERVED)
		zone->file = NULL;
	else
		check_zone(to, zone, list,
		    to->settings->conf.errors == errors);
	to->zone = NULL;
	to->options = &to->settings->options;
}
