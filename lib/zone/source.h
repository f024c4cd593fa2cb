/* source - a file that the administrator names: named.conf, a master file, what they include */

#ifndef ZONE_SOURCE_H
#define ZONE_SOURCE_H

#include <stddef.h>

/* Open a regular file; a device or a pipe is none. A descriptor, or -1 with *why, in BIND's words. */
int	source_open(const char *path, const char **why);

/* The same, and all of it as a string, its size in *length. NULL with *why. Released with free(3). */
char	*source_read(const char *path, size_t *length, const char **why);

#endif
