/*
 * spool - where accepted mail lies: a journal for what is on its way, files
 * for what waits or is large
 *
 * Both hold the same record: a header line with lengths and a checksum, one
 * mark a recipient, the envelope, the content. Marks change in place when a
 * recipient is done, so the checksum leaves them out. Behind the record a
 * file may have the reasons why it waits, which change with every try.
 *
 * journal/NNNN are segments of 16 MiB, written once when made and reused
 * for ever. A cleanup process owns the segment that it appends to (a lock on
 * the file says so); it writes all messages that wait as one batch and makes
 * them durable with one flush. qmgr reads batches, marks recipients, and
 * frees a segment when all in it is finished. incoming/, deferred/ and hold/
 * have a file a message.
 *
 * What holds at every instant, power cuts included (tests name these numbers):
 *   1  journal_commit() gives 0 only when every message of the batch survives
 *      a power cut: the bytes, and the segment's size and name.
 *   2  spool_file_commit() gives 0 only when contents, size and name of the
 *      file survive a power cut.
 *   3  A torn batch was never acknowledged, and is passed over. A bad batch
 *      with a good one of a higher number behind it is damage: it is kept in
 *      corrupt/, with a log line, and the good ones are delivered.
 *   4  A segment is freed only after the marks of all its messages are
 *      durable, so what stood in it cannot come back.
 *   5  A message moves to a file only by: file durable, then mark, then that
 *      durable. At no instant is it in neither place, and once it has moved
 *      the journal does not bring it back.
 *   6  An fsync that failed is final for that place: the segment is never
 *      appended to again, the file is removed.
 *   7  A queue id is given once in as long as anything remembers it.
 *
 * The working directory is the queue directory. The functions here block.
 * cleanup is a worker and calls them; qmgr leaves all that waits for a disk
 * to its filer, and itself only reads and marks.
 */

#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

/* Queue ids: short ones have 13 hexadecimal digits, long ones up to 20 letters and digits. */
#define SPOOL_ID_SIZE	24

enum spool_queue { SPOOL_INCOMING, SPOOL_DEFERRED, SPOOL_HOLD, SPOOL_CORRUPT,
    SPOOL_MAILDROP, SPOOL_QUEUES };

const char *spool_queue_name(enum spool_queue queue);

/* True if text can be a queue id: letters and digits only, 6 to 23 of them. */
bool	spool_id_is_valid(const char *text);

/* ----------------------------------------------------------- records */

/* Where the parts of a record lie, counted from its first byte. */
struct spool_record {
	size_t	 marks_offset, marks_length;
	size_t	 envelope_offset, envelope_length;
	int64_t	 content_offset, content_length;
	int64_t	 length;			/* of the whole record */
	uint32_t checksum;			/* of envelope and content */
	int64_t	 envelope_checksum;		/* of the envelope alone; -1: not told */
};

#define SPOOL_RECORD_HEADER	64		/* bytes */

enum {
	SPOOL_MARK_PENDING	= '_',
	SPOOL_MARK_RETURN	= 'x',	/* pending, and the administrator has said that it does not wait any longer */
	SPOOL_MARK_OWED		= '!',	/* delivered; its sender wants to be told, and was not yet */
	SPOOL_MARK_DONE		= '+',
};


/* Does it wait for its delivery? */
bool	spool_mark_waits(char mark);

/* Is there nothing left to do? */
bool	spool_all_done(const char *marks, size_t count);

/* The header line for these lengths and checksums. */
void	spool_record_header(char header[SPOOL_RECORD_HEADER], size_t recipients,
	    size_t envelope_length, int64_t content_length, uint32_t checksum,
	    int64_t envelope_checksum);

/* Read a header line. 0, or -1 if it is none. */
int	spool_record_parse(const char *header, struct spool_record *record);

/* ----------------------------------------------------------- journal, writing side */

struct journal;

/* The writing side; takes a segment at the first message. */
struct journal *journal_new(void);
void	journal_free(struct journal **journal);

/*
 * A queue id for a message of this or a later batch, which its envelope then
 * tells. Takes a segment if there is none. 0, or -1 with errno: ENOSPC when
 * there is no room for another segment.
 */
int	journal_reserve_id(struct journal *journal, char id[SPOOL_ID_SIZE]);

/* Add a message, its envelope as records, to the batch in memory. Borrows all. */
void	journal_append(struct journal *journal, const struct text *envelope,
	    size_t recipients, const char *content, size_t content_length);

/*
 * Make the batch durable. 0 with the segment that it lies in and the offset
 * behind it; -1 with errno: nothing of the batch was accepted. The batch is
 * empty afterwards either way.
 */
int	journal_commit(struct journal *journal, int *segment, int64_t *end);

/*
 * See that a free segment is there before it is needed: to make one takes as
 * long as ten messages. 0 also where the disk is so small that it had better
 * wait; -1 with errno.
 */
int	journal_make_spare(void);

/* Bytes of the segments that were filled, by anybody, and are not freed yet. */
int64_t	journal_backlog(void);

/* The segment in which the next batch will lie; -1 with errno. Takes one if need be. */
int	journal_segment(struct journal *journal);

/* ----------------------------------------------------------- journal, reading side */

struct segment;

/* Called for each message of a segment: where it lies, its marks and envelope. bytes are borrowed. */
typedef void segment_message_callback(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context);

/* The numbers of all segments, ascending; gives their count, -1 with errno. Released with free(3). */
int	segment_list(int **numbers);

/* Open a segment to read and mark. NULL with errno. */
struct segment *segment_open(int number);

/* The same to look only, for who may not write: damage is passed over. */
struct segment *segment_open_to_look(int number);
void	segment_close(struct segment **segment);
int	segment_number(const struct segment *segment);

/* Is it shorter than any that is made? Batches that went with its end leave no trace in what is left. */
bool	segment_is_cut(const struct segment *segment);

/*
 * Own it for a moment, so that nobody else begins to append. False if some
 * process owns it: it may still grow.
 */
bool	segment_lock(struct segment *segment);
void	segment_unlock(struct segment *segment);

/* True if it holds nothing: freed, or never used. */
bool	segment_is_free(struct segment *segment);

/* True if its owner left it because it was full, and so had answered all that lies in it. */
bool	segment_is_complete(struct segment *segment);

/*
 * Read the batches that have come since the last scan: up to end; as many as
 * there are (0), behind damage too, which goes to corrupt/; or those that lie
 * in a row (SEGMENT_IN_A_ROW), which costs next to nothing. 0, or -1 with errno.
 */
#define SEGMENT_IN_A_ROW	-1

int	segment_scan(struct segment *segment, int64_t end,
	    segment_message_callback *on_message, void *context);

/* Read one of them: 1, 0 if there was none, -1 with errno. */
int	segment_scan_batch(struct segment *segment, int64_t end,
	    segment_message_callback *on_message, void *context);

/* Look at what a scan would read, in a row, without taking it as read. */
int	segment_peek(const struct segment *segment,
	    segment_message_callback *on_message, void *context);

/* Read part of a message: length bytes at offset of the segment. 0, or -1 with errno. */
int	segment_read(struct segment *segment, int64_t offset, void *bytes,
	    size_t length);

/* Set a recipient's mark, at offset of the segment. Durable with the next flush. */
int	segment_mark(struct segment *segment, int64_t offset, char mark);

/* Set the marks of all recipients of the message at offset: it is finished. */
int	segment_mark_all(struct segment *segment, int64_t offset,
	    size_t recipients);

/* Make the marks durable, if there are new ones. 0, or -1 with errno. */
int	segment_flush(struct segment *segment);

/*
 * The same by somebody else, who may wait: true if there are new marks, which
 * count as flushed from now on. He calls segment_sync() and says how it went.
 */
bool	segment_begin_flush(struct segment *segment);
int	segment_sync(int number);
void	segment_end_flush(struct segment *segment, bool ok);

/*
 * All in it is finished, and the marks are durable: free it for use again. The
 * caller has it locked since before he looked for the last time. 0,
 * or -1 with errno (EBUSY: there are marks to be flushed; EIO: they could not be).
 */
int	segment_release(struct segment *segment);

/* ----------------------------------------------------------- queue files */

/* The path of a message's file, relative to the queue directory. */
void	spool_path(char path[64], enum spool_queue queue, const char *id);

/*
 * Write a message of its own file into queue: everything durable, then the
 * name. Its content is the bytes at content and then length bytes of file
 * from offset; file may be -1. 0, or -1 with errno (EEXIST: there is one already).
 */
int	spool_file_commit(enum spool_queue queue, const char *id,
	    const struct text *envelope, const char *marks, size_t recipients,
	    const char *content, size_t content_length, int file,
	    int64_t offset, int64_t length);

/* A fresh queue id for a message that will be a file, in the manner of journal_reserve_id(). */
void	spool_make_id(char id[SPOOL_ID_SIZE], int owner);

/*
 * Open a message's file. The descriptor, or -1 with errno; EBADMSG: its
 * header or checksum is wrong (content_too: the whole is checked). *bytes
 * gets header, marks and envelope, released with free(3); NULL: they are not read.
 */
int	spool_file_open(enum spool_queue queue, const char *id, bool writable,
	    bool content_too, struct spool_record *record, char **bytes);

/* The sender was told that the message waits: kept as long as the file, durable with its next fsync. */
int	spool_file_set_warned(int file);
bool	spool_file_is_warned(int file);

/* When it is to be tried again: the file's modification time, as Postfix has it. */
int	spool_file_set_retry(enum spool_queue queue, const char *id,
	    int64_t retry_at);
int	spool_file_retry(enum spool_queue queue, const char *id,
	    int64_t *retry_at);

/*
 * Why its recipients wait, the results of the last try: behind the record of
 * a file, in place of those before. A reader who meets half of them sees none.
 */
int	spool_reasons_write(int file, const struct spool_record *record,
	    const char *reasons, size_t length);

/* NULL: there are none. Released with free(3). */
char   *spool_reasons_read(int file, const struct spool_record *record,
	    size_t *length);

/* The same as what follows a record that is written in one go. */
void	spool_reasons_append(struct text *bytes, const char *reasons,
	    size_t length);

/* Move a message to another queue, durably: never in neither, for an instant in both. 0, or -1 with errno. */
int	spool_file_move(enum spool_queue from, enum spool_queue to,
	    const char *id);

/* Remove it, durably. 0 also if it is not there. */
int	spool_file_remove(enum spool_queue queue, const char *id);

/* Are envelope and content of an open file as they were written? front is what spool_file_open() gave. */
bool	spool_content_is_whole(int fd, const struct spool_record *record,
	    const char *front);

/*
 * A stop in the middle of a move left a message two names: one of them goes.
 * On hold wins, since nobody who asked for a release heard that it was done;
 * then the later step of its way. True if the name in this queue stays.
 */
bool	spool_keep_one_name(enum spool_queue queue, const char *id);

/* What is damaged, or no file at all, goes to corrupt/, under path. 0, or -1 with errno. */
int	spool_keep_corrupt(enum spool_queue queue, const char *id,
	    char path[64]);

/* Which queue has it: -1 if none. */
int	spool_file_find(const char *id);

/* Walk through the ids of a queue; on_id may remove what it is given. 0, or -1 with errno. */
int	spool_file_each(enum spool_queue queue,
	    void (*on_id)(const char *id, void *context), void *context);

/* An unlinked file for content that outgrows memory. -1 with errno. */
int	spool_content_file(void);

#endif
