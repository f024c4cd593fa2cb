/*
 * postroad-checkconf - is named.conf good?
 *
 * Reads it as named-lite(8) does and says what is wrong, in the words and
 * with the options of BIND's named-checkconf; with -z the zones, too.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named/settings.h"
#include "tools/shared/named.h"
#include "zone/zone.h"

static struct {
	const char *root;
	const char *file;
	bool	 prints, hides_secrets, lists, loads_zones;
} o = { .file = "/etc/bind/named.conf" };

static void
usage(void)
{
	fprintf(stderr, "usage: postroad-checkconf [-chijlvz] [-p [-x]] "
	    "[-t directory] [named.conf]\n");
	exit(EXIT_FAILURE);
}

static void
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "chijlpt:vxz")) != -1) {
		switch (option) {
		case 'c':
		case 'i':
		case 'j':
			break;
		case 'l':
			o.lists = true;
			break;
		case 'p':
			o.prints = true;
			break;
		case 't':
			o.root = optarg;
			break;
		case 'v':
			named_print_version();
		case 'x':
			o.hides_secrets = true;
			break;
		case 'z':
			o.loads_zones = true;
			break;
		default:
			usage();
		}
	}
	if (optind < argc)
		o.file = argv[optind++];
	if (optind < argc || (o.hides_secrets && !o.prints))
		usage();
}

/* As named-checkconf -l: zone, class, view, type. */
static void
list_zones(const struct settings *settings)
{
	for (size_t i = 0; i < settings->zone_count; i++)
		printf("%s IN _default %s\n", settings->zones[i].name,
		    settings->zones[i].type_name);
}

/* Load what named-lite would load. False: something is wrong. */
static bool
load_zones(const struct settings *settings)
{
	static const uint64_t seed[2] = { 1, 3 };
	bool good = true;

	for (size_t i = 0; i < settings->zone_count; i++) {
		const struct zone_settings *from = &settings->zones[i];
		struct zone *zone;

		if (from->type != ZONE_PRIMARY)
			continue;
		zone = zone_load(&from->apex, from->file, &from->options.rules,
		    seed);
		if (zone != NULL) {
			const struct zone_rdata *soa = zone_find_rrset(
			    zone->first, DNS_TYPE_SOA)->first;

			log_info("zone %s/IN: loaded serial %" PRIu32,
			    zone->text, dns_get32(soa->octets + soa->length -
			    20));
		} else {
			log_error("_default/%s/IN: bad zone", from->name);
			good = false;
		}
		zone_free(&zone);
	}
	return good;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	bool good;

	read_options(argc, argv);
	named_lines_go_to(stdout);
	named_enter(o.root, NULL);
	good = settings_read(&settings, o.file, 0) == 0;
	if (settings.directory != NULL && chdir(settings.directory) == -1) {
		log_error("change directory to '%s' failed: %m",
		    settings.directory);
		good = false;
	}
	if (good && o.lists)
		list_zones(&settings);
	if (good && o.prints)
		conf_print(&settings.conf, o.hides_secrets, stdout);
	if (good && o.loads_zones)
		good = load_zones(&settings);
	settings_clear(&settings);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
