/*
 * postdrop - leave a message in maildrop, durably
 *
 * In       a record as lib/spool has it, on standard input, from sendmail(1)
 * Out      a file in maildrop/, and a nudge for pickup(8)
 * Touches  maildrop/, to create: it is set-gid, and cannot list that directory
 * Trusts   nobody: any local user may run it, with any input and environment
 * Killed   the file has no name until it is whole, so nothing is left behind
 *
 * The file belongs to the user who calls, which is how pickup knows him; of
 * the envelope only what a user may say is kept.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "message/envelope.h"
#include "spool/spool.h"
#include "tools/shared/command.h"

/* Room for some 100,000 recipients. */
#define ENVELOPE_MAX	(32 << 20)
#define NAMES_TRIED	100

struct drop {
	struct spool_record record;	/* as the caller has it */
	struct text	 envelope;	/* what is left of his */
	size_t		 recipients;
	uint32_t	 checksum;
	int		 fd;
};

static void
refuse(int code, const char *why)
{
	fatal_exit_code = code;
	fatal("uid=%ld: %s", (long)getuid(), why);
}

static void
read_input(void *bytes, size_t length)
{
	ssize_t n = fd_read_full(STDIN_FILENO, bytes, length);

	if (n != (ssize_t)length)
		refuse(EX_DATAERR, "the message ends too early: not queued");
}

/* What a user may say of his message; the rest is for us to say. */
static void
keep_what_is_his(struct drop *drop, const struct envelope *given,
    struct pool *pool)
{
	struct envelope *kept = envelope_new(pool);

	kept->arrival_us = clock_wall_us();
	kept->sender = given->sender;
	kept->flags = given->flags & (ENVELOPE_8BIT | ENVELOPE_SMTPUTF8 |
	    ENVELOPE_LOCAL_ORIGIN);
	kept->size = drop->record.content_length;
	kept->dsn_envid = given->dsn_envid;
	kept->dsn_ret = given->dsn_ret;
	for (size_t i = 0; i < given->recipient_count; i++) {
		struct recipient *recipient = envelope_add_recipient(kept,
		    given->recipients[i].address);

		recipient->dsn_orcpt = given->recipients[i].dsn_orcpt;
		recipient->dsn_notify = given->recipients[i].dsn_notify;
	}
	envelope_encode(kept, &drop->envelope);
	drop->recipients = kept->recipient_count;
}

static void
read_front(struct drop *drop)
{
	char header[SPOOL_RECORD_HEADER];

	read_input(header, sizeof(header));
	if (spool_record_parse(header, &drop->record) == -1 ||
	    drop->record.envelope_length > ENVELOPE_MAX ||
	    drop->record.marks_length > drop->record.envelope_length)
		refuse(EX_DATAERR, "not a message from sendmail(1)");
	if (config.message_size_limit > 0 &&
	    drop->record.content_length > config.message_size_limit)
		refuse(EX_UNAVAILABLE, "message file too big");

	size_t length = drop->record.marks_length +
	    drop->record.envelope_length;
	char *bytes = mem_alloc(length);
	struct pool *pool = pool_new(0);

	read_input(bytes, length);

	struct envelope *given = envelope_decode(pool,
	    bytes + drop->record.marks_length, drop->record.envelope_length);

	if (given == NULL || given->recipient_count == 0)
		refuse(EX_DATAERR, "an envelope that cannot be read");
	keep_what_is_his(drop, given, pool);
	pool_free(&pool);
	free(bytes);
}

static void
write_part(struct drop *drop, const void *bytes, size_t length)
{
	if (fd_write_all(drop->fd, bytes, length) == -1)
		fatal("write in maildrop: %m");
}

static void
copy_content(struct drop *drop)
{
	static char room[1 << 16];
	int64_t left = drop->record.content_length;

	while (left > 0) {
		size_t part = left > (int64_t)sizeof(room) ? sizeof(room) :
		    (size_t)left;

		read_input(room, part);
		drop->checksum = crc32c(drop->checksum, room, part);
		write_part(drop, room, part);
		left -= (int64_t)part;
	}
}

static void
write_file(struct drop *drop)
{
	char header[SPOOL_RECORD_HEADER] = "";

	/* Anybody may read it who may enter the directory: pickup, but not the caller. */
	drop->fd = open("maildrop", O_TMPFILE | O_RDWR | O_CLOEXEC, 0444);
	if (drop->fd == -1)
		fatal("create a file in %s/maildrop: %m; is postdrop set-gid "
		    "(postroad set-permissions)?", config.queue_directory);
	if (fchmod(drop->fd, 0444) == -1)
		fatal("set the mode of a file in maildrop: %m");
	drop->checksum = crc32c(0, drop->envelope.bytes, drop->envelope.length);
	write_part(drop, header, sizeof(header));
	for (size_t i = 0; i < drop->recipients; i++)
		write_part(drop, &(char){ SPOOL_MARK_PENDING }, 1);
	write_part(drop, drop->envelope.bytes, drop->envelope.length);
	copy_content(drop);
	spool_record_header(header, drop->recipients, drop->envelope.length,
	    drop->record.content_length, drop->checksum);
	if (fd_pwrite_all(drop->fd, header, sizeof(header), 0) == -1 ||
	    fsync(drop->fd) == -1)
		fatal("write in maildrop: %m");
}

/*
 * The new name is durable with its directory. A set-gid postdrop cannot open
 * that; the link changed the file too, and journaling file systems keep both
 * in one transaction, so another flush of the file has the same effect.
 */
static int
sync_name(int fd)
{
	int directory = open("maildrop", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fsync(directory != -1 ? directory : fd);

	fd_close(&directory);
	return result;
}

static void
give_name(const struct drop *drop)
{
	char from[32], path[64], id[SPOOL_ID_SIZE];
	int result = -1;

	snprintf(from, sizeof(from), "/proc/self/fd/%d", drop->fd);
	for (int i = 0; i < NAMES_TRIED && result == -1; i++) {
		spool_make_id(id, (int)(arc4random() & 0xff));
		snprintf(path, sizeof(path), "maildrop/%s", id);
		result = linkat(AT_FDCWD, from, AT_FDCWD, path,
		    AT_SYMLINK_FOLLOW);
		if (result == -1 && errno != EEXIST)
			break;
	}
	if (result == -1)
		fatal("name a file in maildrop: %m");
	if (sync_name(drop->fd) == -1) {
		unlink(path);
		fatal("make a name in maildrop durable: %m");
	}
}

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	struct drop drop = { .fd = -1 };
	int option;

	command_start("postdrop");
	while ((option = getopt(argc, argv, "c:rv")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'r':
			break;
		case 'v':
			log_verbose += geteuid() == 0;
			break;
		default:
			fatal_exit_code = EX_USAGE;
			fatal("usage: postdrop [-c config_dir] [-v]");
		}
	}
	command_configure(directory);
	command_enter_queue();
	command_authorize("authorized_submit_users",
	    config.authorized_submit_users, "submit mail");
	read_front(&drop);
	write_file(&drop);
	give_name(&drop);
	ipc_nudge("public/pickup", "maildrop");	/* else it looks on its own in a minute */
	return 0;
}
