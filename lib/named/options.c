/* options - statements whose form is their own, of options and of zones */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "named/statements.h"

void
set_directory(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape string = STRING;

	value_read(to, at, &string, &to->settings->directory);
}

/* It was read before all others, which need it. */
void
set_port(struct target *to, const struct conf_statement *at)
{
	value_port(to, at, at->items->next);
}

void
set_listen_on(struct target *to, const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	const struct conf_item *item = at->items->next;
	struct listen_on listen = { .port = to->port };
	bool six = strcasecmp(at->items->text, "listen-on-v6") == 0;
	unsigned errors = settings->conf.errors;

	listen.family = six ? AF_INET6 : AF_INET;
	settings->listens_on[six] = true;
	while (item != NULL && item->kind == CONF_WORD && item->next != NULL) {
		if (strcasecmp(item->text, "port") == 0) {
			int port = value_port(to, at, item->next);

			if (port == -1)
				return;
			listen.port = port;
		} else {
			conf_error(&settings->conf, at, "'%s %s' of '%s' is "
			    "not served", item->text, item->next->text != NULL ?
			    item->next->text : "{", at->items->text);
			return;
		}
		item = item->next->next;
	}

	const struct conf_statement *list = value_block(to, at, item);

	if (settings->conf.errors > errors)
		return;
	listen.acl = acls_add(&settings->acls, at, list);
	settings->listens = mem_resize(settings->listens,
	    settings->listen_count + 1, sizeof(listen));
	settings->listens[settings->listen_count++] = listen;
}

/* [port N] [transport T] { ... } */
void
set_allow_transfer(struct target *to, const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	const struct conf_item *item = at->items->next;
	unsigned errors = settings->conf.errors;

	while (item != NULL && item->kind == CONF_WORD && item->next != NULL) {
		if (strcasecmp(item->text, "port") == 0)
			conf_error(&settings->conf, at, "'port' of '%s' is not "
			    "served", at->items->text);
		else if (strcasecmp(item->text, "transport") != 0 ||
		    item->next->text == NULL ||
		    strcasecmp(item->next->text, "tcp") != 0)
			conf_error(&settings->conf, at, "'%s %s' of '%s' is "
			    "not served", item->text, item->next->text != NULL ?
			    item->next->text : "{", at->items->text);
		item = item->next->next;
	}

	const struct conf_statement *list = value_block(to, at, item);

	if (settings->conf.errors == errors)
		to->options->allow_transfer = acls_add(&settings->acls, at,
		    list);
}

void
set_blackhole(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape acl = ACL;
	struct settings *settings = to->settings;
	size_t rows = settings->acls.count;

	value_read(to, at, &acl, &settings->image.blackhole);
	/* 0 is "no blackhole" here: everybody needs a row. */
	if (settings->image.blackhole == 0 && settings->acls.count == rows)
		settings->image.blackhole = acls_add_simple(&settings->acls,
		    true);
}

/* quoted | none | hostname */
void
set_server_id(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape text = TEXT;
	struct settings *settings = to->settings;
	const struct conf_item *item = at->items->next;
	static char host[256];

	value_read(to, at, &text, &settings->server_id);
	if (item != NULL && item->kind == CONF_WORD &&
	    strcasecmp(item->text, "hostname") == 0 &&
	    gethostname(host, sizeof(host) - 1) == 0)
		settings->server_id = host;
}

/* check-names [primary|secondary|response] fail|warn|ignore */
void
set_check_names(struct target *to, const struct conf_statement *at)
{
	static const char *const verdicts[] = { "fail", "warn", "ignore" };
	struct settings *settings = to->settings;
	const struct conf_item *item = at->items->next;
	uint32_t response, *field = &response;

	if (to->zone != NULL)
		field = &to->options->rules.check_names;
	else if (item != NULL && item->text != NULL) {
		if (strcasecmp(item->text, "primary") == 0 ||
		    strcasecmp(item->text, "master") == 0)
			field = &settings->check_names[ZONE_PRIMARY];
		else if (strcasecmp(item->text, "secondary") == 0 ||
		    strcasecmp(item->text, "slave") == 0)
			field = &settings->check_names[ZONE_SECONDARY];
		else if (strcasecmp(item->text, "response") != 0) {
			conf_error(&settings->conf, at, "'%s' unexpected",
			    item->text);
			return;
		}
		item = item->next;
	}
	for (size_t i = 0; item != NULL && item->text != NULL &&
	    i < COUNT_OF(verdicts); i++) {
		if (strcasecmp(item->text, verdicts[i]) == 0) {
			*field = i;
			return;
		}
	}
	conf_error(&settings->conf, at, "expected 'fail', 'warn' or 'ignore' "
	    "after 'check-names'");
}

/* In options it may say of which zones. */
void
set_ixfr_from_differences(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape choice =
	    CHOICE("no|yes|primary|secondary");
	static const struct value_shape boolean = BOOL;
	struct settings *settings = to->settings;
	uint32_t which = 0;

	if (to->zone != NULL) {
		value_read(to, at, &boolean,
		    &to->options->ixfr_from_differences);
		return;
	}
	value_read(to, at, &choice, &which);
	settings->ixfr_from_differences[ZONE_PRIMARY] = which == 1 ||
	    which == 2;
	settings->ixfr_from_differences[ZONE_SECONDARY] = which == 1 ||
	    which == 3;
}

void
set_recursion(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape boolean = BOOL;
	uint32_t recursion = 0;

	value_read(to, at, &boolean, &recursion);
	if (recursion)
		conf_warning(at, "'recursion yes': this server never recurses; "
		    "it answers for its own zones only");
}

void
set_file(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape string = STRING;

	value_read(to, at, &string, &to->zone->file);
}

void
set_masterfile_format(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = value_item(to, at);

	if (item == NULL || strcasecmp(item->text, "text") == 0)
		return;
	/* Files are read in either form. */
	if (strcasecmp(item->text, "raw") == 0) {
		if (to->zone == NULL || to->zone->type == ZONE_SECONDARY)
			conf_warning(at, "masterfile-format 'raw': files of "
			    "secondary zones are read so, and written as text");
	} else
		conf_error(&to->settings->conf, at, "'%s' unexpected",
		    item->text);
}
