/*
 * postcat - show a message of the queue
 *
 * A message is a record (lib/spool): marks, envelope, content. It lies in a
 * file of its own, or, before it ever had to wait, in the journal.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "message/envelope.h"
#include "message/header.h"
#include "spool/spool.h"
#include "tools/shared/command.h"

/* Of a message more is not shown: content lies in memory here. */
#define MESSAGE_MAX	((size_t)1 << 31)

enum { SHOW_ENVELOPE = 1 << 0, SHOW_HEADER = 1 << 1, SHOW_BODY = 1 << 2 };

static struct {
	unsigned	show;
	bool		offsets;	/* -o: where each record begins */
	bool		raw;		/* -r: letters, not names */
} options;

static const char *
time_text(int64_t us)
{
	static char text[64];
	time_t when = (time_t)(us / 1000000);
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL || strftime(text, sizeof(text),
	    "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return "";
	return text;
}

static void
print_record(int letter, const char *name, const char *value, size_t length)
{
	if (options.raw)
		printf("%c: ", letter);
	else if (letter == 'T')
		printf("message_arrival_time: %s\n%s: ",
		    time_text(strtoll(value, NULL, 10)), name);
	else if (letter == 'Z')
		printf("message_size: ");
	else
		printf("%s: ", name);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)value[i];

		putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
	putchar('\n');
}

/* Recipients that are finished are called so: done_recipient. */
static void
print_envelope(const char *front, const struct spool_record *record)
{
	const char *bytes = front + record->envelope_offset, *value;
	const char *marks = front + record->marks_offset;
	size_t position = 0, start = 0, length, recipients = 0;
	int letter;

	while ((letter = envelope_record_next(bytes, record->envelope_length,
	    &position, &value, &length)) > 0) {
		const char *name = envelope_attribute_name((char)letter);

		if (letter == 'r' && recipients < record->marks_length &&
		    marks[recipients++] != SPOOL_MARK_PENDING)
			name = "done_recipient";
		else if (letter == 'o')
			name = "original_recipient";
		if (options.offsets)
			printf("%9zu ", record->envelope_offset + start);
		print_record(letter, name != NULL ? name : "unknown", value,
		    length);
		start = position;
	}
	if (letter == -1)
		log_warning("the envelope cannot be read further");
}

static void
print_content(const char *content, size_t length)
{
	size_t body = header_body(content, length);

	if (options.show & SHOW_HEADER) {
		size_t end = body;

		/* The empty line between belongs to both, or to neither. */
		if (!(options.show & SHOW_BODY) && end > 0 &&
		    content[end - 1] == '\n' &&
		    (end == 1 || content[end - 2] == '\n'))
			end--;
		fwrite(content, 1, end, stdout);
	}
	if (options.show & SHOW_BODY)
		fwrite(content + body, 1, length - body, stdout);
}

/* A whole record at bytes; where is what it is called. */
static void
show(const char *where, const char *bytes, const struct spool_record *record)
{
	bool banners = options.show & SHOW_ENVELOPE;

	if (banners) {
		printf("*** ENVELOPE RECORDS %s ***\n", where);
		print_envelope(bytes, record);
	}
	if (options.show & (SHOW_HEADER | SHOW_BODY)) {
		if (banners)
			printf("*** MESSAGE CONTENTS %s ***\n", where);
		print_content(bytes + record->content_offset,
		    (size_t)record->content_length);
	}
	if (banners)
		printf("*** MESSAGE FILE END %s ***\n", where);
}

/* 0, or -1 with errno: not a message. */
static int
show_file(const char *path)
{
	struct spool_record record;
	size_t length;
	char *bytes = file_read(path, MESSAGE_MAX, &length);

	if (bytes == NULL)
		return -1;
	if (length < SPOOL_RECORD_HEADER ||
	    spool_record_parse(bytes, &record) == -1 ||
	    record.length != (int64_t)length) {
		free(bytes);
		errno = EBADMSG;
		return -1;
	}
	if (crc32c(0, bytes + record.envelope_offset, length -
	    record.envelope_offset) != record.checksum)
		log_warning("%s: its checksum is wrong: damaged", path);
	show(path, bytes, &record);
	free(bytes);
	return 0;
}

struct search {
	const char	*id;
	bool		 found;
};

static void
on_message(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	struct search *search = context;
	struct pool *pool = pool_new(0);
	struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL && strcmp(envelope->queue_id, search->id) == 0 &&
	    !search->found) {
		char where[64];

		snprintf(where, sizeof(where), "journal/%04d (at %lld)",
		    segment_number(segment), (long long)offset);
		show(where, bytes, record);
		search->found = true;
	}
	pool_free(&pool);
}

static bool
show_from_journal(const char *id)
{
	struct search search = { .id = id };
	int *numbers, count = segment_list(&numbers);

	for (int i = 0; i < count && !search.found; i++) {
		struct segment *segment = segment_open(numbers[i]);

		if (segment != NULL)
			segment_scan(segment, 0, on_message, &search);
		segment_close(&segment);
	}
	free(numbers);
	return search.found;
}

static int
show_id(const char *id)
{
	char path[64];
	int queue;

	if (!spool_id_is_valid(id)) {
		errno = ENOENT;
		return -1;
	}
	queue = spool_file_find(id);
	if (queue != -1)
		spool_path(path, (enum spool_queue)queue, id);
	else
		snprintf(path, sizeof(path), "maildrop/%s", id);
	if (queue != -1 || access(path, F_OK) == 0)
		return show_file(path);
	if (show_from_journal(id))
		return 0;
	errno = ENOENT;
	return -1;
}

static void __attribute__((noreturn))
usage(void)
{
	fatal_exit_code = 1;
	fatal("usage: postcat [-b (body text)] [-c config_dir] [-d (decimal "
	    "record type)] [-e (envelope records)] [-h (header text)] "
	    "[-q (access queue)] [-v] [file(s)...]");
}

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	bool by_id = false;
	int option, result = 0;

	command_start("postcat");
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "bc:defhoqrsv")) != -1) {
		switch (option) {
		case 'b':
			options.show |= SHOW_BODY;
			break;
		case 'e':
			options.show |= SHOW_ENVELOPE;
			break;
		case 'h':
			options.show |= SHOW_HEADER;
			break;
		case 'c':
			directory = optarg;
			break;
		case 'q':
			by_id = true;
			break;
		case 'o':
			options.offsets = true;
			break;
		case 'd': case 'r':
			options.raw = true;
			break;
		case 'v':
			log_verbose++;
			break;
		case 'f': case 's':
			break;
		default:
			usage();
		}
	}
	if (options.show == 0)
		options.show = SHOW_ENVELOPE | SHOW_HEADER | SHOW_BODY;
	if (optind == argc && by_id)
		usage();
	command_configure(directory);
	fatal_exit_code = 1;
	if (by_id)
		command_enter_queue();
	for (char **name = argv + optind; *name != NULL; name++) {
		if ((by_id ? show_id(*name) : show_file(*name)) == 0)
			continue;
		if (errno == EBADMSG)
			log_warning("%s: input is not a valid queue file", *name);
		else
			log_error("open queue file %s: %m", *name);
		result = 1;
	}
	if (optind == argc && show_file("/dev/stdin") == -1)
		fatal("read a queue file from standard input: %m");
	if (fflush(stdout) == EOF)
		fatal("write: %m");
	return result;
}
