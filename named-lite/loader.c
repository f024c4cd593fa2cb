#include "named-lite/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/build.h"
#include "named-lite/control.h"
#include "named-lite/revive.h"
#include "named/settings.h"

/*
 * An address of this host. BIND binds each one by itself, so that answers
 * leave from where the question went and another server on another address
 * is left alone; so do we.
 */
static void
add_address(struct control_loaded *loaded, const struct acl_interface *from,
    uint16_t port)
{
	struct control_address *to = &loaded->addresses[loaded->count];

	if (loaded->count == CONTROL_ADDRESSES_MAX) {
		log_warning("more than %d addresses to listen on: the rest is "
		    "left out", CONTROL_ADDRESSES_MAX);
		return;
	}
	memset(to, 0, sizeof(*to));
	memcpy(&to->socket, &from->address, sizeof(to->socket));
	if (to->socket.any.sa_family == AF_INET)
		to->socket.four.sin_port = htons(port);
	else
		to->socket.six.sin6_port = htons(port);
	for (unsigned i = 0; i < loaded->count; i++)
		if (memcmp(&loaded->addresses[i].socket, &to->socket,
		    sizeof(to->socket)) == 0)
			return;
	strlcpy(to->interface, from->name, sizeof(to->interface));
	loaded->count++;
}

/* All of 127/8 is this host's, whatever its interfaces say. */
static void
add_loopback(struct control_loaded *loaded, const struct listen_on *listen,
    const struct image_match *list)
{
	struct acl_interface lo = { .name = "lo", .prefix = 8 };
	struct sockaddr_in *address = (struct sockaddr_in *)&lo.address;

	for (const struct image_match *row = list + 1;
	    row < list + 1 + list->count; row++) {
		if (row->kind == MATCH_LIST)
			row += row->count;
		else if (row->kind == MATCH_IPV4 && !row->negated &&
		    row->prefix == 32 && row->address[0] == 127) {
			address->sin_family = AF_INET;
			memcpy(&address->sin_addr, row->address, 4);
			add_address(loaded, &lo, listen->port);
		}
	}
}

static void
choose_addresses(struct control_loaded *loaded, const struct settings *settings,
    const struct options *options)
{
	const struct acls *acls = &settings->acls;

	for (size_t i = 0; i < settings->listen_count; i++) {
		const struct listen_on *listen = &settings->listens[i];

		if ((listen->family == AF_INET && options->only_six) ||
		    (listen->family == AF_INET6 && options->only_four))
			continue;
		for (size_t n = 0; n < acls->interface_count; n++) {
			const struct sockaddr *address = (const struct
			    sockaddr *)&acls->interfaces[n].address;

			if (address->sa_family == listen->family &&
			    acls_allow(acls, listen->acl, address))
				add_address(loaded, &acls->interfaces[n],
				    listen->port);
		}
		if (listen->acl != 0)
			add_loopback(loaded, listen, acls->rows + listen->acl);
	}
}

static uint32_t
serial_of(const struct zone *zone)
{
	const struct zone_rdata *soa = zone_find_rrset(zone->first,
	    DNS_TYPE_SOA)->first;

	return dns_get32(soa->octets + soa->length - 20);
}

static struct zone *
load_zone(const struct zone_settings *from, const uint64_t *seed,
    const struct image *served)
{
	struct zone *zone = zone_load(&from->apex, from->file, &from->options.rules,
	    seed);

	if (zone != NULL) {
		log_info("zone %s/IN: loaded serial %u", zone->text,
		    serial_of(zone));
		return zone;
	}
	if (served->base != NULL)
		zone = revive_zone(served, &from->apex, &from->options.rules, seed);
	if (zone != NULL)
		log_info("zone %s/IN: serial %u is served on", zone->text,
		    serial_of(zone));
	return zone;
}

static void
load_zones(struct build_zone *zones, const struct settings *settings,
    const uint64_t *seed, const struct image *served)
{
	for (size_t i = 0; i < settings->zone_count; i++) {
		const struct zone_settings *from = &settings->zones[i];

		zones[i].apex = &from->apex;
		zones[i].acl = from->options.allow_query;
		if (from->type == ZONE_PRIMARY)
			zones[i].zone = load_zone(from, seed, served);
	}
	log_info("all zones loaded");
}

static int
hand_over(const struct settings *settings, const struct options *options,
    int image, int fd)
{
	static struct control_loaded loaded;

	choose_addresses(&loaded, settings, options);
	if (control_send(fd, &loaded, sizeof(loaded), &image, 1) == -1) {
		log_error("cannot hand over the zones: %m");
		return -1;
	}
	return 0;
}

static int
build(const struct settings *settings, const struct build_zone *zones)
{
	struct build build = {
		.zones = zones,
		.zone_count = settings->zone_count,
		.acls = settings->acls.rows,
		.acl_count = settings->acls.count,
		.version = settings->version,
		.hostname = settings->hostname,
		.server_id = settings->server_id,
		.settings = settings->image,
	};
	int image = build_image(&build);

	if (image == -1)
		log_error("cannot build the image of the zones: %m");
	return image;
}

/* All zones in an image. A descriptor, or -1, logged. */
static int
load_image(struct settings *settings, int served_fd)
{
	struct image served = { NULL, NULL, 0 };
	uint64_t *seed = settings->image.seed;
	struct build_zone *zones = mem_zalloc(settings->zone_count + 1,
	    sizeof(*zones));

	arc4random_buf(seed, sizeof(settings->image.seed));
	seed[1] |= 1;		/* a factor, which must not be 0 */
	if (served_fd != -1 && image_map(&served, served_fd) == -1)
		log_warning("cannot look at what is being served: %m");
	load_zones(zones, settings, seed, &served);
	return build(settings, zones);
}

/* The process ends soon: what it has in memory goes with it. */
int
loader_run(const struct options *options, enum loader_job job, int fd,
    int served)
{
	struct settings settings;
	int image = served;

	log_info("loading configuration from '%s'", options->config);
	if (settings_read(&settings, options->config, options->port) == -1) {
		log_error("loading configuration: failure");
		return EXIT_FAILURE;
	}
	if (settings.directory != NULL && chdir(settings.directory) == -1) {
		log_error("options: change directory to '%s' failed: %s",
		    settings.directory, strerror(errno));
		log_error("loading configuration: failure");
		return EXIT_FAILURE;
	}
	if (job == LOADER_ALL)
		image = load_image(&settings, served);
	return image != -1 && hand_over(&settings, options, image, fd) == 0 ?
	    EXIT_SUCCESS : EXIT_FAILURE;
}
