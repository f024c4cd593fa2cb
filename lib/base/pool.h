/*
 * pool - memory of one lifetime
 *
 * A session, a message, a zone owns a pool; what lives as long is allocated
 * there and goes with it. A pool has a limit: past it allocation gives NULL
 * with ENOMEM, the request is put off, and the daemon lives.
 */

#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool;

/* A pool that hands out at most limit bytes; 0 is no limit. Released with pool_free(). */
struct pool *pool_new(size_t limit);

/* Release the pool and all that came from it. Clears *pool; NULL is fine. */
void	 pool_free(struct pool **pool);

/* Forget all that came from the pool, but keep the pool and its first block for use again. */
void	 pool_reset(struct pool *pool);

/* size bytes of zeros, aligned for any type; NULL with ENOMEM past the limit. */
void	*pool_alloc(struct pool *pool, size_t size);

/* Copies that live as long as the pool; NULL with ENOMEM past the limit. */
char	*pool_strdup(struct pool *pool, const char *string);
char	*pool_strndup(struct pool *pool, const char *text, size_t length);
char	*pool_printf(struct pool *pool, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far. */
size_t	 pool_used(const struct pool *pool);

#endif
