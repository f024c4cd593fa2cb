/* What the files that read a master file share. */

#ifndef ZONE_MASTER_H
#define ZONE_MASTER_H

#include "zone/scan.h"
#include "zone/zone.h"

/* The owner of the line to come, looked at early. */
struct master_next {
	const char *text;		/* where it stands; NULL: not known */
	size_t	 length;
	size_t	 octets;		/* scanner->octets then: the buffer is the same */
	struct dns_name name;
	struct zone_path path;
};

/* Where we are. An included file begins with a copy and ends with the old one. */
struct master {
	struct zone *zone;
	const char *file;
	struct scanner *scanner;
	struct dns_name origin;
	bool	 origin_is_within;	/* so that relative names belong to the zone */
	struct zone_owner *owner;	/* of the last record; NULL: out of zone, or none yet */
	bool	 has_owner;
	uint32_t default_ttl;		/* $TTL */
	bool	 has_default_ttl;
	uint32_t last_ttl;
	bool	 has_last_ttl;
	bool	 told_of_rfc1035;
	unsigned depth;
	unsigned includes;		/* in all of the zone's files so far */
	size_t	 file_size;		/* of the file; 0 once it has served to estimate the zone's size */
	struct master_next *next;
	const char *why;		/* the first error; NULL: none */
	bool	 is_over;		/* an error after which nothing more is read */
};

/* Remember an error that was told, as the reason if it is the first. Gives -1. */
int	master_fail(struct master *m, const char *why);

/* Tell it and remember it. */
int	master_error(struct master *m, const char *why);
int	master_error_near(struct master *m, const struct dns_word *word,
	    const char *why);

/* The owner that a word names, for the records that follow. */
int	master_set_owner(struct master *m, const struct dns_word *word);

/* record.c: words from [TTL] [class] type on, for the present owner. */
int	master_parse_record(struct master *m, const struct dns_word *words,
	    size_t count);

/* generate.c: $GENERATE */
int	master_generate(struct master *m, const struct dns_word *words,
	    size_t count);

#endif
