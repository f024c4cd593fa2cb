/*
 * Reading a Maildir, and removing what was read
 *
 * Files keep their place: what reads POP3 leaves no trace until it deletes. A
 * file that is gone when it is wanted may only have changed its flags, and is
 * looked for by its base name.
 */

#include "mailbox/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

void
mailbox_mark(struct mailbox *box, size_t n, bool is_deleted)
{
	box->messages[n].is_deleted = is_deleted;
}

bool
mailbox_is_marked(const struct mailbox *box, size_t n)
{
	return box->messages[n].is_deleted;
}

/* The message's file has another name now: learn it. 0, or -1 with ENOENT. */
static int
find_again(struct mailbox *box, struct message *m)
{
	for (int folder = IN_NEW; folder <= IN_CUR; folder++) {
		int fd = box->folders[folder] == -1 ? -1 : dup(box->folders[folder]);
		DIR *open = fd == -1 ? NULL : fdopendir(fd);
		struct dirent *file;

		if (open == NULL) {
			fd_close(&fd);
			continue;
		}
		rewinddir(open);
		while ((file = readdir(open)) != NULL)
			if (strcspn(file->d_name, ":") == m->base_length
			    && memcmp(file->d_name, m->file, m->base_length) == 0)
				break;
		if (file != NULL) {
			m->file = pool_strdup(box->pool, file->d_name);
			m->folder = (unsigned char)folder;
		}
		closedir(open);
		if (file != NULL)
			return 0;
	}
	errno = ENOENT;
	return -1;
}

int
mailbox_message_open(struct mailbox *box, size_t n)
{
	struct message *m = &box->messages[n];

	for (int again = 0;; again++) {
		int fd = openat(box->folders[m->folder], m->file,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd != -1 || errno != ENOENT || again == 1
		    || find_again(box, m) == -1)
			return fd;
	}
}

/* The number behind ",S=" or ",W=" in the name. */
static off_t
size_in_name(const struct message *m, char letter)
{
	const char tag[] = { ',', letter, '=', '\0' };
	const char *at = strstr(m->file, tag);
	char *end;

	if (at == NULL || at >= m->file + m->base_length
	    || !isdigit((unsigned char)at[3]))
		return SIZE_UNKNOWN;

	long long size = strtoll(at + 3, &end, 10);

	return *end == ',' || *end == ':' || *end == '\0' ? (off_t)size : SIZE_UNKNOWN;
}

static off_t
count_size(int fd)
{
	char buffer[65536], last = '\0';
	off_t size = 0;
	ssize_t n;

	while ((n = fd_read_full(fd, buffer, sizeof(buffer))) > 0) {
		const char *p = buffer, *end = buffer + n;

		while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
			size += (p > buffer ? p[-1] : last) != '\r';
			p++;
		}
		last = end[-1];
		size += n;
	}
	return n == -1 ? -1 : size;
}

off_t
mailbox_message_size(struct mailbox *box, size_t n)
{
	struct message *m = &box->messages[n];

	if (m->size == SIZE_UNKNOWN)
		m->size = size_in_name(m, 'W');
	if (m->size == SIZE_UNKNOWN) {
		int fd = mailbox_message_open(box, n);

		if (fd == -1)
			return -1;
		m->size = count_size(fd);
		fd_close(&fd);
	}
	return m->size;
}

static int
remove_message(struct mailbox *box, struct message *m)
{
	for (int again = 0; again < 5; again++) {
		if (unlinkat(box->folders[m->folder], m->file, 0) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
		if (find_again(box, m) == -1)
			return 0;
	}
	return -1;
}

size_t
mailbox_close(struct mailbox **box)
{
	size_t marked[2] = { 0, 0 }, left = 0;
	int error = 0;

	for (size_t i = 0; i < (*box)->count; i++) {
		struct message *m = &(*box)->messages[i];

		if (!m->is_deleted)
			continue;
		if (remove_message(*box, m) == -1) {
			error = errno;
			left++;
		} else
			marked[m->folder]++;
	}
	for (int i = 0; i < 2; i++)
		if (marked[i] > 0 && fsync((*box)->folders[i]) == -1) {
			error = errno;
			left += marked[i];
		}
	mailbox_abandon(box);
	errno = error;
	return left;
}

void
mailbox_abandon(struct mailbox **box)
{
	if (*box == NULL)
		return;
	fd_close(&(*box)->directory);
	for (int i = 0; i < 2; i++)
		fd_close(&(*box)->folders[i]);
	pool_free(&(*box)->pool);
	free((*box)->messages);
	free(*box);
	*box = NULL;
}
