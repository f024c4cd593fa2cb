/* repair - what a stop in the middle, or a bad disk, left in the queue */

#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/* Of two names of one message the one further ahead here stays. */
static const enum spool_queue precedence[] = {
	SPOOL_HOLD, SPOOL_DEFERRED, SPOOL_INCOMING, SPOOL_MAILDROP,
};

/* Copies in corrupt/ of one id. */
#define COPIES_MAX	100

static bool
stat_name(enum spool_queue queue, const char *id, struct stat *st)
{
	char path[64];

	spool_path(path, queue, id);
	return lstat(path, st) == 0;
}

bool
spool_keep_one_name(enum spool_queue queue, const char *id)
{
	struct stat mine, other;
	bool seen_mine = false;

	if (!stat_name(queue, id, &mine))
		return false;
	for (size_t i = 0; i < COUNT_OF(precedence); i++) {
		enum spool_queue another = precedence[i];

		if (another == queue) {
			seen_mine = true;
		} else if (stat_name(another, id, &other) &&
		    other.st_ino == mine.st_ino &&
		    other.st_dev == mine.st_dev) {
			spool_file_remove(seen_mine ? another : queue, id);
			if (!seen_mine)
				return false;
		}
	}
	return true;
}

int
spool_keep_corrupt(enum spool_queue queue, const char *id, char path[64])
{
	char old[64];

	spool_path(old, queue, id);
	spool_path(path, SPOOL_CORRUPT, id);
	/* What is there under this id is kept as well. A rename takes a directory or a link along, too. */
	for (int i = 2; access(path, F_OK) == 0 && i < COPIES_MAX; i++)
		snprintf(path, 64, "corrupt/%s.%d", id, i);
	return rename(old, path);
}
