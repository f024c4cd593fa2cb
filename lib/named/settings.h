/*
 * settings - what named.conf asks for, checked
 *
 * Every statement that BIND knows is a row of statements.def: served, of no
 * concern to an authoritative server, or not served, which is told where the
 * administrator must know it and is an error where going on without it would
 * be less safe or answer differently.
 */

#ifndef NAMED_SETTINGS_H
#define NAMED_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "named/acl.h"
#include "named/conf.h"
#include "image/image.h"
#include "zone/zone.h"

#define DEFAULT_PORT	53

struct listen_on {
	int	 family;
	uint16_t port;
	uint32_t acl;		/* on which of our addresses */
};

struct zone_settings {
	struct dns_name apex;
	const char *name;	/* as written */
	const char *file;	/* NULL: not loaded, so that its names fail */
	uint32_t acl;
	bool	 has_acl;
	struct zone_rules rules;
	const struct conf_statement *at;
};

struct settings {
	struct conf conf;
	struct acls acls;
	const char *directory;
	struct listen_on *listens;
	size_t	 listen_count;
	struct zone_settings *zones;
	size_t	 zone_count;
	uint32_t acl;			/* allow-query for zones that say nothing */
	struct zone_rules rules;
	const char *version;		/* NULL: none */
	const char *hostname;
	bool	 listens_on[2];		/* IPv4, IPv6: the file said where */
	struct image_header image;	/* what goes into the image as it is */
};

/* Read named.conf. port is for listen-on without one. 0, or -1: the log says why. Released with settings_clear(). */
int	settings_read(struct settings *settings, const char *path,
	    uint16_t port);

/* The same for a file that is parsed already; takes *conf. */
int	settings_apply(struct settings *settings, struct conf *conf,
	    uint16_t port);

void	settings_clear(struct settings *settings);

#endif
