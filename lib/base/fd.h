/* fd - descriptors: born O_CLOEXEC, -1 when absent */

#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Close *fd unless it is -1, and make it -1. Leaves errno alone. */
void	 fd_close(int *fd);

/* Write all of it, whatever interrupts. 0, or -1 with errno. Not for sockets in an event loop. */
int	 fd_write_all(int fd, const void *bytes, size_t length);
int	 fd_pwrite_all(int fd, const void *bytes, size_t length, off_t offset);

/* Read until length bytes or the end. Bytes read, or -1 with errno. */
ssize_t	 fd_read_full(int fd, void *bytes, size_t length);
ssize_t	 fd_pread_full(int fd, void *bytes, size_t length, off_t offset);

/* fsync(2) of all of them (-1 is passed over), at the same time (sync.c): errors[] gets an errno for each that fails. */
void	 fd_sync_all(const int *fds, int *errors, size_t count);

/* Set or clear O_NONBLOCK. 0, or -1 with errno. */
int	 fd_nonblocking(int fd, bool on);

/*
 * A whole regular file as a string; *length (may be NULL) is its size.
 * NULL with errno; EFBIG past limit bytes. Released with free(3).
 */
char	*file_read(const char *path, size_t limit, size_t *length);

#endif
