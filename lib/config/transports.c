/* Parameters that every transport may have of its own: smtp_destination_..., relay_destination_... */

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/internal.h"
#include "config/values.h"

/*
 * The name here is the suffix; the default is default_... and stands with the
 * one who asks. A suffix stands above one that it ends in.
 */
#define SUFFIX(suffix, type, preset, smallest, largest, manual) \
	{ suffix, PARAMETER_##type, preset, smallest, largest, "qmgr", manual, 0 },
static const struct parameter suffixes[] = {
	SUFFIX("_destination_concurrency_limit", INT, "", 0, INT_MAX,
	    "The most deliveries at once to one destination.")
	SUFFIX("_destination_concurrency_failed_cohort_limit", INT, "", 0,
	    INT_MAX, "How many windows full of failures make a destination dead.")
	SUFFIX("_destination_concurrency_negative_feedback", FEEDBACK, "", 0, 0,
	    "What a failure takes from the window.")
	SUFFIX("_destination_concurrency_positive_feedback", FEEDBACK, "", 0, 0,
	    "What a delivery adds to the window.")
	SUFFIX("_initial_destination_concurrency", INT, "", 1, INT_MAX,
	    "How many deliveries at once a destination begins with.")
	SUFFIX("_destination_recipient_limit", INT, "", 0, INT_MAX,
	    "The most recipients in one delivery.")
	SUFFIX("_destination_rate_delay", TIME, "0s", 0, INT_MAX,
	    "The pause between two deliveries to one destination.")
	SUFFIX("_destination_rate_limit", RATE, "", 0, 0,
	    "The most recipients in a time to one destination.")
	SUFFIX("_transport_rate_delay", TIME, "0s", 0, INT_MAX,
	    "The pause between two deliveries of the transport.")
	SUFFIX("_delivery_slot_cost", INT, "", 0, INT_MAX,
	    "After how many deliveries of large messages one of a small one may overtake.")
	SUFFIX("_delivery_slot_discount", INT, "", 0, 100,
	    "The share of a slot, in percent, that need not be there yet.")
	SUFFIX("_delivery_slot_loan", INT, "", 0, INT_MAX,
	    "The slots that small messages have from the beginning.")
	SUFFIX("_minimum_delivery_slots", INT, "", 0, INT_MAX,
	    "The slots that a message must be good for to count as large.")
	SUFFIX("_recipient_refill_limit", INT, "", 1, INT_MAX,
	    "A large message takes new destinations up in portions of so many.")
	SUFFIX("_recipient_refill_delay", TIME, "0s", 1, INT_MAX,
	    "After this time a large message takes up a smaller portion, too.")
	SUFFIX("_extra_recipient_limit", INT, "", 0, INT_MAX,
	    "Beyond that for a large message that has nothing in hand.")
	SUFFIX("_recipient_limit", INT, "", 1, INT_MAX,
	    "How much of large messages a transport has in hand.")
};
#undef SUFFIX

const struct parameter *
config_transport_suffix(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(suffixes); i++)
		if (strlen(name) > strlen(suffixes[i].name) &&
		    text_ends_with(name, suffixes[i].name))
			return &suffixes[i];
	return NULL;
}

const char *
config_transport_text(const char *transport, const char *suffix,
    const char *fallback)
{
	char *name = mem_printf("%s%s", transport, suffix);
	const char *value = config_get(name);

	free(name);
	return value != NULL ? value : fallback;
}

int
config_transport_int(const char *transport, const char *suffix, int fallback)
{
	const char *value = config_transport_text(transport, suffix, NULL);

	return value != NULL ? (int)strtonum(value, 0, INT_MAX, NULL) : fallback;
}

int
config_transport_time(const char *transport, const char *suffix, int fallback)
{
	const char *value = config_transport_text(transport, suffix, NULL);
	int seconds = fallback;

	if (value != NULL)
		config_time(value, 's', &seconds);
	return seconds;
}
