/* What the files of lib/mailbox share. */

#ifndef MAILBOX_INTERNAL_H
#define MAILBOX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mailbox/mailbox.h"

/*
 * Open path below the directory root, where links count only if they stay
 * below it. Flags and mode as for open(2); O_CLOEXEC is implied. -1 with errno.
 */
int	beneath_open(int root, const char *path, int flags, mode_t mode);

/* Make path below root with the directories that lead to it, mode 0700, durably. 0, or -1 with errno. */
int	beneath_make(int root, const char *path);

/* Remove from tmp/ of the open Maildir what no delivery can be writing any more. */
void	maildir_sweep(int maildir);

/* The uid list that Dovecot keeps in a Maildir: which unique-id it gave, and what size it saw. */
struct uidlist_line {
	uint32_t uid;
	long long vsize;	/* -1: not told */
	const char *own;	/* a unique-id from elsewhere; NULL: none */
};

struct uidlist;

/* Read the list of the open directory; NULL if there is none that can be read. */
struct uidlist *uidlist_read(int maildir);
void	uidlist_free(struct uidlist **list);
uint32_t uidlist_validity(const struct uidlist *list);

/* What the list says of a base name; NULL: nothing. list may be NULL. */
const struct uidlist_line *uidlist_get(const struct uidlist *list, const char *base);

/* A Maildir that is read: maildir-list.c fills it in, maildir-unique.c gives unique-ids, maildir-read.c does all else. */

enum { IN_NEW, IN_CUR };

#define SIZE_UNKNOWN	(-1)
#define UNIQUE_ID_MAX	70	/* RFC 1939 section 7 */

struct message {
	char	*file;
	size_t	 base_length;	/* of the name without ":2,flags" */
	unsigned long long arrival;	/* the number that it begins with */
	off_t	 size;		/* with each line end as two octets, or SIZE_UNKNOWN */
	uint32_t uid;		/* in the uid list; 0: not there */
	unsigned char folder;
	bool	 is_deleted;
	const char *unique_id;	/* NULL: not yet asked for */
};

struct mailbox {
	int	 directory, folders[2];
	struct pool *pool;
	struct message *messages;
	size_t	 count, room;
	bool	 has_unique_ids;
};

#endif
