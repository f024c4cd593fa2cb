#include "resolve/internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define HOSTS_SIZE_MAX	(1 << 20)

struct host {
	union resolve_address	 address;
	char			**names;
	size_t			 name_count;
};

struct hosts {
	char		*text;		/* the file; names point into it */
	struct host	*hosts;
	size_t		 count;
};

static bool
read_address(const char *word, union resolve_address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, word, &address->v4.sin_addr) == 1)
		address->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, word, &address->v6.sin6_addr) == 1)
		address->any.sa_family = AF_INET6;
	else
		return false;
	return true;
}

static void
read_line(struct hosts *hosts, char *line)
{
	struct host host = { .name_count = 0 };

	line[strcspn(line, "#")] = '\0';

	char *word = word_next(&line, " \t\r");

	if (word == NULL || !read_address(word, &host.address))
		return;
	while ((word = word_next(&line, " \t\r")) != NULL) {
		host.names = mem_resize(host.names, host.name_count + 1,
		    sizeof(*host.names));
		host.names[host.name_count++] = text_lower(word);
	}
	if (host.name_count == 0)
		return;
	hosts->hosts = mem_resize(hosts->hosts, hosts->count + 1, sizeof(host));
	hosts->hosts[hosts->count++] = host;
}

struct hosts *
hosts_read(const char *path)
{
	struct hosts *hosts = mem_zalloc(1, sizeof(*hosts));

	hosts->text = file_read(path, HOSTS_SIZE_MAX, NULL);

	char *cursor = hosts->text, *line;

	while (cursor != NULL && (line = strsep(&cursor, "\n")) != NULL)
		read_line(hosts, line);
	return hosts;
}

void
hosts_free(struct hosts **hosts)
{
	if (*hosts == NULL)
		return;
	for (size_t i = 0; i < (*hosts)->count; i++)
		free((*hosts)->hosts[i].names);
	free((*hosts)->hosts);
	free((*hosts)->text);
	free(*hosts);
	*hosts = NULL;
}

static bool
has_name(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->name_count; i++)
		if (text_equal_nocase(host->names[i], name))
			return true;
	return false;
}

size_t
hosts_addresses(const struct hosts *hosts, const char *name, unsigned families,
    union resolve_address *addresses, size_t limit)
{
	size_t found = 0;

	for (size_t i = 0; i < hosts->count && found < limit; i++) {
		const struct host *host = &hosts->hosts[i];
		unsigned family = host->address.any.sa_family == AF_INET ?
		    RESOLVE_V4 : RESOLVE_V6;

		if ((families & family) && has_name(host, name))
			addresses[found++] = host->address;
	}
	return found;
}

const char *
hosts_name(const struct hosts *hosts, const struct sockaddr *address)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (resolve_same_host(&hosts->hosts[i].address.any, address))
			return hosts->hosts[i].names[0];
	return NULL;
}
