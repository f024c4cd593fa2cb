/* postscreen.h - what the files of postscreen share */

#ifndef POSTSCREEN_POSTSCREEN_H
#define POSTSCREEN_POSTSCREEN_H

#include <stdint.h>

/* cache.c: what is kept of each client, and for how long. */

/* Gives the directory that the cache's file lies in; NULL: it is in memory. */
const char *cache_open(void);
void	cache_close(void);

/* The row of a client, "" if there is none. Borrowed until the next call. */
const char *cache_recall(const char *client);

/* It has passed this, too. 0, or -1: that is no row. */
int	cache_learn(const char *client, const char *row);

#endif
