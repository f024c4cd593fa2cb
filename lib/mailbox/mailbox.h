/*
 * mailbox - where mail ends: Maildir and mbox, written, and Maildir read
 *
 * What holds at every instant, power cuts included:
 *   1  A message appears in new/ only when it is whole and durable.
 *   2  A delivery succeeds only when the message's name, or the mbox's new
 *      length, is durable too.
 *   3  A delivery that is tried again finds the message of the first try,
 *      in new/, in cur/ or in the mbox: it is never there twice.
 *   4  No link leads a delivery out of the directory that it may write to;
 *      that directory itself, a home, is never created.
 *   5  mailbox_close() leaves every message that was marked deleted gone
 *      for good, or says which one is not.
 *   6  A message's unique-id stays the same from session to session, and
 *      when the message moves from new/ to cur/ or changes flags.
 *
 * Everything is done with the rights of the calling process, which becomes
 * the mailbox's owner first. "why" completes "cannot ...: %m".
 */

#ifndef MAILBOX_MAILBOX_H
#define MAILBOX_MAILBOX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* What is to be written: pieces of memory, then a part of a file. Borrowed. */
struct mailbox_content {
	const struct iovec *pieces;
	int	 piece_count;
	int	 fd;		/* -1: nothing but the pieces */
	off_t	 offset;
	off_t	 length;
};

#define MAILBOX_NAME_SIZE 201	/* leaves room for sizes and flags */

/*
 * The name that a message has in every Maildir, however often it is tried:
 * made of the envelope's unique key, which begins with the seconds of its
 * arrival, the recipient's number, and this host's name.
 */
void	mailbox_unique_name(char name[MAILBOX_NAME_SIZE], const char *key,
	    unsigned int recipient, const char *host);

/*
 * One message on its way into one Maildir. The caller zeroes it and sets the
 * first part; `error` and `why` tell how it went: why is NULL while all is well.
 */
struct mailbox_delivery {
	const char *root;	/* trusted and existing: a home, a spool */
	const char *path;	/* of the Maildir below it, made on demand */
	const char *name;	/* mailbox_unique_name() */
	struct mailbox_content content;
	bool	 perhaps_delivered;	/* an earlier try may have succeeded */

	const char *why;
	int	 error;
	bool	 was_there;	/* an earlier try had succeeded */

	int	 file, new;	/* private from here on */
	bool	 is_named;
	char	 final[NAME_MAX + 1];
};

/*
 * Deliver all of them, in steps that share the flushes of the disk. A failure
 * stops that one delivery alone. Where each has another owner, the caller
 * takes the steps itself and becomes the owner before each (owner) one.
 */
void	mailbox_maildir_deliver(struct mailbox_delivery *deliveries, size_t count);

void	mailbox_maildir_write(struct mailbox_delivery *delivery);	/* owner */
void	mailbox_maildir_sync(struct mailbox_delivery *deliveries, size_t count);
void	mailbox_maildir_link(struct mailbox_delivery *delivery);	/* owner */
void	mailbox_maildir_finish(struct mailbox_delivery *deliveries, size_t count);

enum { MAILBOX_LOCK_FCNTL = 1, MAILBOX_LOCK_FLOCK = 2, MAILBOX_LOCK_DOTLOCK = 4 };

struct mailbox_lock {
	unsigned int kinds;
	int	 attempts;
	int	 delay_s;	/* between attempts */
	int	 stale_s;	/* a dotlock older than this is taken away */
};

/* The kinds in the value of mailbox_delivery_lock; 0 if a word of it is unknown. */
unsigned int mailbox_lock_kinds(const char *words);

/*
 * Take all locks of these kinds on the file that fd is, named path below the
 * directory root (AT_FDCWD: or wherever path leads). 0, or -1 with errno, and
 * none is held; EAGAIN: somebody else has one. Those on fd go when it is closed.
 */
int	mailbox_lock_take(int root, const char *path, int fd,
	    const struct mailbox_lock *how);
void	mailbox_lock_release(int root, const char *path,
	    const struct mailbox_lock *how);

/* One message for one mbox. */
struct mailbox_append {
	const char *root;
	const char *path;	/* of the file below it, its directories made on demand */
	const char *from_line;	/* "From sender date", without the line end */
	struct mailbox_content content;
	struct mailbox_lock lock;
	off_t	 limit;		/* of the mbox in bytes; 0 is none */
	uid_t	 owner;		/* whose file it must be; -1: anyone's */
	gid_t	 group;		/* of a file that is created; owner and group */
	bool	 is_root;	/* are given to a file that root creates */
	bool	 perhaps_delivered;
};

/*
 * Append the message, "From " lines escaped, under lock; cut back when that
 * fails. 0, or -1 with errno and *why. EFBIG: over the limit; EAGAIN: locked.
 */
int	mailbox_mbox_append(const struct mailbox_append *append, const char **why);

/* A Maildir as it was when opened. */
struct mailbox;

/*
 * Open the Maildir at path and list it. A Maildir that is not there is an
 * empty one, if its parent directory is, or could be made. NULL with errno and *why.
 * Released by mailbox_close() or mailbox_abandon().
 */
struct mailbox *mailbox_open(const char *path, const char **why);

size_t	 mailbox_count(const struct mailbox *mailbox);

/* 1 to 70 characters from 0x21 to 0x7e (RFC 1939 section 7). Lives as long as the mailbox. */
const char *mailbox_unique_id(struct mailbox *mailbox, size_t n);

/* Mark or unmark as deleted, which mailbox_close() obeys. */
void	 mailbox_mark(struct mailbox *mailbox, size_t n, bool is_deleted);
bool	 mailbox_is_marked(const struct mailbox *mailbox, size_t n);

/* Size with each line end counted as two octets. -1 with errno: ENOENT if it has vanished. */
off_t	 mailbox_message_size(struct mailbox *mailbox, size_t n);

/* The message, open for reading; -1 with errno: ENOENT if it has vanished. */
int	 mailbox_message_open(struct mailbox *mailbox, size_t n);

/*
 * Remove what is marked, durably, and release the mailbox; clears *mailbox.
 * Gives how many marked messages are still there: 0 is success, errno tells
 * why otherwise. A message that someone else removed is no failure.
 */
size_t	 mailbox_close(struct mailbox **mailbox);

/* Release the mailbox, change nothing. Clears *mailbox; NULL is fine. */
void	 mailbox_abandon(struct mailbox **mailbox);

#endif
