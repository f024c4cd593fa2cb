/*
 * forgetfs - a file system that forgets what was not made durable
 *
 *	forgetfs [-n] MOUNTPOINT POSITION-FILE
 *
 * All is in memory (tree.h), every change is on a tape (tape.h), and from a
 * tape any image that a power cut may leave can be made and served in place
 * of the tree (live.h). So one run of the daemons shows what a cut at every
 * instant of it would have left. -n: without O_TMPFILE, as old kernels are.
 *
 * POSITION-FILE holds, as eight bytes in memory order, the length of the tape: what the
 * test notes when it hears an answer.
 *
 * Commands come on standard input, a line each, and are answered by one line,
 * "ok ..." or "error ...":
 *
 *	record			all is durable now; the tape begins anew
 *	keep			keep the tape (its length is the answer); then serve images of it
 *	image N MODEL SEED	serve the image of a cut before change N; gives its checksum
 *	drop			forget the tape kept last
 *	describe N		the change of that number on the tape kept last
 *	delay MICROSECONDS	pause after each change
 *	limit BYTES		no file grows beyond that: ENOSPC; 0: they may again
 *	lie directories|PATH	syncs of directories do nothing; or of that one and what is made in it
 *	truth			no more lies
 *
 * It needs root for the mount, and nothing but the kernel's FUSE: it speaks
 * the protocol itself. It serves one request at a time, so a tape is a
 * sequence. Who serves images has ended all processes that had files open.
 */

#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/base.h"

static bool
command_image(struct live *live, char *arguments)
{
	char *at = word_next(&arguments, " "), *name = word_next(&arguments, " ");
	char *seed = word_next(&arguments, " ");
	int model = name != NULL ? model_find(name) : -1;

	if (model == -1 || seed == NULL || live->kept_count == 0)
		return false;
	printf("ok %016llx\n", (unsigned long long)live_image(live,
	    strtoul(at, NULL, 10), (enum model)model,
	    strtoull(seed, NULL, 10)));
	return true;
}

static bool
command_describe(struct live *live, const char *number)
{
	size_t at = strtoul(number, NULL, 10);
	struct text line = TEXT_EMPTY;

	if (live->kept_count == 0 ||
	    at >= tape_length(live->kept[live->kept_count - 1]))
		return false;
	tape_describe(live->kept[live->kept_count - 1], at, &line);
	printf("ok %s\n", text_string(&line));
	text_clear(&line);
	return true;
}

static bool
command_lie(struct live *live, const char *path)
{
	struct inode *directory;

	if (strcmp(path, "directories") == 0) {
		live->lie_directories = true;
	} else {
		directory = live_find(live, path);
		if (directory == NULL || live->lie_count == LIES_MAX)
			return false;
		live->lies[live->lie_count++] = directory->number;
	}
	printf("ok\n");
	return true;
}

static bool
command_keep(struct live *live)
{
	int64_t length = live_keep(live);

	printf("ok %lld\n", (long long)length);
	return length != -1;
}

static bool
obey(struct live *live, char *line)
{
	char *arguments = line, *word = word_next(&arguments, " ");

	if (word == NULL)
		return false;
	if (arguments == NULL)
		arguments = (char[]){ "" };
	if (strcmp(word, "image") == 0)
		return command_image(live, arguments);
	if (strcmp(word, "describe") == 0)
		return command_describe(live, arguments);
	if (strcmp(word, "lie") == 0)
		return command_lie(live, arguments);
	if (strcmp(word, "keep") == 0)
		return command_keep(live);
	if (strcmp(word, "record") == 0)
		live_record(live);
	else if (strcmp(word, "drop") == 0 && live->kept_count > 0)
		live_drop(live);
	else if (strcmp(word, "delay") == 0)
		live->delay_us = (unsigned int)strtoul(arguments, NULL, 10);
	else if (strcmp(word, "limit") == 0)
		live->limit = strtoll(arguments, NULL, 10);
	else if (strcmp(word, "truth") == 0) {
		live->lie_directories = false;
		live->lie_count = 0;
	} else
		return false;
	printf("ok\n");
	return true;
}

/* Requests and commands, until either side is gone. */
static void
run(struct server *server)
{
	struct pollfd waiting[] = { { .fd = server->fd, .events = POLLIN },
	    { .fd = STDIN_FILENO, .events = POLLIN } };
	char line[1024];

	for (;;) {
		if (poll(waiting, 2, -1) == -1 && errno != EINTR)
			return;
		if (waiting[0].revents != 0 && !serve_request(server))
			return;
		if (waiting[1].revents == 0)
			continue;
		if (fgets(line, sizeof(line), stdin) == NULL)
			return;
		line[strcspn(line, "\n")] = '\0';
		if (!obey(server->live, line))
			printf("error\n");
		fflush(stdout);
	}
}

static uint64_t *
map_position(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *mapping = MAP_FAILED;

	if (fd != -1 && ftruncate(fd, sizeof(uint64_t)) == 0)
		mapping = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	fd_close(&fd);
	return mapping == MAP_FAILED ? NULL : mapping;
}

int
main(int argc, char **argv)
{
	struct live live = { 0 };
	struct server server = { .live = &live };

	log_open_stderr("forgetfs");
	if (argc > 1 && strcmp(argv[1], "-n") == 0) {
		server.no_tmpfile = true;
		argc--;
		argv++;
	}
	if (argc != 3)
		fatal("usage: forgetfs [-n] mountpoint position-file");
	setvbuf(stdin, NULL, _IONBF, 0);	/* poll() must see what waits */
	live.position = map_position(argv[2]);
	if (live.position == NULL)
		fatal("%s: %m", argv[2]);
	live_start(&live);
	if (serve_mount(&server, argv[1]) == -1)
		fatal("cannot mount at %s: %m", argv[1]);
	printf("ok mounted\n");
	fflush(stdout);
	run(&server);
	umount2(argv[1], MNT_DETACH);
	return 0;
}
