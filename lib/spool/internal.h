/* internal - what the files of the spool share: the format of a segment, and the directories */

#ifndef SPOOL_INTERNAL_H
#define SPOOL_INTERNAL_H

#include <stdint.h>

#include "spool/spool.h"

#define PAGE		4096
#define SEGMENT_SIZE	(16 << 20)	/* usual; small file systems get less */
#define SEGMENT_SMALL	(1 << 20)

/* The first page of a segment. */
struct segment_header {
	char		magic[8];
	uint8_t		in_use;		/* 0: free, all that stands behind is finished */
	uint8_t		complete;	/* its owner left it in good order: each batch was answered */
	uint8_t		reserved[6];
	uint64_t	floor;		/* batches with a lower number are of an earlier use */
	uint64_t	key;		/* random, new with each use: no mail can imitate a batch of it */
};

#define SEGMENT_MAGIC	"PRSEG01\n"

/* At the first byte of a page; records follow at once, then padding to the next page. */
struct batch_header {
	char		magic[8];
	uint64_t	number;		/* rises within a segment */
	uint32_t	segment;
	uint32_t	records;
	uint64_t	length;		/* header and records, without padding */
	uint64_t	key;		/* of the segment's header */
	uint32_t	reserved;
	uint32_t	checksum;	/* of the header before this; each record has its own */
};

#define BATCH_MAGIC	"PRBAT01\n"

void	segment_path(char path[32], int number);

/* Sub-directories by the first character of the id? */
bool	spool_queue_is_hashed(int queue);

/* The directory of a message. */
void	spool_directory_path(char path[64], enum spool_queue queue,
	    const char *id);

/* Open it; a hashed one is made, durably, when it is missing. -1 with errno. */
int	spool_directory_open(int queue, const char *id);

/* The time of the next try of an open file; 0 changes nothing. */
int	spool_set_retry(int file, int64_t retry_at);

/* Behind the record of an open file, is there what may be its reasons, if only half written? Else its lengths are wrong. */
bool	spool_reasons_follow(int file, const struct spool_record *record);

#endif
