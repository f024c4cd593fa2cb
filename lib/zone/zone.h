/*
 * zone - one zone as its master file tells it: names, RRsets, checks
 *
 * The loader's own form, with pointers; build.h makes an image of it. It
 * reads what BIND reads and refuses what BIND refuses, in BIND's words with
 * file and line.
 */

#ifndef ZONE_H
#define ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "dns/dns.h"

struct zone_rdata {
	struct zone_rdata *next;
	uint16_t length;
	uint8_t	 octets[];
};

struct zone_rrset {
	struct zone_rrset *next;
	uint16_t type;
	uint16_t covers;	/* of RRSIG: the type that it signs, one RRset each; else 0 */
	uint16_t count;
	uint32_t ttl;
	uint32_t run;		/* in which a record was added last */
	struct zone_rdata *first;
	struct zone_rdata **tail;
};

/* A name of the zone, or an empty non-terminal. */
struct zone_owner {
	struct zone_owner *next;	/* in the order of the file; parents come first */
	struct zone_owner *parent;	/* NULL at the apex */
	struct zone_rrset *rrsets;
	uint64_t hash;			/* zone_path_init() of its name */
	struct zone_owner *cut;		/* the builder's */
	struct zone_owner *wildcard;
	uint32_t place;
	bool	 is_hidden;
	bool	 is_nsec3;		/* a hash, which is no name of the zone */
	uint8_t	 length;
	uint8_t	 name[];
};

/* What becomes of a zone in which a check finds something. */
enum verdict { VERDICT_FAIL, VERDICT_WARN, VERDICT_IGNORE };

/* The hash stands beside the owner: with a million names each look at one is a wait for memory. */
struct zone_slot {
	uint64_t hash;
	struct zone_owner *owner;	/* NULL: empty */
};

/* How a zone is to be read. */
struct zone_rules {
	uint32_t check_names;		/* enum verdict */
	uint32_t check_dup_records;
	uint32_t check_mx;		/* an address in place of a name */
	uint32_t check_ns;
	uint32_t check_mx_cname;
	uint32_t check_srv_cname;
	uint32_t check_spf;
	uint32_t check_integrity;	/* do targets have addresses? */
	uint32_t check_sibling;		/* glue that stands beside a delegation */
	uint32_t check_wildcard;	/* names that no wildcard serves */
	uint32_t max_records;		/* of the zone; 0: any number */
	uint32_t records_per_type;	/* at most; 0: any number */
	uint32_t types_per_name;
	uint32_t max_ttl;		/* 0: any */
	bool	 many_errors;		/* tell all, not the first */
};

struct zone {
	struct pool *pool;
	struct dns_name apex;
	char	 text[DNS_NAME_TEXT];	/* the apex as logs show it */
	const struct zone_rules *rules;
	const char *file;		/* while it is read: includes are looked for beneath it */
	size_t	 record_count;
	uint32_t run;			/* of records in a row with one owner: they share a TTL */
	const uint64_t *seed;
	struct zone_owner *first;	/* the apex, once the zone is loaded */
	struct zone_owner **tail;
	struct zone_slot *slots;	/* by hash; a power of two */
	size_t	 slot_count;
	size_t	 owner_count;
};

/*
 * Read a zone from its master file and check it; what is wrong goes to the
 * log. Keeps rules and seed. NULL if it must not be served. Released with
 * zone_free().
 */
struct zone *zone_load(const struct dns_name *apex, const char *file,
	    const struct zone_rules *rules, const uint64_t seed[2]);

/* Why the last zone that was read must not be served, as its log line says it. */
extern char zone_trouble[256];

/* The same from memory; name is what the log calls it. */
struct zone *zone_read(const struct dns_name *apex, const char *name,
	    const char *bytes, size_t length, const struct zone_rules *rules,
	    const uint64_t seed[2]);

/* A zone with nothing but the name of its apex. */
struct zone *zone_new(const struct dns_name *apex,
	    const struct zone_rules *rules, const uint64_t seed[2]);

void	zone_free(struct zone **zone);

/* The owner of a name, NULL if the zone has none. */
struct zone_owner *zone_find(const struct zone *zone, const uint8_t *name);

/* The same, made with all names between it and the apex if need be. NULL out of memory. */
struct zone_owner *zone_get_owner(struct zone *zone, const uint8_t *name);

struct zone_rrset *zone_find_rrset(const struct zone_owner *owner,
	    uint16_t type);

/* The signatures of one type's RRset. */
struct zone_rrset *zone_find_signatures(const struct zone_owner *owner,
	    uint16_t covers);

/*
 * Add a record. 0: added, or there already; -1 with *why. If its TTL is not
 * that of the RRset: in a run the first one's stays and *ttl becomes it;
 * another run's takes its place, as in BIND.
 */
int	zone_add(struct zone *zone, struct zone_owner *owner, uint16_t type,
	    uint32_t *ttl, const uint8_t *rdata, uint16_t length,
	    const char **why);

/* Remove a record; its owner stays. False: it is not there. */
bool	zone_remove(struct zone_owner *owner, uint16_t type,
	    const uint8_t *rdata, uint16_t length);

/* The name in a record's data that additional addresses belong to, NULL if its type has none. */
const uint8_t *zone_target(const struct zone_owner *owner, uint16_t type,
	    const struct zone_rdata *rdata);

/* check.c: the zone as a whole. False: it must not be served. */
bool	zone_check(const struct zone *zone);

/* master.c: a file, or what is in bytes, into the zone. 0, or -1 with *why, logged. */
int	zone_parse(struct zone *zone, const char *name, const char *bytes,
	    size_t length, const char **why);

#endif
