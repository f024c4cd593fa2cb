#include "zone/origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/zone.h"

static uint16_t
file_number(struct origins *origins, const char *file)
{
	for (size_t i = origins->file_count; i-- > 0; )
		if (strcmp(origins->files[i], file) == 0)
			return i;
	if (origins->file_count == UINT16_MAX)
		return 0;
	origins->files = mem_resize(origins->files, origins->file_count + 1,
	    sizeof(*origins->files));
	origins->files[origins->file_count] = mem_strdup(file);
	return origins->file_count++;
}

void
origins_add(struct origins *origins, const struct zone_owner *owner,
    uint16_t type, const char *file, unsigned line)
{
	if (origins->count == origins->size) {
		origins->size = 2 * origins->size + 64;
		origins->list = mem_resize(origins->list, origins->size,
		    sizeof(*origins->list));
	}
	origins->list[origins->count++] = (struct origin) {
		.owner = owner->number,
		.line = line,
		.type = type,
		.file = file_number(origins, file),
	};
}

void
origins_clear(struct origins *origins)
{
	for (size_t i = 0; i < origins->file_count; i++)
		free(origins->files[i]);
	free(origins->files);
	free(origins->list);
	memset(origins, 0, sizeof(*origins));
}

char *
origins_print(const struct origins *origins, const struct zone_owner *owner,
    uint16_t type, unsigned n, char text[ORIGIN_TEXT])
{
	text[0] = '\0';
	for (size_t i = 0; i < origins->count; i++) {
		const struct origin *at = &origins->list[i];

		if (at->owner != owner->number || at->type != type || n-- > 0)
			continue;
		snprintf(text, ORIGIN_TEXT, "%s:%u", origins->files[at->file],
		    at->line);
		break;
	}
	return text;
}
