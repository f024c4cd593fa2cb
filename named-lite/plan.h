/*
 * plan - what named.conf said when it was last accepted, and what became of each zone
 *
 * Made by the loader beside the image, whose zones have the same numbers;
 * sealed, and read by all other processes. An answerer finds in it who may
 * have a zone and the keys; the envoy, where zones come from and whom to
 * notify; a later load of single zones, all that it needs, so that a
 * named.conf that is being edited has no effect before it is reloaded.
 */

#ifndef NAMED_LITE_PLAN_H
#define NAMED_LITE_PLAN_H

#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/key.h"
#include "named-lite/control.h"
#include "named/settings.h"
#include "zone/zone.h"

#define PLAN_MAGIC	0x706f7374706c616eULL
#define PLAN_CHANNEL_KEYS	8

/* Text, by its offset in the plan; 0 is none. */
typedef uint32_t plan_text;

struct plan_list {
	uint32_t first;
	uint32_t count;
};

struct plan_remote {
	union control_socket address;
	union control_socket source;	/* family 0: any */
	uint32_t key;			/* its number, 0 none */
	uint32_t request_ixfr;
	uint32_t request_expire;
	uint32_t bogus;			/* not to be asked */
};

/* A server statement: what it says of those whom we answer. */
struct plan_peer {
	struct image_match prefix;
	uint32_t transfer_format;	/* UNSET: as all others */
	uint32_t provide_ixfr;
};

struct plan_channel {
	union control_socket address;
	uint32_t acl;
	uint32_t read_only;
	uint32_t key_count;
	uint32_t keys[PLAN_CHANNEL_KEYS];	/* numbers */
};

/* Where log lines go. */
struct plan_log {
	plan_text file;
	struct log_form form;
};

/* What became of an order to load a zone. */
enum load_outcome {
	LOAD_FAILED,
	LOAD_FIRST,		/* there was nothing to be served before */
	LOAD_AGAIN,
	LOAD_UP_TO_DATE,	/* its files are as they were */
};

struct plan_zone {
	struct dns_name apex;
	plan_text name;			/* as logs show it */
	plan_text file;
	plan_text type_name;
	uint32_t type;			/* enum zone_type */
	struct zone_rules rules;
	uint32_t allow_query, allow_query_on, allow_transfer, allow_notify;
	struct plan_list primaries;	/* remotes */
	struct plan_list also_notify;
	uint32_t notify;		/* enum notify_mode */
	uint32_t notify_delay;
	uint32_t notify_to_soa;
	union control_socket notify_source[2];	/* IPv4, IPv6 */
	uint32_t multi_master;
	uint32_t try_tcp_refresh;
	uint32_t max_ixfr_ratio;
	uint32_t ixfr_from_differences;
	uint64_t max_journal_size;
	uint32_t refresh_bounds[2], retry_bounds[2];	/* seconds: least, most */
	uint32_t max_time_in, max_idle_in;	/* seconds */
	uint32_t max_time_out, max_idle_out;

	/* How it was loaded. */
	bool	 is_loaded;
	bool	 has_expired;
	bool	 is_secure;		/* it has keys */
	uint32_t outcome;		/* enum load_outcome: of the last attempt */
	plan_text why;			/* it failed: why */
	plan_text sources;		/* paths of what it was read from, each with its NUL */
	uint32_t sources_length;
	uint64_t print;			/* of them, as they were then (zone/source.h) */
	uint32_t serial, refresh, retry, expire, minimum;
	uint32_t nodes, records;
	int64_t	 loaded_at;		/* seconds since 1970 */
	int64_t	 confirmed_at;		/* by a primary */
};

struct plan_header {
	uint64_t magic;
	uint64_t size;
	uint32_t zone_count, remote_count, peer_count, key_count;
	uint32_t tsig_key_count;	/* the others, behind, are for rndc alone */
	uint32_t channel_count;
	uint32_t log_count;
	uint32_t zones, remotes, peers, keys, channels, logs;	/* offsets in octets */
	plan_text config;
	plan_text directory;
	plan_text pid_file;		/* 0: none is written */
	plan_text view;			/* 0: "_default" */
	plan_text version, hostname, server_id;
	int64_t	 configured_us;		/* microseconds since 1970 */
	uint32_t has_logging;		/* a statement of that name: the scribe writes */
	uint64_t log_categories[LOG_CATEGORIES];	/* bit n: into row n of logs */
	uint64_t log_asked;		/* bit n: category n is named */
	uint32_t querylog;
	uint32_t transfers_in, transfers_out, transfers_per_ns;
	uint32_t transfer_format, transfer_message_size;
	uint32_t provide_ixfr;
	uint32_t serial_query_rate;
	uint32_t notify_rate, startup_notify_rate;
};

/* A plan that is mapped. */
struct plan {
	const struct plan_header *header;
	const struct plan_zone *zones;
	const struct plan_remote *remotes;
	const struct plan_peer *peers;
	const struct dns_key *keys;
	const struct plan_channel *channels;
	const struct plan_log *logs;
	size_t	 size;
};

/* Map the sealed plan fd, which stays the caller's. 0, or -1 with errno. */
int	plan_map(struct plan *plan, int fd);
void	plan_unmap(struct plan *plan);

/* A text of it, NULL for none. */
const char *plan_string(const struct plan *plan, plan_text text);

/* What the view is called. */
const char *plan_view(const struct plan *plan);

/* The zone with that apex, NULL if there is none. */
const struct plan_zone *plan_find(const struct plan *plan,
	    const uint8_t *apex);

/* The same for one that probably has that number, as in another plan. */
const struct plan_zone *plan_find_near(const struct plan *plan,
	    uint32_t number, const uint8_t *apex);

/* Does named.conf ask for lines of that category by its name? */
bool	plan_logs(const struct plan *plan, enum log_category category);

/* The key of that number, NULL for none. */
const struct dns_key *plan_key(const struct plan *plan, uint32_t number);

#endif
