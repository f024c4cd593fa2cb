#include "named/acl.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACL_ROWS_MAX	100000	/* lists that name lists grow fast */

static void	add_elements(struct acls *acls,
		    const struct conf_statement *list);

static const uint8_t *
address_octets(const struct sockaddr *address, unsigned *length)
{
	if (address->sa_family == AF_INET) {
		*length = 4;
		return (const uint8_t *)
		    &((const struct sockaddr_in *)address)->sin_addr;
	}
	*length = 16;
	return ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
}

static unsigned
prefix_of(const struct sockaddr *mask)
{
	unsigned length, bits = 0;
	const uint8_t *octets = address_octets(mask, &length);

	for (unsigned i = 0; i < length; i++)
		bits += __builtin_popcount(octets[i]);
	return bits;
}

static void
find_interfaces(struct acls *acls)
{
	struct ifaddrs *all, *at;

	if (getifaddrs(&all) == -1)
		return;
	for (at = all; at != NULL; at = at->ifa_next) {
		struct acl_interface *to;

		if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 ||
		    (at->ifa_addr->sa_family != AF_INET &&
		    at->ifa_addr->sa_family != AF_INET6))
			continue;
		acls->interfaces = mem_resize(acls->interfaces,
		    acls->interface_count + 1, sizeof(*acls->interfaces));
		to = &acls->interfaces[acls->interface_count++];
		memset(to, 0, sizeof(*to));
		strlcpy(to->name, at->ifa_name, sizeof(to->name));
		memcpy(&to->address, at->ifa_addr,
		    at->ifa_addr->sa_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		to->prefix = at->ifa_netmask != NULL ?
		    prefix_of(at->ifa_netmask) : 128;
	}
	freeifaddrs(all);
}

void
acls_init(struct acls *acls, struct conf *conf, const struct keys *keys)
{
	memset(acls, 0, sizeof(*acls));
	acls->conf = conf;
	acls->keys = keys;
	acls->named = conf->statements;
	acls_add_simple(acls, true);	/* row 0 */
	find_interfaces(acls);
}

void
acls_clear(struct acls *acls)
{
	free(acls->rows);
	free(acls->interfaces);
	memset(acls, 0, sizeof(*acls));
}

static struct image_match *
add_row(struct acls *acls, enum match_kind kind, bool negated)
{
	struct image_match *row;

	if (acls->count == acls->size) {
		acls->size = acls->size > 0 ? acls->size * 2 : 16;
		acls->rows = mem_resize(acls->rows, acls->size,
		    sizeof(*acls->rows));
	}
	row = &acls->rows[acls->count++];
	memset(row, 0, sizeof(*row));
	row->kind = kind;
	row->negated = negated;
	return row;
}

static void
add_prefix(struct acls *acls, const struct sockaddr *address, unsigned prefix)
{
	struct image_match *row = add_row(acls, address->sa_family == AF_INET ?
	    MATCH_IPV4 : MATCH_IPV6, false);
	unsigned length;
	const uint8_t *octets = address_octets(address, &length);

	row->prefix = prefix < length * 8 ? prefix : length * 8;
	memcpy(row->address, octets, length);
}

/* localhost: every address of ours; localnets: every network that we are in. */
static void
add_own(struct acls *acls, bool networks)
{
	for (size_t i = 0; i < acls->interface_count; i++)
		add_prefix(acls,
		    (const struct sockaddr *)&acls->interfaces[i].address,
		    networks ? acls->interfaces[i].prefix : 128);
}

bool
acl_parse_prefix(struct image_match *row, const char *text)
{
	char address[64];
	const char *slash = strchr(text, '/'), *wrong = NULL;
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned dots = 0;
	bool six = memchr(text, ':', length) != NULL;

	if (length == 0 || length + 7 > sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	for (size_t i = 0; i < length; i++)
		dots += address[i] == '.';
	for (; !six && slash != NULL && dots < 3; dots++)
		strlcat(address, ".0", sizeof(address));
	if (inet_pton(six ? AF_INET6 : AF_INET, address, row->address) != 1)
		return false;
	row->kind = six ? MATCH_IPV6 : MATCH_IPV4;
	row->prefix = six ? 128 : 32;
	if (slash != NULL)
		row->prefix = strtonum(slash + 1, 0, row->prefix, &wrong);
	return wrong == NULL;
}

static const struct conf_statement *
find_acl(const struct acls *acls, const char *name)
{
	for (const struct conf_statement *at = acls->named; at != NULL;
	    at = at->next) {
		const struct conf_item *item = at->items;

		if (item->kind == CONF_WORD && strcmp(item->text, "acl") == 0 &&
		    item->next != NULL && item->next->text != NULL &&
		    strcasecmp(item->next->text, name) == 0 &&
		    item->next->next != NULL &&
		    item->next->next->kind == CONF_BLOCK)
			return at;
	}
	return NULL;
}

/* Are the bits behind the prefix zeros? */
static bool
is_whole_prefix(const struct image_match *row)
{
	for (unsigned bit = row->prefix; bit < 128; bit++)
		if (row->address[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

/* A list within a list. */
static void
add_nested(struct acls *acls, const struct conf_statement *at,
    const struct conf_statement *list, bool negated)
{
	size_t start = acls->count;

	add_row(acls, MATCH_LIST, negated);
	if (start > ACL_ROWS_MAX && acls->conf->errors == 0)
		conf_error(acls->conf, at, "address match lists that are "
		    "too large");
	if (acls->depth < ACL_DEPTH_MAX && start <= ACL_ROWS_MAX) {
		acls->depth++;
		add_elements(acls, list);
		acls->depth--;
	}
	acls->rows[start].count = acls->count - start - 1;
}

/* A list that has a name. In itself it says nothing that it has not said before. */
static void
add_acl(struct acls *acls, const struct conf_statement *at,
    const struct conf_statement *acl, bool negated)
{
	for (unsigned i = 0; i < acls->open_count; i++)
		if (acls->open[i] == acl) {
			add_nested(acls, at, NULL, negated);
			return;
		}
	if (acls->open_count == ACL_DEPTH_MAX)
		return;
	acls->open[acls->open_count++] = acl;
	add_nested(acls, at, acl->items->next->next->block, negated);
	acls->open_count--;
}

/* An address with a prefix longer than itself. */
static bool
is_too_long(const char *name)
{
	size_t length = strcspn(name, "/");
	struct image_match row;
	char address[64];

	if (name[length] != '/' || length >= sizeof(address))
		return false;
	memcpy(address, name, length);
	address[length] = '\0';
	return acl_parse_prefix(&row, address);
}

static void
add_named(struct acls *acls, const struct conf_statement *at, const char *name,
    bool negated)
{
	const struct conf_statement *acl = find_acl(acls, name);
	struct image_match row = { 0 };
	size_t start = acls->count;

	if (strcasecmp(name, "any") == 0)
		add_row(acls, MATCH_ANY, negated);
	else if (strcasecmp(name, "none") == 0)
		add_row(acls, MATCH_ANY, !negated);
	else if (strcasecmp(name, "localhost") == 0 ||
	    strcasecmp(name, "localnets") == 0) {
		add_row(acls, MATCH_LIST, negated);
		add_own(acls, strcasecmp(name, "localnets") == 0);
		acls->rows[start].count = acls->count - start - 1;
	} else if (acl_parse_prefix(&row, name)) {
		if (!is_whole_prefix(&row))
			conf_error(acls->conf, at, "'%s': address/prefix "
			    "length mismatch '%u'", name, row.prefix);
		row.negated = negated;
		*add_row(acls, row.kind, negated) = row;
	} else if (acl != NULL)
		add_acl(acls, at, acl, negated);
	else if (is_too_long(name))
		conf_error(acls->conf, at, "invalid prefix length '%s'",
		    strchr(name, '/') + 1);
	else if (!acls->is_checking)
		conf_error(acls->conf, at, "undefined ACL '%s'", name);
}

/* A key that nobody has defined matches no one. */
static void
add_key(struct acls *acls, const struct conf_statement *at, const char *name,
    bool negated)
{
	uint32_t key = keys_find(acls->keys, name);

	if (key == 0)
		conf_warning(at, "key '%s' is not defined: it matches nobody",
		    name);
	add_row(acls, MATCH_KEY, negated)->count = key;
}

static void
add_element(struct acls *acls, const struct conf_statement *at)
{
	const struct conf_item *item = at->items;
	bool negated = false;

	while (item != NULL && item->kind == CONF_NOT) {
		negated = !negated;
		item = item->next;
	}
	if (item == NULL)
		conf_error(acls->conf, at, "expected IP match list element");
	else if (item->kind == CONF_BLOCK)
		add_nested(acls, at, item->block, negated);
	else if (strcasecmp(item->text, "key") == 0 && item->next != NULL &&
	    item->next->text != NULL)
		add_key(acls, at, item->next->text, negated);
	else if (strcasecmp(item->text, "geoip") == 0)
		conf_error(acls->conf, at, "'geoip' is not served by this "
		    "server; without it others would be let in or kept out: "
		    "remove it or stay with BIND");
	else if (item->next != NULL)
		conf_error(acls->conf, at, "missing ';' after '%s'",
		    item->text);
	else
		add_named(acls, at, item->text, negated);
}

static void
add_elements(struct acls *acls, const struct conf_statement *list)
{
	for (; list != NULL; list = list->next)
		add_element(acls, list);
}

uint32_t
acls_add(struct acls *acls, const struct conf_statement *at,
    const struct conf_statement *list)
{
	size_t start = acls->count;

	add_nested(acls, at, list, false);
	if (acls->count == start + 2 &&
	    acls->rows[start + 1].kind == MATCH_ANY &&
	    !acls->rows[start + 1].negated) {
		acls->count = start;
		return 0;
	}
	return start;
}

uint32_t
acls_add_simple(struct acls *acls, bool everybody)
{
	size_t start = acls->count;

	add_row(acls, MATCH_LIST, false);
	acls->rows[start].count = 1;
	add_row(acls, MATCH_ANY, !everybody);
	return start;
}

static bool
rows_allow(const struct image_match *rows, uint32_t list,
    const struct sockaddr *address, uint32_t key)
{
	const struct image_header header = { 0 };
	const struct image image = {
		.header = &header,
		.base = (const uint8_t *)rows,
	};

	return image_acl_allows_key(&image, list, address, key);
}

bool
acls_allow_key(const struct acls *acls, uint32_t list,
    const struct sockaddr *address, uint32_t key)
{
	return rows_allow(acls->rows, list, address, key);
}

bool
acls_allow(const struct acls *acls, uint32_t list,
    const struct sockaddr *address)
{
	return rows_allow(acls->rows, list, address, 0);
}

bool
acl_prefix_matches(const struct image_match *row,
    const struct sockaddr *address)
{
	struct image_match rows[3] = {
		[1] = { .kind = MATCH_LIST, .count = 1 },
		[2] = *row,
	};

	return rows_allow(rows, 1, address, 0);
}

void
acls_check_named(struct acls *acls)
{
	static const char *const builtin[] = { "any", "none", "localhost",
	    "localnets" };
	size_t rows = acls->count;

	for (const struct conf_statement *at = acls->named; at != NULL;
	    at = at->next) {
		const struct conf_item *name = at->items->next;
		const struct conf_statement *first;

		if (!conf_is(at, "acl"))
			continue;
		if (name == NULL || name->text == NULL || name->next == NULL ||
		    name->next->kind != CONF_BLOCK) {
			conf_error(acls->conf, at, "expected: acl \"name\" { "
			    "...; };");
			continue;
		}
		for (size_t i = 0; i < COUNT_OF(builtin); i++)
			if (strcasecmp(name->text, builtin[i]) == 0)
				conf_error(acls->conf, at, "attempt to "
				    "redefine builtin acl '%s'", name->text);
		first = find_acl(acls, name->text);
		if (first != NULL && first != at)
			conf_error(acls->conf, at, "attempt to redefine acl "
			    "'%s' previous definition: %s:%u", name->text,
			    first->file, first->line);
		acls->is_checking = true;
		acls_add(acls, at, name->next->block);
		acls->is_checking = false;
		acls->count = rows;
	}
}
