/* maildrop - which files there are, and what may be read of them */

#include "pickup/pickup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "spool/unnamed.h"

/* Envelope of one message. */
#define DROP_POOL	(64 << 20)
#define ENVELOPE_MAX	(32 << 20)

/* After something failed, files that wait are looked at again. */
#define RETRY_SECONDS	10

#define COMPLAIN_AGAIN_MS	(3600 * 1000)

/* After a reload, for a predecessor who has not heard from cleanup yet. */
#define PREDECESSOR_MS	100

static struct event *retry;
static struct map *complained;	/* names of files that are no mail: said once */
static bool more;		/* files wait that there was no room for */
static bool in_doubt = true;	/* what lies there may be known to a cleanup that died, or to our predecessor's */

static void
complain(const char *name, const char *why)
{
	if (map_set(complained, name, complained) == NULL)
		log_warning("maildrop/%s: %s: left alone", name, why);
}

static void
make_path(char path[64], const char *name)
{
	snprintf(path, 64, "maildrop/%s", name);
}

/* Open a file that anybody may have made. -1 if it is none of ours, or gone. */
static int
open_file(const char *name, struct stat *st)
{
	char path[64];

	make_path(path, name);

	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);

	if (fd == -1) {
		if (errno != ENOENT)
			complain(name, strerror(errno));
		return -1;
	}
	if (fstat(fd, st) == -1 || !S_ISREG(st->st_mode)) {
		complain(name, "not a regular file");
		fd_close(&fd);
	} else if (st->st_nlink != 1) {
		/* qmgr is about to put it here, or a stranger linked it. */
		if (st->st_uid == geteuid())
			maildrop_try_later();
		else
			complain(name, "it has more than one name");
		fd_close(&fd);
	}
	return fd;
}

/* What follows the header line is as long as that says, and has its checksum; what comes behind that is no part of it. */
static bool
is_whole(int fd, const struct spool_record *record, const struct stat *st)
{
	static char room[1 << 16];
	uint32_t checksum = 0;
	int64_t at = (int64_t)record->envelope_offset;

	if (st->st_size < record->length ||
	    record->envelope_length > ENVELOPE_MAX)
		return false;
	while (at < record->length) {
		int64_t left = record->length - at;
		size_t part = left < (int64_t)sizeof(room) ? (size_t)left :
		    sizeof(room);

		if (fd_pread_full(fd, room, part, at) != (ssize_t)part)
			return false;
		checksum = crc32c(checksum, room, part);
		at += (int64_t)part;
	}
	return checksum == record->checksum;
}

/*
 * A message that qmgr put back: only those who do not have it yet, and nothing
 * that was decided before. How it first came, its header says; this time it
 * comes from ourselves.
 */
static void
begin_anew(struct drop *drop, struct envelope *envelope, const char *marks)
{
	size_t left = 0;

	strlcpy(drop->old_id, envelope->queue_id, sizeof(drop->old_id));
	envelope->queue_id = envelope->unique = envelope->token = "";
	envelope->protocol_name = envelope->login_sender = "";
	envelope->flags &= ~(ENVELOPE_HOLD | ENVELOPE_NO_EXPAND);
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		/* Done, or an alias that was expanded and stands there for its report. */
		if (!spool_mark_waits(marks[i]) ||
		    *envelope->recipients[i].expanded != '\0')
			continue;
		envelope->recipients[left] = envelope->recipients[i];
		envelope->recipients[left].number = (int64_t)left;
		left++;
	}
	envelope->recipient_count = left;
	claim_apply_options(envelope);
}

static int
read_envelope(struct drop *drop, const struct spool_record *record,
    const struct stat *st)
{
	size_t length = record->marks_length + record->envelope_length;
	struct envelope *given = NULL;
	char *bytes;

	drop->pool = pool_new(DROP_POOL);
	bytes = pool_alloc(drop->pool, length + 1);
	if (bytes != NULL && fd_pread_full(drop->fd, bytes, length,
	    (off_t)record->marks_offset) == (ssize_t)length)
		given = envelope_decode(drop->pool,
		    bytes + record->marks_length, record->envelope_length);
	if (given == NULL || given->recipient_count == 0 ||
	    given->recipient_count != record->marks_length)
		return -1;
	if (st->st_uid == geteuid() && *given->queue_id != '\0') {
		begin_anew(drop, given, bytes);
		drop->envelope = given;
	} else {
		drop->envelope = claim_envelope(drop->pool, given, st->st_uid,
		    (int64_t)st->st_mtim.tv_sec * 1000000 +
		    st->st_mtim.tv_nsec / 1000);
	}
	if (drop->envelope == NULL)
		return -1;
	/* sendmail gave it to us and heard no answer before it left it here: it may be known. */
	drop->again |= *drop->envelope->token != '\0';
	/* The same whenever it is read, so that cleanup knows it again. */
	if (*drop->envelope->token == '\0')
		drop->envelope->token = pool_printf(drop->pool,
		    "maildrop/%s.%llu.%lld", drop->name,
		    (unsigned long long)st->st_ino,
		    (long long)st->st_mtim.tv_nsec);
	return drop->envelope->token == NULL ? -1 : 0;
}

/* Small content travels in the packet. */
static int
read_content(struct drop *drop)
{
	size_t length = (size_t)drop->content_length;
	struct text raw = TEXT_EMPTY;
	int result = -1;

	if (drop->content_length > IPC_INLINE_MAX)
		return 0;

	char *room = text_reserve(&raw, length);

	if (fd_pread_full(drop->fd, room, length, drop->content_offset) ==
	    (ssize_t)length) {
		claim_content(room, length, &drop->content);
		result = 0;
	}
	text_clear(&raw);
	return result;
}

static void
take_file(const char *name)
{
	struct spool_record record;
	struct drop *drop;
	struct stat st;
	char header[SPOOL_RECORD_HEADER];
	int fd = open_file(name, &st);

	if (fd == -1)
		return;
	drop = mem_zalloc(1, sizeof(*drop));
	drop->fd = fd;
	drop->uid = st.st_uid;
	drop->again = in_doubt;
	strlcpy(drop->name, name, sizeof(drop->name));
	if (fd_pread_full(fd, header, sizeof(header), 0) != sizeof(header) ||
	    spool_record_parse(header, &record) == -1 ||
	    !is_whole(fd, &record, &st) ||
	    read_envelope(drop, &record, &st) == -1) {
		complain(name, "not a message, or a damaged one");
		drop_free(&drop);
		return;
	}
	drop->content_offset = record.content_offset;
	drop->content_length = record.content_length;
	if (read_content(drop) == -1) {
		log_warning("maildrop/%s: cannot read it: %m", name);
		drop_free(&drop);
		maildrop_try_later();
		return;
	}
	submit_drop(drop);
}

/*
 * One pickup at a time, or two would hand over the same files: after a reload
 * the old one finishes first. False: not yet, it is tried again soon.
 */
static bool
have_lock(void)
{
	const struct timeval soon = { 0, PREDECESSOR_MS * 1000 };
	static int fd = -1;
	static bool locked;

	if (fd == -1)
		fd = open("maildrop", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!locked && flock(fd, LOCK_EX | LOCK_NB) == -1 &&
	    errno == EWOULDBLOCK) {
		event_add(retry, &soon);
		return false;
	}
	locked = true;	/* or a file system without locks */
	return true;
}

static void
scan(void)
{
	if (!have_lock())
		return;

	DIR *directory = opendir("maildrop");
	struct dirent *entry;

	if (directory == NULL) {
		log_warning("cannot read maildrop/: %m; run postroad set-permissions");
		maildrop_try_later();
		return;
	}
	more = false;
	while ((entry = readdir(directory)) != NULL) {
		if (!spool_id_is_valid(entry->d_name) ||
		    submit_is_underway(entry->d_name) ||
		    map_get(complained, entry->d_name) != NULL)
			continue;
		if (!submit_has_room() || service_is_leaving()) {
			more = true;
			break;
		}
		take_file(entry->d_name);
	}
	closedir(directory);
	in_doubt &= more;
}

void
maildrop_go_on(void)
{
	if (more)
		scan();
}

void
maildrop_try_later(void)
{
	const struct timeval pause = { RETRY_SECONDS, 0 };

	if (!evtimer_pending(retry, NULL))
		event_add(retry, &pause);
}

static void
on_retry(int fd, short what, void *argument)
{
	scan();
}

/* A file that was no mail may be one now; and the administrator may have missed the line. */
static void
forget_complaints(void)
{
	static int64_t forgotten_ms;

	if (complained != NULL &&
	    clock_ms() - forgotten_ms < COMPLAIN_AGAIN_MS)
		return;
	forgotten_ms = clock_ms();
	map_free(&complained, NULL);
	complained = map_new();
}

void
maildrop_nudged(const char *what)
{
	forget_complaints();
	scan();
}

void
maildrop_doubt(void)
{
	in_doubt = true;
}

void
maildrop_start(void)
{
	const struct timeval now = { 0, 0 };

	unnamed_sweep("maildrop");
	forget_complaints();
	retry = event_new(service_base, -1, 0, on_retry, NULL);
	event_add(retry, &now);
}
