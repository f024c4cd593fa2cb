/* source - read a file that the administrator names: named.conf, a master file, what they include */

#ifndef ZONE_SOURCE_H
#define ZONE_SOURCE_H

#include <stddef.h>

/*
 * A whole regular file as a string, its size in *length; a device or a pipe
 * is none. NULL with *why, in BIND's words. Released with free(3).
 */
char	*source_read(const char *path, size_t *length, const char **why);

#endif
