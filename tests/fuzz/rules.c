/* rules - whatever a cidr, regexp or pcre table says, and whatever is asked of it, it answers */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "table/table.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
ignore_line(enum log_level level, const char *line)
{
}

static void
ask(const char *type, const char *path)
{
	static const char *const keys[] = { "10.1.2.3", "2001:db8::1",
	    "ada+x@example.org", "" };
	char *name = mem_printf("%s:%s", type, path);
	struct table *table = table_open(name, TABLE_HERE);
	const char *value;

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		table_get(table, keys[i], &value);
	table_close(&table);
	free(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char path[] = "/tmp/fuzz-rules.XXXXXX";
	int fd = mkstemp(path);

	log_open_function(ignore_line);
	if (fd == -1 || fd_write_all(fd, bytes, length) == -1)
		return 0;
	ask("cidr", path);
	ask("regexp", path);
	ask("pcre", path);
	close(fd);
	unlink(path);
	return 0;
}
