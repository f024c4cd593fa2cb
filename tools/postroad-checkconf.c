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
#include "config/config.h"
#include "named/lint.h"
#include "named/site.h"
#include "tools/shared/named.h"
#include "zone/zone.h"

static struct {
	const char *root;
	const char *file;
	bool	 prints, hides_secrets, lists, loads_zones, lints;
} o;

__attribute__((noreturn)) static void
usage(int code)
{
	fprintf(stderr, "usage: %s [-chijlmvz] [-p [-x]] "
	    "[-t directory] [named.conf]\n", getprogname());
	exit(code);
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
		case 'h':
			usage(EXIT_SUCCESS);
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
			usage(EXIT_FAILURE);
		}
	}
	if (optind < argc)
		o.file = argv[optind++];
	if (optind < argc)
		usage(EXIT_FAILURE);
	if (o.hides_secrets && !o.prints) {
		fprintf(stderr, "%s: -x cannot be used "
		    "without -p\n", getprogname());
		exit(EXIT_FAILURE);
	}
}

static const struct conf_item *
word_after(const struct conf_statement *list, const char *name)
{
	while (list != NULL && !conf_is(list, name))
		list = list->next;
	return list != NULL ? list->items->next : NULL;
}

/* As named-checkconf -l: zone, class, view, type, in the words of the file. */
static void
list_zones(const struct settings *settings)
{
	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next) {
		const struct conf_item *item = at->items->next, *type;

		if (!conf_is(at, "zone"))
			continue;
		while (item != NULL && item->kind != CONF_BLOCK)
			item = item->next;
		type = item != NULL ? word_after(item->block, "type") : NULL;
		printf("%s IN %s %s\n", at->items->next->text,
		    settings->view != NULL ? settings->view : "_default",
		    type != NULL ? type->text : "in-view");
	}
}

static struct site site;
static bool zones_are_good = true;

/* What named-lite would serve. */
static void
tell_zone(const struct site_zone *from)
{
	const struct zone_rdata *soa;

	if (from->zone == NULL) {
		fprintf(stderr, "%s/%s/IN: %s\n",
		    site.settings.view != NULL ? site.settings.view :
		    "_default", from->settings->name,
		    zone_trouble_in_short(from->trouble));
		zones_are_good = false;
	} else if (!o.lints) {
		soa = zone_find_rrset(from->zone->first, DNS_TYPE_SOA)->first;
		log_info("zone %s/IN: loaded serial %" PRIu32,
		    from->zone->text, dns_get32(soa->octets +
		    soa->length - 20));
	}
}

/* named.conf alone: what is wrong is told by who reads it. */
static bool
check_settings(struct settings *settings)
{
	bool good = settings_read(settings, o.file, 0) == 0;

	if (settings->directory != NULL && access(settings->directory,
	    X_OK) == -1) {
		log_error("change directory to '%s' failed: %s",
		    settings->directory, named_explain());
		good = false;
	}
	return good;
}

/* With its zones. */
static bool
check_site(void)
{
	bool good;

	if (o.lints)
		named_lines_go_to(NULL);
	good = site_load(&site, o.file, tell_zone) == 0;
	named_lines_go_to(stdout);
	if (good && o.lints)
		good = lint(&site) == 0;
	return good && zones_are_good;
}

/* Read once more: a view has been unfolded. */
static void
print_file(void)
{
	struct conf conf;

	if (conf_read(&conf, o.file) == 0)
		conf_print(&conf, o.hides_secrets, stdout);
	conf_clear(&conf);
}

int
main(int argc, char **argv)
{
	bool good;

	o.file = mem_printf("%s/named.conf", named_directory);
	read_options(argc, argv);
	named_lines_go_to(stdout);
	named_enter(o.root, NULL);
	good = (o.loads_zones || o.lints) && !o.lists ? check_site() :
	    check_settings(&site.settings);
	if (good && o.lists)
		list_zones(&site.settings);
	else if (good && o.prints)
		print_file();
	site_clear(&site);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
