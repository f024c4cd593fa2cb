#include "tools/shared/logs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"

/* A line that is longer is cut into two. */
#define BUFFER_SIZE	((size_t)256 << 10)

struct log_file {
	char	*path;
	int	 fd;
	time_t	 modified;
};

struct logs {
	struct log_file	*files;
	size_t		 count;
};

struct logs *
logs_new(void)
{
	return mem_zalloc(1, sizeof(struct logs));
}

void
logs_free(struct logs **logs)
{
	if (*logs == NULL)
		return;
	for (size_t i = 0; i < (*logs)->count; i++) {
		fd_close(&(*logs)->files[i].fd);
		free((*logs)->files[i].path);
	}
	free((*logs)->files);
	free(*logs);
	*logs = NULL;
}

int
logs_add(struct logs *logs, const char *path)
{
	int fd = strcmp(path, "-") == 0 ?
	    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || S_ISDIR(st.st_mode)) {
		fd_close(&fd);
		errno = EISDIR;
		return -1;
	}
	logs->files = mem_resize(logs->files, logs->count + 1,
	    sizeof(*logs->files));
	logs->files[logs->count++] = (struct log_file){ mem_strdup(path), fd,
	    st.st_mtime };
	return 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct log_file *x = a, *y = b;

	return (x->modified > y->modified) - (x->modified < y->modified);
}

/* "mail.log.2.gz", "maillog-20260112": what logrotate and postlogd make of the name. */
static bool
is_rotation(const char *name, const char *base)
{
	size_t length = strlen(base);

	return text_starts_with(name, base) &&
	    (name[length] == '.' || name[length] == '-') &&
	    isdigit((unsigned char)name[length + 1]);
}

static void
add_rotations(struct logs *logs, const char *path)
{
	char *copy = mem_strdup(path), *copy2 = mem_strdup(path);
	const char *folder = dirname(copy), *base = basename(copy2);
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char *below;

		if (!is_rotation(entry->d_name, base))
			continue;
		below = mem_printf("%s/%s", folder, entry->d_name);
		if (logs_add(logs, below) == -1)
			log_warning("%s: %m", below);
		free(below);
	}
	if (directory != NULL)
		closedir(directory);
	free(copy);
	free(copy2);
}

int
logs_add_usual(struct logs *logs)
{
	const char *const usual[] = { config.maillog_file, "/var/log/mail.log",
	    "/var/log/maillog" };
	bool known = *config.maillog_file != '\0';
	struct stat st;

	for (size_t i = known ? 0 : 1; i < (known ? 1 : COUNT_OF(usual)); i++) {
		if (stat(usual[i], &st) == -1)
			continue;
		if (!S_ISREG(st.st_mode)) {
			errno = EINVAL;
			return -1;
		}
		add_rotations(logs, usual[i]);
		if (logs->count > 0)
			qsort(logs->files, logs->count, sizeof(*logs->files),
			    by_age);
		return logs_add(logs, usual[i]);
	}
	errno = ENOENT;
	return -1;
}

static bool
is_compressed(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    magic[0] == 0x1f && magic[1] == 0x8b;
}

/* gzip(1) reads fd; we read what it writes. -1 with errno. Its number is in *pid. */
static int
start_gzip(int fd, pid_t *pid)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	*pid = fork();
	if (*pid == 0) {
		if (dup2(fd, STDIN_FILENO) != -1 &&
		    dup2(ends[1], STDOUT_FILENO) != -1)
			execlp("gzip", "gzip", "-dc", (char *)NULL);
		_exit(127);
	}
	fd_close(&ends[1]);
	if (*pid == -1)
		fd_close(&ends[0]);
	return ends[0];
}

/* 0 at the end of the file, or -1 with errno. */
static int
read_lines(int fd, void (*on_line)(const char *, size_t, void *),
    void *context)
{
	char *buffer = mem_alloc(BUFFER_SIZE);
	size_t filled = 0;
	ssize_t n;

	while ((n = read(fd, buffer + filled, BUFFER_SIZE - filled)) > 0 ||
	    (n == -1 && errno == EINTR)) {
		char *line = buffer, *end;

		filled += n > 0 ? (size_t)n : 0;
		while ((end = memchr(line, '\n',
		    filled - (size_t)(line - buffer))) != NULL) {
			on_line(line, (size_t)(end - line), context);
			line = end + 1;
		}
		filled -= (size_t)(line - buffer);
		memmove(buffer, line, filled);
		if (filled == BUFFER_SIZE) {
			on_line(buffer, filled, context);
			filled = 0;
		}
	}
	if (filled > 0)
		on_line(buffer, filled, context);
	free(buffer);
	return n == -1 ? -1 : 0;
}

static int
read_compressed(int fd, void (*on_line)(const char *, size_t, void *),
    void *context)
{
	pid_t pid;
	int status, from = start_gzip(fd, &pid), result;

	if (from == -1)
		return -1;
	result = read_lines(from, on_line, context);
	fd_close(&from);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (result == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		errno = EIO;
		result = -1;
	}
	return result;
}

void
logs_read(struct logs *logs, void (*on_line)(const char *, size_t, void *),
    void *context)
{
	for (size_t i = 0; i < logs->count; i++) {
		const struct log_file *file = &logs->files[i];

		if ((is_compressed(file->fd) ?
		    read_compressed(file->fd, on_line, context) :
		    read_lines(file->fd, on_line, context)) == -1)
			log_warning("%s cannot be read to its end: %m",
			    file->path);
	}
}
