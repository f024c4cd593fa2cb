/*
 * settings - what named.conf asks for, checked
 *
 * Every statement that BIND knows is a row of statements.def: served, of no
 * concern to an authoritative server, or not served, which is told where the
 * administrator must know it and is an error where going on without it would
 * be less safe or answer differently.
 *
 *   1  After a load without errors each field has a value in its range: what
 *      the file says, or BIND's default.
 *   2  Every error and warning names file and line.
 */

#ifndef NAMED_SETTINGS_H
#define NAMED_SETTINGS_H

#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "named/acl.h"
#include "named/conf.h"
#include "named/keys.h"
#include "named/logging.h"
#include "zone/zone.h"

#define SETTINGS_VERSION	"named-lite (postroad " PACKAGE_VERSION ")"
#define DEFAULT_PORT	53
#define CONTROL_PORT	953
#define UNSET		UINT32_MAX	/* a server statement that says nothing */

struct listen_on {
	int	 family;
	uint16_t port;
	uint32_t acl;		/* on which of our addresses */
};

/* Another server: a primary, or one to notify. */
struct remote {
	struct sockaddr_storage address;	/* with its port */
	uint32_t key;		/* 0: the one of its server statement, if any */
#define REMOTE_KEY_MISSING	UINT32_MAX	/* it is to be signed with one that is not there */
};

struct remotes {
	struct remote *list;
	size_t	 count;
};

/* server ADDRESS { ... }; what says nothing is UNSET, key 0, sources without a family. */
struct server_settings {
	struct image_match prefix;
	uint32_t key;
	uint32_t bogus;
	uint32_t transfers;
	uint32_t transfer_format;
	uint32_t provide_ixfr;
	uint32_t request_ixfr;
	uint32_t request_expire;
	struct sockaddr_in notify_source, transfer_source;
	struct sockaddr_in6 notify_source_v6, transfer_source_v6;
	const struct conf_statement *at;
};

enum notify_mode { NOTIFY_NO, NOTIFY_YES, NOTIFY_EXPLICIT,
    NOTIFY_PRIMARY_ONLY };
enum transfer_format { TRANSFER_MANY_ANSWERS, TRANSFER_ONE_ANSWER };

/* What may stand in options, for all zones, and in a zone. */
struct zone_options {
	struct zone_rules rules;
	uint32_t allow_query;	/* address match lists */
	uint32_t allow_query_on;	/* of our own addresses */
	uint32_t allow_transfer;
	uint32_t allow_notify;	/* besides the primaries */
	struct remotes also_notify;
	struct remotes primaries;	/* of a secondary */
	uint32_t notify;	/* enum notify_mode */
	uint32_t notify_delay;	/* seconds */
	uint32_t notify_to_soa;
	uint32_t multi_master;
	uint32_t request_ixfr;
	uint32_t request_expire;
	uint32_t try_tcp_refresh;
	uint32_t ixfr_from_differences;
	uint32_t max_ixfr_ratio;	/* per cent; 0: any */
	uint64_t max_journal_size;	/* octets of what IXFR may draw on */
	uint32_t min_refresh_time, max_refresh_time;	/* seconds */
	uint32_t min_retry_time, max_retry_time;
	uint32_t max_transfer_time_in, max_transfer_time_out;	/* minutes */
	uint32_t max_transfer_idle_in, max_transfer_idle_out;
	struct sockaddr_in notify_source, transfer_source;	/* no family: any */
	struct sockaddr_in6 notify_source_v6, transfer_source_v6;
};

enum zone_type {
	ZONE_PRIMARY,
	ZONE_SECONDARY,
	ZONE_UNSERVED,		/* known, and not served: its names fail */
};

struct zone_settings {
	struct dns_name apex;
	const char *name;	/* as written */
	enum zone_type type;
	const char *type_name;	/* "primary", in BIND's words */
	const char *file;	/* NULL: a secondary that keeps no copy, or unserved */
	struct zone_options options;
	const struct conf_statement *at;
};

/* inet of controls: where rndc is heard. */
struct control_channel {
	struct sockaddr_storage address;
	uint32_t acl;
	uint32_t *keys;		/* their numbers; none: the key file that is made at start */
	size_t	 key_count;
	uint32_t read_only;
};

struct settings {
	struct conf conf;
	struct keys keys;
	struct acls acls;
	const char *view;		/* the single one, which is the same as none; NULL: none */
	const char *directory;
	uint16_t port;			/* where nothing else is said */
	struct listen_on *listens;
	size_t	 listen_count;
	struct server_settings *servers;
	size_t	 server_count;
	struct control_channel *controls;
	size_t	 control_count;
	bool	 has_controls;		/* if not: loopback addresses, port 953, the key file */
	struct zone_settings *zones;
	size_t	 zone_count;
	struct zone_options options;	/* for zones that say nothing */
	uint32_t check_names[2];	/* by enum zone_type */
	bool	 ixfr_from_differences[2];
	const char *version;		/* NULL: none */
	const char *hostname;
	const char *server_id;
	const char *pid_file;		/* NULL: none */
#define DEFAULT_PID_FILE	"/run/named/named.pid"	/* if there is such a directory */
	struct logging logging;
	uint32_t querylog;
	uint32_t transfers_in, transfers_out, transfers_per_ns;
	uint32_t transfer_format;
	uint32_t transfer_message_size;
	uint32_t provide_ixfr;
	uint32_t serial_query_rate;	/* a second */
	uint32_t notify_rate, startup_notify_rate;
	uint32_t tcp_listen_queue;
	bool	 listens_on[2];		/* IPv4, IPv6: the file said where */
	struct image_header image;	/* what answers depend on: goes into the image as it is */
};

/*
 * Read named.conf. port is the one of the command line, 0 if there is none.
 * 0, or -1: the log says why. Released with settings_clear().
 */
int	settings_read(struct settings *settings, const char *path,
	    uint16_t port);

/* The same for a file that is parsed already; takes *conf. */
int	settings_apply(struct settings *settings, struct conf *conf,
	    uint16_t port);

void	settings_clear(struct settings *settings);

#endif
