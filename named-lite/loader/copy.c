#include "named-lite/loader/copy.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

#define BUFFER_SIZE	(1 << 18)

/* Names by their full form, so that a line means the same wherever it stands. */
static void
print_rrset(const struct zone_owner *owner, const struct zone_rrset *rrset,
    struct text *to)
{
	char name[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX];

	dns_name_print(owner->name, name);
	dns_type_print(rrset->type, type);
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		text_printf(to, "%s\t%u\tIN\t%s\t", name, rrset->ttl, type);
		dns_rdata_print(rrset->type, rdata->octets, rdata->length, to);
		text_putc(to, '\n');
	}
}

static int
write_zone(const struct zone *zone, int fd)
{
	struct text text = TEXT_EMPTY;
	int result = 0;

	text_puts(&text, "; written by named-lite: a copy of its primary's\n");
	for (const struct zone_owner *owner = zone->first; owner != NULL &&
	    result == 0; owner = zone_next(owner)) {
		for (const struct zone_rrset *rrset = owner->rrsets;
		    rrset != NULL; rrset = rrset->next)
			print_rrset(owner, rrset, &text);
		if (text.length >= BUFFER_SIZE || zone_next(owner) == NULL) {
			result = fd_write_all(fd, text.bytes, text.length);
			text_truncate(&text, 0);
		}
	}
	text_clear(&text);
	return result;
}

static int
sync_directory(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *path = slash == NULL ? mem_strdup(".") :
	    mem_strndup(file, slash - file + 1);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd == -1 ? -1 : fsync(fd);

	fd_close(&fd);
	free(path);
	return result;
}

int
copy_write(const struct zone *zone, const char *file)
{
	char *path = mem_printf("%s.XXXXXX", file);
	int fd = mkostemp(path, O_CLOEXEC), result = -1, error;

	if (fd != -1 && fchmod(fd, 0644) == 0 && write_zone(zone, fd) == 0 &&
	    fsync(fd) == 0 && rename(path, file) == 0)
		result = sync_directory(file);
	else if (fd != -1) {
		error = errno;
		unlink(path);
		errno = error;
	}
	fd_close(&fd);
	free(path);
	return result;
}

void
copy_confirm(const char *file)
{
	if (utimensat(AT_FDCWD, file, NULL, 0) == -1 && errno != ENOENT)
		log_warning("%s: cannot note that it is up to date: %m", file);
}

int64_t
copy_confirmed_at(const char *file)
{
	struct stat st;

	return stat(file, &st) == -1 ? -1 : st.st_mtime;
}
