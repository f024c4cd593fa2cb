/* origins - where each record of a zone stands, for those who explain it to people */

#ifndef ZONE_ORIGINS_H
#define ZONE_ORIGINS_H

#include <stddef.h>
#include <stdint.h>

struct zone_owner;

struct origin {
	uint32_t owner;		/* its number */
	uint32_t line;
	uint16_t type;
	uint16_t file;		/* in files[] */
};

/* All zeros to begin. */
struct origins {
	struct origin *list;
	size_t	 count;
	size_t	 size;
	char	**files;
	size_t	 file_count;
};

void	origins_add(struct origins *origins, const struct zone_owner *owner,
	    uint16_t type, const char *file, unsigned line);
void	origins_clear(struct origins *origins);

/* The n-th record of a type, from 0, as "file:line"; "" if it is not known. Gives text. */
#define ORIGIN_TEXT	1100
char	*origins_print(const struct origins *origins,
	    const struct zone_owner *owner, uint16_t type, unsigned n,
	    char text[ORIGIN_TEXT]);

#endif
