/*
 * canonical - addresses as the world is to see them
 *
 * sender_canonical_maps or recipient_canonical_maps, then canonical_maps,
 * then masquerade_domains: each where its classes say, in envelope and
 * header. What a table gives is looked up in it again until it stands for itself.
 */

#include "cleanup/cleanup.h"

#include <string.h>

#include "config/config.h"
#include "rewrite/rewrite.h"
#include "table/asker.h"

/* A table is asked this often for one address. */
#define STEPS_MAX	10

#define OF_SENDERS	(REWRITE_ENVELOPE_SENDER | REWRITE_HEADER_SENDER)
#define OF_RECIPIENTS	(REWRITE_ENVELOPE_RECIPIENT | REWRITE_HEADER_RECIPIENT)

/* In the order in which they are asked. */
static struct table {
	const char	*parameter;
	struct maps	*maps;
	int		 classes;
} tables[3];

static bool propagates;

static void
open_table(struct table *table, const char *parameter, const char *maps,
    int classes)
{
	*table = (struct table){ .parameter = parameter,
	    .maps = maps_open(parameter, maps), .classes = classes };
}

void
canonical_open(void)
{
	open_table(&tables[0], "sender_canonical_maps",
	    config.sender_canonical_maps, OF_SENDERS & rewrite_classes(
	    "sender_canonical_classes", config.sender_canonical_classes));
	open_table(&tables[1], "recipient_canonical_maps",
	    config.recipient_canonical_maps, OF_RECIPIENTS & rewrite_classes(
	    "recipient_canonical_classes", config.recipient_canonical_classes));
	open_table(&tables[2], "canonical_maps", config.canonical_maps,
	    rewrite_classes("canonical_classes", config.canonical_classes));
	propagates = rewrite_propagates("canonical");
	masquerade_open();
}

static int
complete_local(const char *address, struct text *out)
{
	return rewrite_internal("local", address, out);
}

static int
look_up(struct submission *submission, const struct table *table,
    struct text *address)
{
	bool changed = true;
	int steps = 0;

	while (changed && steps < STEPS_MAX) {
		if (rewrite_map(table->maps, address, propagates,
		    complete_local, &changed) == TABLE_ERROR) {
			submission_refuse(submission, 451, "4.3.0",
			    "Error: canonical table lookup problem");
			return -1;
		}
		steps += changed;
	}
	if (steps == STEPS_MAX && !table_is_asking())
		log_warning("%s: unreasonable %s map nesting for %s",
		    submission->id, table->parameter, text_string(address));
	return 0;
}

int
canonical_rewrite(struct submission *submission, int class,
    struct text *address)
{
	if ((submission->envelope->flags & ENVELOPE_NO_EXPAND) ||
	    address->length == 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		if ((tables[i].classes & class) == 0 ||
		    maps_are_empty(tables[i].maps))
			continue;
		if (look_up(submission, &tables[i], address) == -1)
			return -1;
	}
	switch (masquerade(class, address)) {
	case TABLE_ERROR:
		submission_refuse(submission, 451, "4.3.0",
		    "Error: masquerade table lookup problem");
		return -1;
	default:
		return 0;
	}
}
