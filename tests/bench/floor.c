/*
 * floor - the bare durable operations of a message's life, and nothing else
 *
 *	floor accept|maildir WRITERS MESSAGES SIZE DIRECTORY
 *
 * accept: batches of as many records as there are writers, appended to a file that was
 * written before, each batch made durable by one fdatasync: what the journal
 * does. maildir: besides, each message becomes a file in one of four
 * directories (unnamed, written, fsync, linked), and one fsync a directory and
 * batch. Prints messages a second: what this disk permits, and what benches
 * compare a whole mail system with.
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

enum { PAGE = 4096, SEGMENT = 16 << 20, BOXES = 4, BATCH_MOST = 32 };

static char	*content;
static size_t	 size;
static int	 journal, boxes[BOXES];
static off_t	 end;

static int
make_segment(void)
{
	static char zeros[1 << 20];
	int fd = open("segment", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		err(1, "segment");
	for (off_t at = 0; at < SEGMENT; at += sizeof(zeros)) {
		if (fd_pwrite_all(fd, zeros, sizeof(zeros), at) == -1)
			err(1, "segment");
	}
	if (fsync(fd) == -1)
		err(1, "segment");
	return fd;
}

static void
append_batch(int count)
{
	size_t length = (size * (size_t)count + PAGE - 1) / PAGE * PAGE;

	if (end + (off_t)length > SEGMENT)
		end = 0;
	for (int i = 0; i < count; i++) {
		if (fd_pwrite_all(journal, content, size, end + (off_t)(size * (size_t)i)) == -1)
			err(1, "segment");
	}
	end += (off_t)length;
	if (fdatasync(journal) == -1)
		err(1, "segment");
}

static void
deliver(int number)
{
	char from[64], name[32];
	int box = boxes[number % BOXES], fd = openat(box, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd == -1 || fd_write_all(fd, content, size) == -1 || fsync(fd) == -1)
		err(1, "a mail");
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	snprintf(name, sizeof(name), "%d", number);
	if (linkat(AT_FDCWD, from, box, name, AT_SYMLINK_FOLLOW) == -1)
		err(1, "a mail's name");
	close(fd);
}

static void
deliver_batch(int first, int count)
{
	for (int i = 0; i < count; i++)
		deliver(first + i);
	for (int i = 0; i < BOXES && i < count; i++) {
		if (fsync(boxes[(first + i) % BOXES]) == -1)
			err(1, "a mailbox");
	}
}

static void
make_room(const char *parent)
{
	char *path = mem_printf("%s/postroad-floor-XXXXXX", parent);

	if (mkdtemp(path) == NULL || chdir(path) == -1)
		err(1, "%s", path);
	free(path);
	journal = make_segment();
	for (int i = 0; i < BOXES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "box%d", i);
		if (mkdir(name, 0700) == -1 || (boxes[i] = open(name, O_RDONLY | O_DIRECTORY)) == -1)
			err(1, "%s", name);
	}
}

static void
remove_room(int messages, bool delivered)
{
	char name[32], room[4096];

	for (int i = 0; delivered && i < messages; i++) {
		snprintf(name, sizeof(name), "box%d/%d", i % BOXES, i);
		unlink(name);
	}
	for (int i = 0; i < BOXES; i++) {
		snprintf(name, sizeof(name), "box%d", i);
		rmdir(name);
	}
	unlink("segment");
	if (getcwd(room, sizeof(room)) == NULL || chdir("/") == -1 || rmdir(room) == -1)
		warn("cannot remove what the floor was measured with");
}

int
main(int argc, char **argv)
{
	if (argc != 6 || (strcmp(argv[1], "accept") != 0 && strcmp(argv[1], "maildir") != 0))
		errx(2, "usage: floor accept|maildir WRITERS MESSAGES SIZE DIRECTORY");

	bool delivers = strcmp(argv[1], "maildir") == 0;
	int batch = atoi(argv[2]), messages = atoi(argv[3]);

	if (batch > BATCH_MOST)
		batch = BATCH_MOST;
	size = (size_t)atoi(argv[4]);
	content = mem_zalloc(size, 1);
	make_room(argv[5]);

	int64_t began = clock_us();

	for (int done = 0; done < messages; done += batch) {
		int count = messages - done < batch ? messages - done : batch;

		append_batch(count);
		if (delivers)
			deliver_batch(done, count);
	}
	printf("%.0f messages/s\n", messages / ((double)(clock_us() - began) / 1e6));
	remove_room(messages, delivers);
	return 0;
}
