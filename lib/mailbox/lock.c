/*
 * Locks on an mbox, as mail readers take them
 *
 * A dotlock is a file beside the mbox, made with O_EXCL; fcntl and flock
 * locks are on the mbox itself. All that are asked for are held together or none.
 */

#include "mailbox/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

static const struct {
	const char *word;
	unsigned int kind;
} kinds[] = {
	{ "fcntl",	MAILBOX_LOCK_FCNTL },
	{ "flock",	MAILBOX_LOCK_FLOCK },
	{ "dotlock",	MAILBOX_LOCK_DOTLOCK },
};

unsigned int
mailbox_lock_kinds(const char *words)
{
	char *copy = mem_strdup(words), *cursor = copy, *word;
	unsigned int set = 0, kind = 1;

	while (kind != 0 && (word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		kind = 0;
		for (size_t i = 0; i < COUNT_OF(kinds); i++)
			if (strcmp(word, kinds[i].word) == 0)
				kind = kinds[i].kind;
		set |= kind;
	}
	free(copy);
	return kind == 0 ? 0 : set;
}

static int
dotlock_take(int root, const char *path, const struct mailbox_lock *how)
{
	char lock[4096];
	struct stat st;
	int fd;

	if ((size_t)snprintf(lock, sizeof(lock), "%s.lock", path) >= sizeof(lock)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = openat(root, lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd == -1 && errno == EEXIST
	    && fstatat(root, lock, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (st.st_ctime + how->stale_s < time(NULL))
			unlinkat(root, lock, 0);
		errno = EAGAIN;
	}
	if (fd == -1)
		return -1;
	fd_close(&fd);
	return 0;
}

static void
dotlock_release(int root, const char *path)
{
	char lock[4096];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlinkat(root, lock, 0);
}

static int
take_once(int root, const char *path, int fd, const struct mailbox_lock *how)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if ((how->kinds & MAILBOX_LOCK_DOTLOCK)
	    && dotlock_take(root, path, how) == -1)
		return -1;
	if (((how->kinds & MAILBOX_LOCK_FCNTL)
	    && fcntl(fd, F_SETLK, &whole) == -1)
	    || ((how->kinds & MAILBOX_LOCK_FLOCK)
	    && flock(fd, LOCK_EX | LOCK_NB) == -1)) {
		if (errno == EACCES)
			errno = EAGAIN;
		mailbox_lock_release(root, path, how);
		return -1;
	}
	return 0;
}

int
mailbox_lock_take(int root, const char *path, int fd, const struct mailbox_lock *how)
{
	for (int attempt = 1;; attempt++) {
		if (take_once(root, path, fd, how) == 0)
			return 0;
		if (errno != EAGAIN || attempt >= how->attempts)
			return -1;
		sleep((unsigned int)how->delay_s);
	}
}

/* The locks on the file itself go when it is closed. */
void
mailbox_lock_release(int root, const char *path, const struct mailbox_lock *how)
{
	int saved = errno;

	if (how->kinds & MAILBOX_LOCK_DOTLOCK)
		dotlock_release(root, path);
	errno = saved;
}
