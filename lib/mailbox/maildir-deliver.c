/*
 * Delivery into a Maildir
 *
 * The message is written to a file without a name, flushed, and only then
 * linked into new/ under a name that every try makes the same; then new/ is
 * flushed. A crash before the link leaves nothing, after it the whole
 * message, and the next try meets EEXIST. A reader may have moved the message
 * to cur/ meanwhile; that is looked for only if someone tried before.
 */

#include "mailbox/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

#define COPY_SIZE	65536
#define PATH_SIZE	4096

void
mailbox_unique_name(char name[MAILBOX_NAME_SIZE], const char *key,
    unsigned int recipient, const char *host)
{
	int length = snprintf(name, MAILBOX_NAME_SIZE, "%sR%u.", key, recipient);

	if (length >= MAILBOX_NAME_SIZE)
		length = MAILBOX_NAME_SIZE - 1;
	for (; *host != '\0' && length < MAILBOX_NAME_SIZE - 5; host++) {
		if (*host == '/' || *host == ':' || *host == ',')
			length += snprintf(name + length, 5, "\\%03o", *host);
		else
			name[length++] = *host;
	}
	name[length] = '\0';
}

/* "path/suffix" in buffer; -1 with errno. */
static int
join_path(char buffer[PATH_SIZE], const char *path, const char *suffix)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	if (snprintf(buffer, PATH_SIZE, "%.*s/%s", (int)length, path, suffix)
	    < PATH_SIZE)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* A new file in tmp/: without a name where the file system can, else under the message's. */
static int
open_temporary(int root, struct mailbox_delivery *d)
{
	char path[PATH_SIZE], name[MAILBOX_NAME_SIZE + 4];

	if (join_path(path, d->path, "tmp") == -1)
		return -1;

	int fd = beneath_open(root, path, O_TMPFILE | O_WRONLY, 0600);

	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	snprintf(name, sizeof(name), "tmp/%s", d->name);
	if (join_path(path, d->path, name) == -1)
		return -1;
	fd = beneath_open(root, path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd == -1 && errno == EEXIST) {	/* of a try that was killed */
		int tmp;

		if (join_path(path, d->path, "tmp") == -1
		    || (tmp = beneath_open(root, path, O_PATH | O_DIRECTORY, 0)) == -1)
			return -1;
		unlinkat(tmp, d->name, 0);
		fd = openat(tmp, d->name,
		    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		fd_close(&tmp);
	}
	d->is_named = fd != -1;
	return fd;
}

static int
make_maildir(int root, const char *path)
{
	static const char *const folders[] = { "tmp", "new", "cur" };
	char folder[PATH_SIZE];

	for (size_t i = 0; i < 3; i++)
		if (join_path(folder, path, folders[i]) == -1
		    || beneath_make(root, folder) == -1)
			return -1;
	return 0;
}

static int
open_maildir(int root, struct mailbox_delivery *d)
{
	char path[PATH_SIZE];

	for (int made = 0;; made = 1) {
		if (join_path(path, d->path, "new") == -1)
			return -1;
		d->new = beneath_open(root, path, O_RDONLY | O_DIRECTORY, 0);
		if (d->new != -1
		    && (d->file = open_temporary(root, d)) != -1)
			return 0;
		fd_close(&d->new);
		if (errno != ENOENT || made || make_maildir(root, d->path) == -1)
			return -1;
	}
}

/* Line ends that POP3 sends as two octets and the file has as one; *last carries the octet before. */
static off_t
count_bare_lines(const char *bytes, size_t length, char *last)
{
	const char *end = bytes + length, *p = bytes;
	off_t count = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if ((p > bytes ? p[-1] : *last) != '\r')
			count++;
		p++;
	}
	if (length > 0)
		*last = end[-1];
	return count;
}

static int
write_pieces(int fd, const struct mailbox_content *content)
{
	struct iovec pieces[8];
	size_t total = 0;

	if (content->piece_count <= 8) {
		for (int i = 0; i < content->piece_count; i++)
			total += (pieces[i] = content->pieces[i]).iov_len;

		ssize_t n = writev(fd, pieces, content->piece_count);

		if (n == (ssize_t)total)
			return 0;
		if (n > 0 && lseek(fd, 0, SEEK_SET) == -1)
			return -1;
	}
	for (int i = 0; i < content->piece_count; i++)
		if (fd_write_all(fd, content->pieces[i].iov_base,
		    content->pieces[i].iov_len) == -1)
			return -1;
	return 0;
}

/* Write all of it and learn its size in both countings. 0, or -1 with errno. */
static int
write_content(int fd, const struct mailbox_content *content, off_t *size,
    off_t *vsize)
{
	char last = '\0';
	off_t lines = 0, done = 0;

	*size = 0;
	if (write_pieces(fd, content) == -1)
		return -1;
	for (int i = 0; i < content->piece_count; i++) {
		const struct iovec *piece = &content->pieces[i];

		lines += count_bare_lines(piece->iov_base, piece->iov_len, &last);
		*size += (off_t)piece->iov_len;
	}
	while (content->fd != -1 && done < content->length) {
		char buffer[COPY_SIZE];
		off_t left = content->length - done;
		ssize_t n = fd_pread_full(content->fd, buffer,
		    left < COPY_SIZE ? (size_t)left : COPY_SIZE,
		    content->offset + done);

		if (n <= 0) {
			if (n == 0)
				errno = EIO;	/* shorter than promised */
			return -1;
		}
		if (fd_write_all(fd, buffer, (size_t)n) == -1)
			return -1;
		lines += count_bare_lines(buffer, (size_t)n, &last);
		done += n;
	}
	*size += done;
	*vsize = *size + lines;
	return 0;
}

/* Is `file` the message `name`, with sizes and flags as may be? */
static bool
is_name_of(const char *file, const char *name)
{
	size_t length = strlen(name);

	return strncmp(file, name, length) == 0
	    && strchr(",:", file[length]) != NULL;
}

/* 1: an earlier try's message is in this folder; 0: it is not; -1 with errno. Takes fd. */
static int
is_in_folder(int fd, const char *name)
{
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);
	int found = 0;
	struct dirent *file;

	if (folder == NULL) {
		fd_close(&fd);
		return -1;
	}
	errno = 0;
	while (!found && (file = readdir(folder)) != NULL)
		found = is_name_of(file->d_name, name);
	if (!found && errno != 0)
		found = -1;
	if (found == 1 && fsync(dirfd(folder)) == -1)	/* the first try may not have come so far */
		found = -1;
	closedir(folder);
	return found;
}

/* new/ first: a message that a reader moves meanwhile is then met in cur/. */
static int
is_delivered(int root, struct mailbox_delivery *d)
{
	static const char *const folders[] = { "new", "cur" };
	char path[PATH_SIZE];
	int found = 0;

	for (size_t i = 0; found == 0 && i < 2; i++) {
		if (join_path(path, d->path, folders[i]) == -1)
			return -1;
		found = is_in_folder(beneath_open(root, path,
		    O_RDONLY | O_DIRECTORY, 0), d->name);
		if (found == -1 && errno == ENOENT)
			found = 0;
	}
	return found;
}

static void
remove_temporary(struct mailbox_delivery *d)
{
	char path[MAILBOX_NAME_SIZE + 8];
	int saved = errno;

	if (d->is_named) {
		snprintf(path, sizeof(path), "../tmp/%s", d->name);
		unlinkat(d->new, path, 0);
		d->is_named = false;
	}
	errno = saved;
}

static void
give_up(struct mailbox_delivery *d, const char *why)
{
	d->error = errno;
	d->why = why;
	remove_temporary(d);
	fd_close(&d->file);
	fd_close(&d->new);
}

void
mailbox_maildir_write(struct mailbox_delivery *d)
{
	off_t size, vsize;
	int root, found = 0;

	d->file = d->new = -1;
	root = open(d->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		give_up(d, "open the directory of the mailbox");
	else if (d->perhaps_delivered && (found = is_delivered(root, d)) == -1)
		give_up(d, "look for the message in the maildir");
	else if (found)
		d->was_there = true;
	else if (open_maildir(root, d) == -1)
		give_up(d, "open the maildir");
	else if (write_content(d->file, &d->content, &size, &vsize) == -1)
		give_up(d, "write the message");
	else if (snprintf(d->final, sizeof(d->final), "%s,S=%lld,W=%lld",
	    d->name, (long long)size, (long long)vsize) > NAME_MAX) {
		errno = ENAMETOOLONG;
		give_up(d, "name the message");
	}
	fd_close(&root);
}

void
mailbox_maildir_sync(struct mailbox_delivery *deliveries, size_t count)
{
	int *fds = mem_resize(NULL, count + 1, sizeof(*fds));
	int *errors = mem_zalloc(count + 1, sizeof(*errors));

	for (size_t i = 0; i < count; i++)
		fds[i] = deliveries[i].why == NULL ? deliveries[i].file : -1;
	/* All are on their way to the disk before the first is waited for: the rest then share its flush. */
	for (size_t i = 0; count > 1 && i < count; i++)
		if (fds[i] != -1)
			sync_file_range(fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	fd_sync_all(fds, errors, count);
	for (size_t i = 0; i < count; i++) {
		errno = errors[i];
		if (errno != 0)
			give_up(&deliveries[i], "sync the message");
	}
	free(errors);
	free(fds);
}

static int
link_file(struct mailbox_delivery *d)
{
	char path[MAILBOX_NAME_SIZE + 32];

	if (d->is_named) {
		snprintf(path, sizeof(path), "../tmp/%s", d->name);
		return linkat(d->new, path, d->new, d->final, 0);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->file);
	return linkat(AT_FDCWD, path, d->new, d->final, AT_SYMLINK_FOLLOW);
}

void
mailbox_maildir_link(struct mailbox_delivery *d)
{
	if (d->why != NULL || d->file == -1)
		return;

	int linked = link_file(d);

	if (linked == 0 || errno == EEXIST) {
		d->was_there = linked == -1;
		remove_temporary(d);
		fd_close(&d->file);
	} else
		give_up(d, "link the message into new");
}

static bool
is_same_file(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0
	    && st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

/* Flush each new/ once, for all of the deliveries that went there. */
void
mailbox_maildir_finish(struct mailbox_delivery *deliveries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mailbox_delivery *d = &deliveries[i];

		if (d->why != NULL || d->new == -1)
			continue;

		int error = fsync(d->new) == -1 ? errno : 0;

		for (size_t j = count; j-- > i;) {
			struct mailbox_delivery *other = &deliveries[j];

			if (other->why != NULL || other->new == -1)
				continue;
			if (j != i && (strcmp(other->path, d->path) != 0
			    || !is_same_file(other->new, d->new)))
				continue;
			if (error != 0) {
				errno = error;
				give_up(other, "sync new");
			} else
				fd_close(&other->new);
		}
	}
}

void
mailbox_maildir_deliver(struct mailbox_delivery *deliveries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mailbox_maildir_write(&deliveries[i]);
	mailbox_maildir_sync(deliveries, count);
	for (size_t i = 0; i < count; i++)
		mailbox_maildir_link(&deliveries[i]);
	mailbox_maildir_finish(deliveries, count);
}
