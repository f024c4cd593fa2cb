#include "config/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

static struct copy {
	const char	*file;
	const char	*variable;
	int		 fd;		/* -1: none taken */
} copies[] = {
	{ "main.cf", "POSTROAD_MAIN_CF", -1 },
	{ "master.cf", "POSTROAD_MASTER_CF", -1 },
};

#define FILE_LIMIT	(16 << 20)

static int
copy_file(const char *path)
{
	size_t length;
	char *text = file_read(path, FILE_LIMIT, &length);
	int fd = text == NULL ? -1 :
	    memfd_create("config", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd != -1 && (fd_write_all(fd, text, length) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
	    F_SEAL_SEAL) == -1))
		fd_close(&fd);
	free(text);
	return fd;
}

int
config_snapshot_take(const char *directory)
{
	int fresh[COUNT_OF(copies)];
	bool complete = true;

	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		char *path = mem_printf("%s/%s", directory, copies[i].file);

		fresh[i] = copy_file(path);
		complete &= fresh[i] != -1;
		free(path);
	}
	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		if (complete) {
			fd_close(&copies[i].fd);
			copies[i].fd = fresh[i];
		} else {
			fd_close(&fresh[i]);
		}
	}
	return complete ? 0 : -1;
}

void
config_snapshot_hand_on(void)
{
	char number[16];

	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		/* Above the descriptors that a daemon expects at fixed places. */
		int fd = copies[i].fd == -1 ? -1 :
		    fcntl(copies[i].fd, F_DUPFD, 128);

		if (fd == -1)
			continue;
		snprintf(number, sizeof(number), "%d", fd);
		setenv(copies[i].variable, number, 1);
	}
}

/* The copy that we inherited; what is no sealed memory file is not master's. */
static int
inherited(const struct copy *copy)
{
	const char *number = getenv(copy->variable), *error;
	int fd;

	if (number == NULL)
		return -1;
	fd = (int)strtonum(number, 0, 65535, &error);
	if (error != NULL || fcntl(fd, F_GET_SEALS) == -1 ||
	    !(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE))
		return -1;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static char *
read_copy(int fd, size_t *length)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;

	char *text = mem_alloc((size_t)st.st_size + 1);

	if (fd_pread_full(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	text[st.st_size] = '\0';
	*length = (size_t)st.st_size;
	return text;
}

char *
config_snapshot_read(const char *path, size_t limit, size_t *length)
{
	const char *name = strrchr(path, '/');

	name = name != NULL ? name + 1 : path;
	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		int fd = strcmp(name, copies[i].file) == 0 ?
		    inherited(&copies[i]) : -1;
		char *text = fd != -1 ? read_copy(fd, length) : NULL;

		if (text != NULL)
			return text;
	}
	return file_read(path, limit, length);
}
