/*
 * The uid list that Dovecot keeps in a Maildir
 *
 *     3 V1795000000 N7 G0123...			uidvalidity, next uid
 *     5 W1204 P0000000512345678 :1795.M1P2.host	uid, sizes, own unique-id, base name
 *
 * It is only read, so that a mailbox which Dovecot served keeps its unique-ids.
 * A line that makes no sense is passed over.
 */

#include "mailbox/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

#define LIST_LIMIT	(64 * 1024 * 1024)

struct uidlist {
	uint32_t validity;
	struct pool *pool;
	struct map *lines;	/* base name to struct uidlist_line */
};

static bool
parse_header(struct uidlist *list, char *line)
{
	char *word = word_next(&line, " ");

	if (word == NULL || strcmp(word, "3") != 0)
		return false;
	while ((word = word_next(&line, " ")) != NULL)
		if (word[0] == 'V')
			list->validity = (uint32_t)strtoul(word + 1, NULL, 10);
	return list->validity != 0;
}

static void
parse_line(struct uidlist *list, char *line)
{
	struct uidlist_line *said = pool_alloc(list->pool, sizeof(*said));
	char *name = strchr(line, ':');

	if (said == NULL || name == NULL)
		return;
	*name++ = '\0';
	name[strcspn(name, ":")] = '\0';	/* flags are no part of it */
	said->uid = (uint32_t)strtoul(line, &line, 10);
	said->vsize = -1;
	for (char *word; (word = word_next(&line, " ")) != NULL;) {
		if (word[0] == 'W')
			said->vsize = strtoll(word + 1, NULL, 10);
		else if (word[0] == 'P')
			said->own = pool_strdup(list->pool, word + 1);
	}
	if (said->uid != 0)
		map_set(list->lines, name, said);
}

struct uidlist *
uidlist_read(int maildir)
{
	int fd = openat(maildir, "dovecot-uidlist",
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	off_t size = fd == -1 ? -1 : lseek(fd, 0, SEEK_END);

	if (size <= 0 || size > LIST_LIMIT) {
		fd_close(&fd);
		return NULL;
	}

	struct uidlist *list = mem_zalloc(1, sizeof(*list));
	char *contents = mem_alloc((size_t)size + 1), *cursor = contents;
	ssize_t n = fd_pread_full(fd, contents, (size_t)size, 0);

	contents[n > 0 ? n : 0] = '\0';
	list->pool = pool_new(0);
	list->lines = map_new();

	char *line = word_next(&cursor, "\n");

	if (line == NULL || !parse_header(list, line))
		uidlist_free(&list);
	else
		while ((line = word_next(&cursor, "\n")) != NULL)
			parse_line(list, line);
	free(contents);
	fd_close(&fd);
	return list;
}

void
uidlist_free(struct uidlist **list)
{
	if (*list == NULL)
		return;
	map_free(&(*list)->lines, NULL);
	pool_free(&(*list)->pool);
	free(*list);
	*list = NULL;
}

uint32_t
uidlist_validity(const struct uidlist *list)
{
	return list->validity;
}

const struct uidlist_line *
uidlist_get(const struct uidlist *list, const char *base)
{
	return list == NULL ? NULL : map_get(list->lines, base);
}
