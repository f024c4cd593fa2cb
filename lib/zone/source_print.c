/* Whether files are what they were: apart from source.c, which tests replace. */

#include "zone/source.h"

#include <string.h>

uint64_t
source_print(uint64_t print, const struct stat *st)
{
	const uint64_t facts[] = { st->st_dev, st->st_ino, st->st_size,
	    st->st_mtim.tv_sec, st->st_mtim.tv_nsec };

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		print = (print ^ facts[i]) * 0x9e3779b97f4a7c15 + i + 1;
	return print;
}

uint64_t
source_print_all(const char *paths, size_t length)
{
	const char *end = paths + length;
	uint64_t print = 0;
	struct stat st;

	for (; paths < end; paths += strlen(paths) + 1) {
		if (stat(paths, &st) == -1)
			return 0;
		print = source_print(print, &st);
	}
	return print;
}
