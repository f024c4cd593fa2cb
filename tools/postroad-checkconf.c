/*
 * postroad-checkconf - is named.conf good?
 *
 * Reads it as named-lite(8) does and says what is wrong, in the words and
 * with the options of BIND's named-checkconf; with -z the zones, too, and
 * with -m what is wrong with them for mail.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named/lint.h"
#include "named/site.h"
#include "tools/shared/named.h"
#include "zone/zone.h"

static struct {
	const char *root;
	const char *file;
	bool	 prints, hides_secrets, lists, loads_zones, lints;
} o = { .file = "/etc/bind/named.conf" };

static void
usage(void)
{
	fprintf(stderr, "usage: postroad-checkconf [-chijlmvz] [-p [-x]] "
	    "[-t directory] [named.conf]\n");
	exit(EXIT_FAILURE);
}

static void
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "chijlmpt:vxz")) != -1) {
		switch (option) {
		case 'c':
		case 'i':
		case 'j':
			break;
		case 'l':
			o.lists = true;
			break;
		case 'm':
			o.lints = true;
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

/* What named-lite would serve. False: something is wrong. */
static bool
tell_zones(const struct site *site)
{
	bool good = true;

	for (size_t i = 0; i < site->settings.zone_count; i++) {
		const struct site_zone *from = &site->zones[i];
		const struct zone_rdata *soa;

		if (from->settings->type != ZONE_PRIMARY)
			continue;
		if (from->zone == NULL) {
			log_error("_default/%s/IN: bad zone",
			    from->settings->name);
			good = false;
			continue;
		}
		soa = zone_find_rrset(from->zone->first, DNS_TYPE_SOA)->first;
		if (!o.lints)
			log_info("zone %s/IN: loaded serial %" PRIu32,
			    from->zone->text, dns_get32(soa->octets +
			    soa->length - 20));
	}
	return good;
}

/* The zones of a configuration that is good. */
static bool
check_zones(void)
{
	struct site site;
	bool good;

	if (o.lints)
		named_lines_go_to(NULL);
	good = site_load(&site, o.file) == 0;
	named_lines_go_to(stdout);
	good = good && tell_zones(&site);
	if (good && o.lints)
		good = lint(&site) == 0;
	site_clear(&site);
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
	if (settings.directory != NULL && access(settings.directory,
	    X_OK) == -1) {
		log_error("change directory to '%s' failed: %m",
		    settings.directory);
		good = false;
	}
	if (good && o.lists)
		list_zones(&settings);
	if (good && o.prints)
		conf_print(&settings.conf, o.hides_secrets, stdout);
	settings_clear(&settings);
	if (good && (o.loads_zones || o.lints))
		good = check_zones();
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
