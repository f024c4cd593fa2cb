/*
 * Delivery into an mbox
 *
 * The message goes to the end of the file under lock, and the file is cut
 * back to its old length if not all of it gets there. A power cut in between
 * can leave a part: before a second try the message's beginning (the From_
 * line, the headers of this delivery, the Received: line with its queue id) is
 * looked for; a whole message is left as it is, a part is cut off.
 */

#include "mailbox/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

#define BUFFER_SIZE	65536
#define HEAD_SIZE	2048	/* identifies a message: its Received: line is in there */

/* The message as an mbox shows it, on its way to fd; fd -1 only counts and keeps the head. */
struct mbox_writer {
	int	 fd;
	off_t	 length;
	bool	 in_line;
	char	 last;
	struct text buffer;
	struct text head;
};

static int
writer_put(struct mbox_writer *w, const char *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (w->head.length < HEAD_SIZE)
		text_append(&w->head, bytes, length);
	w->length += (off_t)length;
	w->last = bytes[length - 1];
	if (w->fd == -1)
		return 0;
	text_append(&w->buffer, bytes, length);
	if (w->buffer.length < BUFFER_SIZE)
		return 0;
	if (fd_write_all(w->fd, w->buffer.bytes, w->buffer.length) == -1)
		return -1;
	text_truncate(&w->buffer, 0);
	return 0;
}

/*
 * Put content whose lines that begin with "From " become ">From ". A "From "
 * torn by the end of these bytes is held back: *used tells how many were put.
 */
static int
writer_escape(struct mbox_writer *w, const char *bytes, size_t length,
    bool is_end, size_t *used)
{
	const char *p = bytes, *end = bytes + length;

	while (p < end) {
		size_t left = (size_t)(end - p);

		if (!w->in_line && left < 5 && !is_end && memcmp(p, "From ", left) == 0)
			break;
		if (!w->in_line && left >= 5 && memcmp(p, "From ", 5) == 0
		    && writer_put(w, ">", 1) == -1)
			return -1;

		const char *newline = memchr(p, '\n', left);
		size_t line = newline == NULL ? left : (size_t)(newline + 1 - p);

		if (writer_put(w, p, line) == -1)
			return -1;
		w->in_line = newline == NULL;
		p += line;
	}
	*used = (size_t)(p - bytes);
	return 0;
}

static int
write_file_part(struct mbox_writer *w, const struct mailbox_content *content)
{
	char buffer[BUFFER_SIZE];
	size_t held = 0, used = 0;

	for (off_t done = 0; done < content->length;) {
		off_t left = content->length - done;
		size_t room = sizeof(buffer) - held;
		ssize_t n = fd_pread_full(content->fd, buffer + held,
		    left < (off_t)room ? (size_t)left : room,
		    content->offset + done);

		if (n <= 0) {
			if (n == 0)
				errno = EIO;	/* shorter than promised */
			return -1;
		}
		done += n;
		held += (size_t)n;
		if (writer_escape(w, buffer, held, done == content->length, &used) == -1)
			return -1;
		memmove(buffer, buffer + used, held - used);
		held -= used;
	}
	return 0;
}

static int
write_message(struct mbox_writer *w, const struct mailbox_append *append)
{
	const struct mailbox_content *content = &append->content;
	size_t used;

	if (writer_put(w, append->from_line, strlen(append->from_line)) == -1
	    || writer_put(w, "\n", 1) == -1)
		return -1;
	for (int i = 0; i < content->piece_count; i++)
		if (writer_escape(w, content->pieces[i].iov_base,
		    content->pieces[i].iov_len, true, &used) == -1)
			return -1;
	if (content->fd != -1 && write_file_part(w, content) == -1)
		return -1;
	if ((w->last != '\n' && writer_put(w, "\n", 1) == -1)
	    || writer_put(w, "\n", 1) == -1)
		return -1;
	return w->fd == -1 ? 0 : fd_write_all(w->fd, w->buffer.bytes, w->buffer.length);
}

static void
writer_clear(struct mbox_writer *w)
{
	int saved = errno;

	text_clear(&w->buffer);
	text_clear(&w->head);
	errno = saved;
}

/* Where the message, or as much of its head as the mbox still holds, begins; NULL if it is not there. */
static const char *
find_head(const char *mbox, size_t size, const struct text *head)
{
	const char *end = mbox + size, *at = mbox;
	size_t first = strcspn(head->bytes, "\n") + 1;

	for (; (at = memmem(at, (size_t)(end - at), head->bytes, first)) != NULL; at++) {
		size_t length = (size_t)(end - at);

		if (length > head->length)
			length = head->length;
		if (length > HEAD_SIZE)
			length = HEAD_SIZE;
		if (memcmp(at, head->bytes, length) == 0)
			return at;
	}
	return NULL;
}

/* 1: the message is there; 0: it is not, or its torn beginning was cut off; -1 with errno. */
static int
find_earlier_try(int fd, off_t size, const struct mailbox_append *append)
{
	struct mbox_writer counter = { .fd = -1 };
	int found = write_message(&counter, append);

	if (found == 0 && size > 0) {
		char *map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);

		if (map == MAP_FAILED)
			found = -1;
		else {
			const char *at = find_head(map, (size_t)size, &counter.head);

			if (at != NULL)
				found = size - (at - map) >= counter.length ? 1
				    : ftruncate(fd, at - map);
			munmap(map, (size_t)size);
		}
	}
	writer_clear(&counter);
	return found;
}

static int
append_message(int fd, const struct mailbox_append *append, const char **why)
{
	struct mbox_writer writer = { .fd = fd };
	off_t size = lseek(fd, 0, SEEK_END);
	char last = '\n';
	int result = -1;

	*why = "append the message";
	if (size == -1)
		return -1;
	if (append->perhaps_delivered) {
		int found = find_earlier_try(fd, size, append);

		if (found != 0)
			return found == 1 ? fsync(fd) : -1;
		if ((size = lseek(fd, 0, SEEK_END)) == -1)
			return -1;
	}
	/* What others left unfinished must not swallow this message. */
	if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n'
	    && writer_put(&writer, "\n\n", 2) == -1)
		;
	else if (write_message(&writer, append) == -1)
		;
	else if (append->limit > 0 && size + writer.length > append->limit)
		errno = EFBIG;
	else if (fsync(fd) == -1)
		*why = "sync the mailbox";
	else
		result = 0;
	writer_clear(&writer);
	if (result == -1) {
		int saved = errno;

		if (ftruncate(fd, size) == -1)
			*why = "append the message, nor cut the mailbox back";
		errno = saved;
	}
	return result;
}

/* Open the file below root, which may have to be created; *created tells. */
static int
open_mbox(int root, const struct mailbox_append *append, bool *created)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = beneath_open(root, append->path, flags, 0);

	*created = false;
	if (fd != -1 || errno != ENOENT)
		return fd;

	char *copy = mem_strdup(append->path), *slash = strrchr(copy, '/');

	if (slash != NULL) {
		*slash = '\0';
		if (beneath_make(root, copy) == -1) {
			free(copy);
			return -1;
		}
	}
	free(copy);
	fd = beneath_open(root, append->path, flags | O_CREAT | O_EXCL, 0600);
	*created = fd != -1;
	if (fd != -1 && append->is_root
	    && fchown(fd, append->owner, append->group) == -1)
		fd_close(&fd);
	return fd;
}

static const char *
objection(int fd, const struct mailbox_append *append)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return "look at the mailbox";
	errno = EPERM;
	if (!S_ISREG(st.st_mode))
		return "use the mailbox: it is not a regular file";
	if (st.st_nlink != 1)
		return "use the mailbox: it has several names";
	if (append->owner != (uid_t)-1 && st.st_uid != append->owner)
		return "use the mailbox: it is not owned by its recipient";
	return NULL;
}

/* The directory entry of a file that was created. */
static int
sync_parent(int root, const char *path)
{
	char *copy = mem_strdup(path);
	int fd = beneath_open(root, dirname(copy), O_RDONLY | O_DIRECTORY, 0);
	int result = fd == -1 ? -1 : fsync(fd);

	fd_close(&fd);
	free(copy);
	return result;
}

int
mailbox_mbox_append(const struct mailbox_append *append, const char **why)
{
	int root, fd = -1, result = -1;
	bool created;

	*why = NULL;
	root = open(append->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		*why = "open the directory of the mailbox";
	else if ((fd = open_mbox(root, append, &created)) == -1)
		*why = "open the mailbox";
	else if ((*why = objection(fd, append)) != NULL)
		;
	else if (mailbox_lock_take(root, append->path, fd, &append->lock) == -1)
		*why = "lock the mailbox";
	else {
		result = append_message(fd, append, why);
		if (result == 0 && created
		    && (result = sync_parent(root, append->path)) == -1)
			*why = "sync the mailbox's directory";
		mailbox_lock_release(root, append->path, &append->lock);
	}
	fd_close(&fd);
	fd_close(&root);
	return result;
}
