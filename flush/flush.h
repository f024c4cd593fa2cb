/* flush.h - what the files of flush share */

#ifndef FLUSH_FLUSH_H
#define FLUSH_FLUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipc_channel;

#include "ipc/ipc.h"

/* sites.c: a list of queue ids for each site, in flush/. */

/* Read fast_flush_domains. */
void	sites_start(void);

/* 0 if there are lists for this site; EINVAL: it is no site; EACCES: fast_flush_domains does not have it; EAGAIN: a table does not answer. */
int	sites_error(const char *site);

/* The message waits for the site. */
void	sites_add(const char *site, const char *queue_id);

/*
 * Take the list of a site: each id once, a line each. What a process that
 * died had taken comes first; then *again is true, since a newer list may be
 * there. NULL if nothing waits. Released with free(3). sites_done() says
 * that all of it was handed on; until then it is given again after a stop.
 */
char	*sites_take(const char *site, bool *again);
void	sites_done(const char *site);

/* Each site whose list is older than fast_flush_refresh_time, or was taken and not done. */
void	sites_each_old(void (*on_site)(const char *site));

/* questions.c: what is asked of us, as far as fast_flush_domains permits. */

/* A message waits for sites, a line each; or, without queue_id, one shall be tried. Answers by itself. */
void	questions_begin(struct ipc_channel *channel, uint64_t request,
	    const char *queue_id, const char *sites, size_t length);
void	questions_forget(struct ipc_channel *channel);	/* it closed */
bool	questions_are_open(void);

/* wake.c: lists on their way to qmgr. */

/* Have qmgr try all that waits for the site. */
void	wake_site(const char *site);
bool	wake_is_busy(void);

#endif
