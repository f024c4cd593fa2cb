/*
 * Opening a Maildir: a snapshot, taken once, that others may change meanwhile
 *
 * new/ is listed before cur/, so that a message which another reader moves at
 * this moment is met at least once; met twice, the one in cur/ counts. The
 * order is that of Dovecot's uid list, and of arrival.
 */

#include "mailbox/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

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
	m->size = SIZE_UNKNOWN;
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
