/* controls - where rndc is heard, by whom, with which keys */

#include <stdlib.h>
#include <string.h>

#include "named/statements.h"

static bool
read_keys(struct target *to, const struct conf_statement *at,
    const struct conf_statement *list, struct control_channel *channel)
{
	struct settings *settings = to->settings;

	for (; list != NULL; list = list->next) {
		const char *name = list->items->text;
		uint32_t key = name != NULL ? keys_find(&settings->keys, name) :
		    0;

		if (key == 0) {
			conf_error(&settings->conf, at, "unknown key '%s'",
			    name != NULL ? name : "{");
			return false;
		}
		channel->keys = mem_resize(channel->keys,
		    channel->key_count + 1, sizeof(key));
		channel->keys[channel->key_count++] = key;
	}
	return true;
}

/* One of: allow { clients }, keys { names }, read-only yes|no. Gives what follows it; NULL with *wrong in case of an error. */
static const struct conf_item *
read_part(struct target *to, const struct conf_statement *at,
    const struct conf_item *item, struct control_channel *channel,
    bool *has_acl)
{
	const struct conf_item *value = item->next;

	if (item->text == NULL || value == NULL) {
		conf_error(&to->settings->conf, at, "expected 'allow'");
		return NULL;
	}
	if (strcasecmp(item->text, "allow") == 0 &&
	    value->kind == CONF_BLOCK) {
		channel->acl = acls_add(&to->settings->acls, at, value->block);
		*has_acl = true;
	} else if (strcasecmp(item->text, "keys") == 0 &&
	    value->kind == CONF_BLOCK) {
		if (!read_keys(to, at, value->block, channel))
			return NULL;
	} else if (strcasecmp(item->text, "read-only") == 0 &&
	    value->text != NULL)
		channel->read_only = strcasecmp(value->text, "yes") == 0 ||
		    strcasecmp(value->text, "true") == 0 ||
		    strcmp(value->text, "1") == 0;
	else {
		conf_error(&to->settings->conf, at, "'%s' unexpected",
		    item->text);
		return NULL;
	}
	return value;
}

/* inet ADDRESS|* [port N|*] allow { ... } [keys { ... }] [read-only yes] */
static void
read_inet(struct target *to, const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	struct control_channel channel = { 0 };
	const struct conf_item *item = at->items->next;
	const char *address = item != NULL ? item->text : NULL;
	int port = CONTROL_PORT;
	bool has_acl = false;

	if (address != NULL && strcmp(address, "*") == 0)
		address = "0.0.0.0";
	if (item != NULL && item->next != NULL && item->next->text != NULL &&
	    strcasecmp(item->next->text, "port") == 0) {
		item = item->next->next;
		if (item == NULL || item->text == NULL ||
		    strcmp(item->text, "*") != 0)
			port = value_port(to, at, item);
	}
	if (port == -1)
		return;
	if (address == NULL ||
	    !value_address(&channel.address, address, port)) {
		conf_error(&settings->conf, at, "expected IP address near "
		    "'%s'", address != NULL ? address : "{");
		return;
	}
	settings->controls = mem_resize(settings->controls,
	    settings->control_count + 1, sizeof(channel));
	for (item = item->next; item != NULL; item = item->next) {
		item = read_part(to, at, item, &channel, &has_acl);
		if (item == NULL)
			break;
	}
	if (item == NULL && !has_acl)
		conf_error(&settings->conf, at, "expected 'allow'");
	settings->controls[settings->control_count++] = channel;
}

void
controls_read(struct target *to)
{
	struct settings *settings = to->settings;

	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next) {
		if (!conf_is(at, "controls"))
			continue;
		settings->has_controls = true;
		for (const struct conf_statement *each = value_block(to, at,
		    at->items->next); each != NULL; each = each->next) {
			if (conf_is(each, "inet"))
				read_inet(to, each);
			else if (conf_is(each, "unix"))
				conf_error(&settings->conf, each, "unix control "
				    "channels are not supported");
			else
				conf_error(&settings->conf, each, "unknown "
				    "option '%s'", each->items->text != NULL ?
				    each->items->text : "{");
		}
	}
}
