/*
 * sites - a list of queue ids for each site
 *
 * flush/example.com has a queue id a line, some more than once: what waits is
 * added each time that it was tried in vain. The file's time is that of its
 * first line, which says how old the list is. flush/example.com~ was taken,
 * and goes when qmgr has all of it. None of this is synced: a list that is
 * lost costs patience, not mail.
 */

#include "flush/flush.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "spool/spool.h"
#include "table/match.h"

/* The ids of ten million messages. A longer list is dropped, and its mail waits for its time. */
#define LIST_MAX	(128 << 20)

#define PATH_SIZE	300

static struct match_list *eligible;

void
sites_start(void)
{
	eligible = match_list_open("fast_flush_domains",
	    config.fast_flush_domains);
}

/* [192.0.2.1] is eligible as itself and as 192.0.2.1. */
static enum table_answer
find(const char *site)
{
	enum table_answer answer = match_domain(eligible, site);
	size_t length = strlen(site);

	if (answer != TABLE_NONE || *site != '[')
		return answer;

	char *bare = mem_strndup(site + 1, length - 2);

	answer = match_domain(eligible, bare);
	free(bare);
	return answer;
}

int
sites_error(const char *site)
{
	size_t length = strlen(site);

	if (!hostname_is_valid(site, length) &&
	    !address_literal_is_valid(site, length))
		return EINVAL;
	switch (find(site)) {
	case TABLE_FOUND:
		return 0;
	case TABLE_NONE:
		return EACCES;
	default:
		return EAGAIN;
	}
}

/* A site is a host name or an address literal: what a file name should not have becomes '_'. */
static void
list_path(char path[PATH_SIZE], const char *site, const char *suffix)
{
	snprintf(path, PATH_SIZE, "flush/%s%s", site, suffix);
	text_lower(path);
	for (char *c = path + strlen("flush/"); *c != '\0'; c++) {
		if (strchr("/[]:", *c) != NULL)
			*c = '_';
	}
}

void
sites_add(const char *site, const char *queue_id)
{
	char path[PATH_SIZE], line[SPOOL_ID_SIZE + 1];
	int length = snprintf(line, sizeof(line), "%s\n", queue_id);
	struct stat before;

	list_path(path, site, "");

	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	bool failed = fd == -1 || fstat(fd, &before) == -1 ||
	    write(fd, line, (size_t)length) != length;

	if (failed)
		log_warning("%s: cannot add it to %s: %m; it is tried at its "
		    "time", queue_id, path);
	else if (before.st_size > 0)
		futimens(fd, (struct timespec[]){ before.st_atim,
		    before.st_mtim });
	fd_close(&fd);
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each valid line of the text once. */
static char *
unique_lines(char *list)
{
	struct text result = TEXT_EMPTY;
	char *cursor = list, *line, **ids = NULL;
	size_t count = 0, room = 0;

	while ((line = word_next(&cursor, "\n")) != NULL) {
		if (!spool_id_is_valid(line))
			continue;
		if (count == room) {
			room = room * 2 + 64;
			ids = mem_resize(ids, room, sizeof(*ids));
		}
		ids[count++] = line;
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(ids[i - 1], ids[i]) != 0)
			text_printf(&result, "%s\n", ids[i]);
	}
	free(ids);
	return text_take(&result);
}

char *
sites_take(const char *site, bool *again)
{
	char path[PATH_SIZE], taken[PATH_SIZE], *list, *ids;

	list_path(path, site, "");
	list_path(taken, site, "~");
	*again = access(taken, F_OK) == 0;
	if (!*again && rename(path, taken) == -1) {
		if (errno != ENOENT)
			log_warning("cannot rename %s: %m", path);
		return NULL;
	}
	list = file_read(taken, LIST_MAX, NULL);
	if (list == NULL) {
		log_warning("cannot read %s: %m; its mail is tried at its time",
		    taken);
		sites_done(site);
		return NULL;
	}
	ids = unique_lines(list);
	free(list);
	return ids;
}

void
sites_done(const char *site)
{
	char taken[PATH_SIZE];

	list_path(taken, site, "~");
	if (unlink(taken) == -1 && errno != ENOENT)
		log_warning("cannot remove %s: %m", taken);
}

static bool
is_old(int directory, const char *name)
{
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    st.st_mtime + config.fast_flush_refresh_time <= time(NULL);
}

void
sites_each_old(void (*on_site)(const char *site))
{
	DIR *directory = opendir("flush");
	struct dirent *entry;

	if (directory == NULL) {
		log_warning("cannot read flush/: %m; run postroad set-permissions");
		return;
	}
	while ((entry = readdir(directory)) != NULL) {
		char *site = mem_strdup(entry->d_name);
		size_t length = strlen(site);
		bool taken = length > 0 && site[length - 1] == '~';

		if (taken)
			site[length - 1] = '\0';
		if (*site != '.' && (taken || is_old(dirfd(directory), site)))
			on_site(site);
		free(site);
	}
	closedir(directory);
}
