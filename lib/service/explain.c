#include "service/explain.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "service/service.h"

#define OVERRIDES_MAX	200
#define VALUE_SHOWN	200		/* bytes of a table's value */
#define DEPTH		"POSTROAD_EXPLAIN_DEPTH"

static const char *given[OVERRIDES_MAX + 1];	/* by who asks */
static size_t given_count;

void
explain_fail(const char *format, const char *what)
{
	fprintf(stderr, "postroad: fatal: ");
	fprintf(stderr, format, what);
	fputc('\n', stderr);
	exit(1);
}

bool
explain_is_wanted(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "--explain") == 0;
}

void
explain_override(const char *override)
{
	if (given_count == OVERRIDES_MAX)
		explain_fail("too many settings: %s", override);
	given[given_count++] = override;
}

int
explain_options(int argc, char **argv)
{
	int at = 2;

	for (; at + 1 < argc && strcmp(argv[at], "-o") == 0; at += 2)
		explain_override(argv[at + 1]);
	return at;
}

const struct master_cf *
explain_services(void)
{
	static struct master_cf services;
	static bool was_read;

	if (!was_read && config_load(NULL, given) == 0 &&
	    master_cf_load(config.config_directory, &services) == 0)
		master_cf_merge_screen(&services);
	was_read = true;
	return &services;
}

const struct master_entry *
explain_service(const char *name)
{
	const struct master_cf *services = explain_services();

	for (size_t i = 0; i < services->count; i++)
		if (strcmp(services->entries[i].name, name) == 0 &&
		    services->entries[i].type != MASTER_INET)
			return &services->entries[i];
	return NULL;
}

void
explain_begin(const struct master_entry *service)
{
	const char *overrides[2 * OVERRIDES_MAX + 1];
	size_t count = 0;

	log_open_stderr("postroad");
	for (size_t i = 1; service != NULL && i < service->argument_count &&
	    count < OVERRIDES_MAX; i++)
		if (strcmp(service->arguments[i - 1], "-o") == 0)
			overrides[count++] = service->arguments[i];
	for (size_t i = 0; i < given_count; i++)
		overrides[count++] = given[i];
	overrides[count] = NULL;
	if (config_load(NULL, overrides) == -1)
		exit(1);
	if (chdir(config.queue_directory) == -1)
		explain_fail("cannot enter %s", config.queue_directory);
	ipc_learn_owner();
	setlinebuf(stdout);
}

void
explain_look_up(struct text *line, struct table *table, const char *key,
    enum table_answer answer, const char *value)
{
	if (answer == TABLE_FOUND) {
		table_where(table, key, line);
		text_printf(line, ": %s = %.*s%s\n", key, VALUE_SHOWN, value,
		    strlen(value) > VALUE_SHOWN ? "..." : "");
	} else
		text_printf(line, "%s: %s %s\n", table_name(table), key,
		    answer == TABLE_NONE ? "is not there" : table_why(table));
}

static void
tell_look_up(struct table *table, const char *key, enum table_answer answer,
    const char *value)
{
	struct text line = TEXT_EMPTY;

	text_puts(&line, "      ");
	explain_look_up(&line, table, key, answer, value);
	fputs(text_string(&line), stdout);
	text_clear(&line);
}

void
explain_tables(void)
{
	table_witness = tell_look_up;
}

void
explain_next(const char *program, const char *const *arguments)
{
	char *path = mem_printf("%s/%s", config.daemon_directory, program);
	const char **words;
	size_t count = 0, length = 0;
	pid_t child;

	while (arguments[length] != NULL)
		length++;
	words = mem_zalloc(2 * given_count + length + 3, sizeof(*words));
	words[count++] = path;
	words[count++] = "--explain";
	for (size_t i = 0; i < given_count; i++) {
		words[count++] = "-o";
		words[count++] = given[i];
	}
	memcpy(words + count, arguments, length * sizeof(*words));
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execv(path, (char **)(uintptr_t)words);
		printf("  cannot run %s, which would tell more\n", path);
		exit(1);
	}
	while (child > 0 && waitpid(child, NULL, 0) == -1)
		continue;
	free(words);
	free(path);
}

/* A daemon of our own. */

static char directory[] = "/tmp/postroad-explain.XXXXXX";
static struct sockaddr_un own = { .sun_family = AF_UNIX };

static void
remove_directory(void)
{
	unlink(own.sun_path);
	rmdir(directory);
}

static int
listen_at(const char *name)
{
	int fd = -1;

	if (mkdtemp(directory) == NULL)
		return -1;
	atexit(remove_directory);
	snprintf(own.sun_path, sizeof(own.sun_path), "%s/%s", directory,
	    name);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd != -1 && (bind(fd, (struct sockaddr *)&own,
	    sizeof(own)) == -1 || listen(fd, 1) == -1))
		fd_close(&fd);
	return fd;
}

/* In the child: what master gives, at the places where it gives it. */
static void __attribute__((noreturn))
become_daemon(const char *program, const struct master_entry *service,
    int lifeline, int listener)
{
	char *path = mem_printf("%s/%s", config.daemon_directory, program);
	const char *words[4 * OVERRIDES_MAX + 8] = { path, "-n", program, "-t",
	    "unix", "-s", "1" };
	size_t count = 7;

	for (size_t i = 0; service != NULL && i < service->argument_count &&
	    count < 2 * OVERRIDES_MAX; i++)
		words[count++] = service->arguments[i];
	for (size_t i = 0; i < given_count; i++) {
		words[count++] = "-o";
		words[count++] = given[i];
	}
	lifeline = fcntl(lifeline, F_DUPFD, 10);
	listener = fcntl(listener, F_DUPFD, 10);
	dup2(lifeline, SERVICE_LIFELINE_FD);
	dup2(listener, SERVICE_FIRST_SOCKET);
	close(lifeline);
	close(listener);
	close(SERVICE_LOG_FD);
	execv(path, (char **)(uintptr_t)words);
	_exit(1);
}

const char *
explain_run_daemon(const char *program, const char *service)
{
	const struct master_entry *entry = explain_service(service);
	int listener = listen_at(service), lifeline[2];

	if (listener == -1 || pipe2(lifeline, O_CLOEXEC) == -1)
		return NULL;
	fflush(stdout);
	if (fork() == 0)
		become_daemon(program, entry, lifeline[0], listener);
	close(lifeline[0]);
	close(listener);
	return own.sun_path;
}

int
explain_depth(void)
{
	const char *depth = getenv(DEPTH);

	return depth == NULL ? 0 : atoi(depth);
}

void
explain_enter_child(void)
{
	char depth[12];

	snprintf(depth, sizeof(depth), "%d", explain_depth() + 1);
	setenv(DEPTH, depth, 1);
}
