/*
 * walk - through a queue, a step at a time
 *
 * A queue may hold a million files. A step takes some milliseconds, so that
 * what else the filer is asked for waits no longer than that. On the way it
 * removes what a crash left behind.
 */

#include "qmgr/filing/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/base.h"
#include "config/config.h"
#include "spool/spool.h"
#include "spool/unnamed.h"

/* A step ends after this time, or with so many ids. */
enum { STEP_MS = 5, STEP_IDS = 250 };

static struct {
	DIR	*top, *below;		/* the queue, and its sub-directory */
	int	 queue;
	bool	 complained[SPOOL_QUEUES];	/* strange names are told once */
} walk;

static void
end_walk(void)
{
	if (walk.below != NULL)
		closedir(walk.below);
	if (walk.top != NULL)
		closedir(walk.top);
	walk.below = walk.top = NULL;
}

static int
begin_walk(int queue)
{
	const char *name = spool_queue_name((enum spool_queue)queue);

	end_walk();
	walk.queue = queue;
	walk.top = opendir(name);
	if (walk.top == NULL)
		log_warning("cannot read %s/: %m; run postroad set-permissions",
		    name);
	return walk.top == NULL ? -1 : 0;
}

static bool
enter(const char *name)
{
	int fd = openat(dirfd(walk.top), name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);

	walk.below = fd == -1 ? NULL : fdopendir(fd);
	if (walk.below == NULL)
		fd_close(&fd);
	return walk.below != NULL;
}

/* The next name that is not a directory of ours; *directory is where. NULL at the end. */
static const char *
next_name(int *directory)
{
	for (;;) {
		DIR *here = walk.below != NULL ? walk.below : walk.top;
		struct dirent *entry = readdir(here);

		if (entry == NULL && here == walk.top)
			return NULL;
		if (entry == NULL) {
			closedir(walk.below);
			walk.below = NULL;
		} else if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    (here == walk.below || entry->d_name[1] != '\0' ||
		    !enter(entry->d_name))) {
			*directory = dirfd(here);
			return entry->d_name;
		}
	}
}

static void
complain(const char *name)
{
	char shown[NAME_MAX + 1];

	if (walk.complained[walk.queue])
		return;
	strlcpy(shown, name, sizeof(shown));
	log_warning("%s/%s: not a queue id; such files are left alone",
	    spool_queue_name((enum spool_queue)walk.queue),
	    text_printable(shown));
}

/*
 * Its time has come. One that is further away than any mail waits was set by
 * a clock that was wrong.
 */
static bool
is_due(const struct stat *st)
{
	int64_t now = (int64_t)time(NULL), at = (int64_t)st->st_mtim.tv_sec;

	return at <= now || at > now + (config.maximal_backoff_time >
	    config.maximal_queue_lifetime ? config.maximal_backoff_time :
	    config.maximal_queue_lifetime);
}

static bool
is_wanted(const struct ipc_file_walk *asked, int directory, const char *name)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	if (name[0] == '.') {
		unnamed_sweep_name(directory, name);
		return false;
	}
	if (!spool_id_is_valid(name)) {
		complain(name);
		return false;
	}
	if (st.st_nlink > 1 && S_ISREG(st.st_mode) &&
	    !spool_keep_one_name((enum spool_queue)asked->queue, name))
		return false;
	if (asked->queue == SPOOL_HOLD)
		return false;
	/* What is no file is fetched, too, and goes to corrupt/. */
	return asked->all || !S_ISREG(st.st_mode) || is_due(&st);
}

void
walk_next(const struct ipc_file_walk *asked, struct ipc_packet *reply)
{
	struct text ids = TEXT_EMPTY;
	int64_t until = clock_ms() + STEP_MS;
	const char *name = "";
	int directory, count = 0;
	bool here = asked->begin ? begin_walk((int)asked->queue) == 0 :
	    walk.top != NULL && walk.queue == (int)asked->queue;

	while (here && count < STEP_IDS && clock_ms() < until &&
	    (name = next_name(&directory)) != NULL) {
		if (!is_wanted(asked, directory, name))
			continue;
		text_printf(&ids, "%s\n", name);
		count++;
	}
	if (here && name == NULL) {
		walk.complained[walk.queue] = true;
		end_walk();
	}
	ipc_encode_file_walked(reply, 0, &(struct ipc_file_walked){
	    .end = !here || name == NULL,
	    .queue_ids = { text_string(&ids), ids.length } });
	text_clear(&ids);
}
