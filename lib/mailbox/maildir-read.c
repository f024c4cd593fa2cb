/*
 * Reading a Maildir: a snapshot, taken once, that others may change meanwhile
 *
 * new/ is listed before cur/, so that a message which another reader moves at
 * this moment is met at least once; met twice, the one in cur/ counts. Files
 * keep their place: what reads POP3 leaves no trace until it deletes. A file
 * that is gone when it is wanted may only have changed its flags, and is
 * looked for by its base name.
 */

#include "mailbox/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/base.h"

enum { IN_NEW, IN_CUR };

#define UNKNOWN		(-1)
#define UNIQUE_ID_MAX	70	/* RFC 1939 section 7 */

struct message {
	char	*file;
	size_t	 base_length;	/* of the name without ":2,flags" */
	unsigned long long arrival;	/* the number that it begins with */
	off_t	 size;
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

static int
open_folder(int directory, const char *name)
{
	return beneath_open(directory, name, O_RDONLY | O_DIRECTORY, 0);
}

static void
add_message(struct mailbox *box, const char *file, int folder)
{
	if (box->count == box->room) {
		box->room = box->room == 0 ? 64 : box->room * 2;
		box->messages = mem_resize(box->messages, box->room,
		    sizeof(*box->messages));
	}

	struct message *m = &box->messages[box->count++];

	memset(m, 0, sizeof(*m));
	m->file = pool_strdup(box->pool, file);
	m->base_length = strcspn(file, ":");
	m->arrival = strtoull(file, NULL, 10);
	m->folder = (unsigned char)folder;
	m->size = UNKNOWN;
}

static bool
is_message_file(int folder, const struct dirent *file)
{
	struct stat st;

	if (file->d_name[0] == '.')
		return false;
	if (file->d_type != DT_UNKNOWN)
		return file->d_type == DT_REG;
	return fstatat(folder, file->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
	    && S_ISREG(st.st_mode);
}

static int
list_folder(struct mailbox *box, int folder)
{
	int fd = dup(box->folders[folder]);
	DIR *open = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *file;

	if (open == NULL) {
		fd_close(&fd);
		return -1;
	}
	rewinddir(open);
	errno = 0;
	while ((file = readdir(open)) != NULL)
		if (is_message_file(box->folders[folder], file))
			add_message(box, file->d_name, folder);

	int error = errno;

	closedir(open);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* By uid where both have one; those that have none come later; then by arrival, then by name. */
static int
compare(const void *a, const void *b)
{
	const struct message *m = a, *n = b;

	if (m->uid != n->uid)
		return m->uid != 0 && (n->uid == 0 || m->uid < n->uid) ? -1 : 1;
	if (m->arrival != n->arrival)
		return m->arrival < n->arrival ? -1 : 1;

	size_t shorter = m->base_length < n->base_length ? m->base_length
	    : n->base_length;
	int order = memcmp(m->file, n->file, shorter);

	if (order != 0)
		return order;
	if (m->base_length != n->base_length)
		return m->base_length < n->base_length ? -1 : 1;
	return (m->folder == IN_NEW) - (n->folder == IN_NEW);	/* cur/ first */
}

static bool
is_same_base(const struct message *m, const struct message *n)
{
	return m->base_length == n->base_length
	    && memcmp(m->file, n->file, m->base_length) == 0;
}

/* Of neighbours with one base name keep the first: another reader was moving it. */
static void
drop_doubles(struct mailbox *box)
{
	size_t kept = 0;

	for (size_t i = 0; i < box->count; i++)
		if (kept == 0
		    || !is_same_base(&box->messages[kept - 1], &box->messages[i]))
			box->messages[kept++] = box->messages[i];
	box->count = kept;
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
		return UNKNOWN;

	long long size = strtoll(at + 3, &end, 10);

	return *end == ',' || *end == ':' || *end == '\0' ? (off_t)size : UNKNOWN;
}

static const char *
hashed_unique_id(struct mailbox *box, const struct message *m)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char hex[33];

	SHA256((const unsigned char *)m->file, m->base_length, hash);
	for (size_t i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return pool_strdup(box->pool, hex);
}

/* The base name without the sizes, if it may be a unique-id; else a hash of all of it. */
static const char *
named_unique_id(struct mailbox *box, const struct message *m)
{
	size_t length = strcspn(m->file, ",:");

	if (length == 0 || length > UNIQUE_ID_MAX)
		return hashed_unique_id(box, m);
	for (size_t i = 0; i < length; i++)
		if (m->file[i] < 0x21 || m->file[i] > 0x7e)
			return hashed_unique_id(box, m);
	return pool_strndup(box->pool, m->file, length);
}

/* No two may share one (RFC 1939 section 7): a later message's is then a hash. */
static void
give_unique_ids(struct mailbox *box)
{
	struct map *given = map_new();

	for (size_t i = 0; i < box->count; i++) {
		struct message *m = &box->messages[i];

		if (m->unique_id == NULL)
			m->unique_id = named_unique_id(box, m);
		if (map_set(given, m->unique_id, m) != NULL)
			m->unique_id = hashed_unique_id(box, m);
	}
	map_free(&given, NULL);
	box->has_unique_ids = true;
}

static void
apply_uidlist(struct mailbox *box)
{
	struct uidlist *list = uidlist_read(box->directory);

	for (size_t i = 0; list != NULL && i < box->count; i++) {
		struct message *m = &box->messages[i];
		char base[NAME_MAX + 1];

		snprintf(base, sizeof(base), "%.*s", (int)m->base_length, m->file);

		const struct uidlist_line *said = uidlist_get(list, base);

		if (said == NULL)
			continue;
		m->uid = said->uid;
		if (said->vsize >= 0)
			m->size = said->vsize;
		m->unique_id = said->own != NULL && said->own[0] != '\0'
		    && strlen(said->own) <= UNIQUE_ID_MAX
		    ? pool_strdup(box->pool, said->own)
		    : pool_printf(box->pool, "%08x%08x", said->uid,
			uidlist_validity(list));
	}
	uidlist_free(&list);
}

/* Cut the last component off, in place. False: there is no more. */
static bool
go_up(char *path)
{
	char *end = path + strlen(path);

	while (end > path && end[-1] == '/')
		*--end = '\0';
	while (end > path && end[-1] != '/')
		*--end = '\0';
	return end > path;
}

/*
 * A Maildir that was never delivered to: empty, if it could be there. Its
 * parent is, or one further up where the user may make what is missing.
 */
static bool
is_yet_to_come(const char *path)
{
	char *parent = mem_strdup(path);
	bool is_there, is_relative = !go_up(parent);

	is_there = access(is_relative ? "." : parent, X_OK) == 0;
	while (!is_relative && !is_there && errno == ENOENT && go_up(parent))
		is_there = access(parent, W_OK | X_OK) == 0;
	free(parent);
	return is_there;
}

static int
open_folders(struct mailbox *box, const char *path, const char **why)
{
	static const char *const names[] = { "new", "cur" };

	*why = "open the maildir";
	box->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (box->directory == -1)
		return errno == ENOENT && is_yet_to_come(path) ? 0 : -1;
	for (int i = 0; i < 2; i++) {
		box->folders[i] = open_folder(box->directory, names[i]);
		if (box->folders[i] == -1 && errno != ENOENT) {
			*why = "open the maildir's new and cur";
			return -1;
		}
	}
	*why = "list the maildir";
	for (int i = 0; i < 2; i++)
		if (box->folders[i] != -1 && list_folder(box, i) == -1)
			return -1;
	return 0;
}

struct mailbox *
mailbox_open(const char *path, const char **why)
{
	struct mailbox *box = mem_zalloc(1, sizeof(*box));

	box->directory = box->folders[IN_NEW] = box->folders[IN_CUR] = -1;
	box->pool = pool_new(0);
	if (open_folders(box, path, why) == -1) {
		int saved = errno;

		mailbox_abandon(&box);
		errno = saved;
		return NULL;
	}
	*why = NULL;
	if (box->directory != -1)
		maildir_sweep(box->directory);
	if (box->count == 0)
		return box;
	apply_uidlist(box);
	qsort(box->messages, box->count, sizeof(*box->messages), compare);
	drop_doubles(box);
	return box;
}

size_t
mailbox_count(const struct mailbox *box)
{
	return box->count;
}

const char *
mailbox_unique_id(struct mailbox *box, size_t n)
{
	if (!box->has_unique_ids)
		give_unique_ids(box);
	return box->messages[n].unique_id;
}

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

	if (m->size == UNKNOWN)
		m->size = size_in_name(m, 'W');
	if (m->size == UNKNOWN) {
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
