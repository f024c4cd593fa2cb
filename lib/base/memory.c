#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void *
mem_alloc(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		fatal("out of memory: cannot allocate %zu bytes", size);
	return memory;
}

void *
mem_zalloc(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (memory == NULL)
		fatal("out of memory: cannot allocate %zu times %zu bytes",
		    count, size);
	return memory;
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count > 0 ? count : 1, size);

	if (memory == NULL)
		fatal("out of memory: cannot allocate %zu times %zu bytes",
		    count, size);
	return memory;
}

char *
mem_strdup(const char *string)
{
	return mem_strndup(string, strlen(string));
}

char *
mem_strndup(const char *text, size_t length)
{
	char *copy = mem_alloc(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *
mem_printf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) == -1)
		fatal("out of memory: cannot format a string");
	va_end(arguments);
	return text;
}
