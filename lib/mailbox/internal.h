/* what the files of lib/mailbox share */

#ifndef MAILBOX_INTERNAL_H
#define MAILBOX_INTERNAL_H

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

#endif
