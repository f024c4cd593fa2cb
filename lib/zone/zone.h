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
#include "zone/arena.h"
#include "zone/origins.h"
#include "zone/path.h"

struct zone_rdata {
	struct zone_rdata *next;
	uint16_t length;
	uint8_t	 octets[];
};

/* Its first record lies right behind it. */
struct zone_rrset {
	struct zone_rrset *next;
	struct zone_rdata *first;
	uint32_t ttl;
	uint16_t type;
	uint16_t count;
};

/*
 * A name of the zone, or an empty non-terminal. Owners lie one behind the
 * other, in the order of the file, parents before their children; number 0
 * is the apex.
 */
struct zone_owner {
	struct zone_rrset *rrsets;
	uint32_t number;
	uint32_t parent;		/* its number; the apex has its own */
	bool	 has_cut : 1;		/* at or below a delegation or DNAME: the builder's, as are all of these */
	bool	 is_cut : 1;
	bool	 has_wildcard : 1;
	bool	 is_hidden : 1;		/* at or below the apex of another zone */
	bool	 is_shadow : 1;		/* that apex */
	bool	 is_nsec3 : 1;		/* a hash, which is no name of the zone */
	uint8_t	 length;		/* 0: not an owner but the end of a piece of memory; rrsets is the next piece */
	uint8_t	 name[];
};

/* What becomes of a zone in which a check finds something. */
enum verdict { VERDICT_FAIL, VERDICT_WARN, VERDICT_IGNORE };

/* Half of a name's hash, and where its owner is (index.c). */
struct zone_slot {
	uint32_t is_taken : 1;
	uint32_t tag : 31;
	uint32_t reference;
};

struct zone;
struct zone_owner;

/* A name that a record refers to and that the zone does not answer for. */
struct zone_reference {
	const struct zone *zone;
	const char *from;		/* "owner/MX ", for the log */
	const char *name;
	const struct zone_owner *glue;	/* its addresses as they stand here; NULL: none */
	uint32_t verdict;		/* if it is an alias */
};

/* Look it up elsewhere. False: the zone must not be served. */
typedef bool zone_look(const struct zone_reference *reference);

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
	zone_look *look;		/* NULL: nobody */
	struct origins *origins;	/* where each record stands; NULL: of no interest */
};

struct zone {
	struct arena owners;
	struct arena data;
	struct dns_name apex;
	struct zone_suffix suffix;	/* the apex, for paths */
	char	 text[DNS_NAME_TEXT];	/* the apex as logs show it */
	const struct zone_rules *rules;
	const char *file;		/* while it is read: includes are looked for beneath it */
	struct text sources;	/* paths of all files that it was read from, each with its NUL */
	uint64_t print;		/* of them, as they were (source.h) */
	size_t	 record_count;
	bool	 has_runs;		/* of records in a row with one owner: they share a TTL */
	const struct zone_rrset **touched;	/* RRsets that had a record in this run */
	size_t	 touched_count;
	size_t	 touched_size;
	const uint64_t *seed;
	struct zone_owner *first;	/* the apex */
	struct zone_owner *last;
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

/* The last part of it, as short as BIND tells it. Borrowed from trouble, which may be NULL. */
const char *zone_trouble_in_short(const char *trouble);

/* The same from memory; name is what the log calls it. */
struct zone *zone_read(const struct dns_name *apex, const char *name,
	    const char *bytes, size_t length, const struct zone_rules *rules,
	    const uint64_t seed[2]);

/* A zone with nothing but the name of its apex. */
struct zone *zone_new(const struct dns_name *apex,
	    const struct zone_rules *rules, const uint64_t seed[2]);

void	zone_free(struct zone **zone);

/* Octets of an owner whose name has length octets. */
static inline size_t
zone_owner_size(size_t length)
{
	return (offsetof(struct zone_owner, name) + length + 7) & ~(size_t)7;
}

static inline bool
zone_is_apex(const struct zone_owner *owner)
{
	return owner->number == 0;
}

/* The owner behind this one; NULL at the end. */
static inline struct zone_owner *
zone_next(const struct zone_owner *owner)
{
	const struct zone_owner *next = (const struct zone_owner *)
	    ((const char *)owner + zone_owner_size(owner->length));

	return next->length != 0 ? (struct zone_owner *)(uintptr_t)next :
	    (struct zone_owner *)next->rrsets;
}

/*
 * Owners before this number are no longer needed, nor what they have; from
 * the first such call on nothing is found any more.
 */
void	zone_release(struct zone *zone, uint32_t number);

/* The owner of a name, NULL if the zone has none. */
struct zone_owner *zone_find(const struct zone *zone, const uint8_t *name);

/* The same, made with all names between it and the apex if need be. NULL out of memory. */
struct zone_owner *zone_get_owner(struct zone *zone, const uint8_t *name);

/*
 * The same for the path of a name, made with zone->suffix. zone_expect()
 * has the processor fetch what that will need.
 */
struct zone_owner *zone_get_owner_at(struct zone *zone, const uint8_t *name,
	    const struct zone_path *path);
void	zone_expect(const struct zone *zone, const struct zone_path *path);

struct zone_rrset *zone_find_rrset(const struct zone_owner *owner,
	    uint16_t type);

/* Of RRSIG: the type that it signs, one RRset each; else 0. */
static inline uint16_t
zone_covers(const struct zone_rrset *rrset)
{
	return rrset->type == DNS_TYPE_RRSIG ? dns_get16(rrset->first->octets) :
	    0;
}

/* The signatures of one type's RRset. */
struct zone_rrset *zone_find_signatures(const struct zone_owner *owner,
	    uint16_t covers);

/* A run of records begins: a master file has another owner. */
void	zone_begin_run(struct zone *zone);

/*
 * Add a record. 0: added, or there already; -1 with *why. If its TTL is not
 * that of the RRset: in a run the first one's stays and *ttl becomes it;
 * another run's takes its place, as in BIND.
 */
int	zone_add(struct zone *zone, struct zone_owner *owner, uint16_t type,
	    uint32_t *ttl, const uint8_t *rdata, uint16_t length,
	    const char **why);

/* Remove a record; its owner stays. False: it is not there. */
bool	zone_remove(struct zone *zone, struct zone_owner *owner,
	    uint16_t type, const uint8_t *rdata, uint16_t length);

/* May a record of this type name a target? Then four octets for the builder lie behind its data. */
bool	zone_has_target(uint16_t type);

/* The name in a record's data that additional addresses belong to, NULL if its type has none. */
const uint8_t *zone_target(const struct zone_owner *owner, uint16_t type,
	    const struct zone_rdata *rdata);

/* check.c: the zone as a whole. False: it must not be served. */
bool	zone_check(const struct zone *zone);

/* master.c: a file, or what is in bytes, into the zone. 0, or -1 with *why, logged. */
int	zone_parse(struct zone *zone, const char *name, const char *bytes,
	    size_t length, const char **why);

#endif
