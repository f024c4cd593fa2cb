/* memory - allocation that succeeds, or ends the process with EX_TEMPFAIL and a log line */

#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* size bytes, not cleared. Released with free(3). */
void	*mem_alloc(size_t size);

/* count times size bytes of zeros; an overflow counts as no memory. */
void	*mem_zalloc(size_t count, size_t size);

/* Resize an array to count elements of size bytes. Takes and gives a pointer as realloc(3) does. */
void	*mem_resize(void *old, size_t count, size_t size);

char	*mem_strdup(const char *string);

/* A copy of length bytes with a NUL after them. */
char	*mem_strndup(const char *text, size_t length);

char	*mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
