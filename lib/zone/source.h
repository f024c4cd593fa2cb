/* source - a file that the administrator names: named.conf, a master file, what they include */

#ifndef ZONE_SOURCE_H
#define ZONE_SOURCE_H

#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

/* Open a regular file; a device or a pipe is none. A descriptor, or -1 with *why, in BIND's words. */
int	source_open(const char *path, const char **why);

/* The same, and all of it as a string, its size in *length. NULL with *why. Released with free(3). */
char	*source_read(const char *path, size_t *length, const char **why);

/* Which file it is, and of when: added to the print of those before it, 0 at first. */
uint64_t source_print(uint64_t print, const struct stat *st);

/* That of files as they are now, each path with its NUL. 0: not all are there. */
uint64_t source_print_all(const char *paths, size_t length);

#endif
