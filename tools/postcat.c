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
#include "config/values.h"
#include "message/envelope.h"
#include "message/header.h"
#include "spool/spool.h"
#include "tools/shared/command.h"

/* Of a message more is not shown: content lies in memory here. */
#define MESSAGE_MAX	((size_t)1 << 31)

enum { SHOW_ENVELOPE = 1 << 0, SHOW_HEADER = 1 << 1, SHOW_BODY = 1 << 2 };

static struct {
	unsigned int	show;
	bool		offsets;	/* -o: where each record begins */
	bool		types;		/* -d: its letter, as a number */
	int64_t		skip;		/* -s: nothing that begins before this */
} options;

/* Letters that Postfix has for what is no record here: a line of content, and the marks between the parts. */
enum { TYPE_LINE = 'N', TYPE_CONTENTS = 'M', TYPE_EXTRACTED = 'X',
    TYPE_END = 'E' };

/* Records by the names that Postfix's have; NULL: as a named attribute. */
static const struct {
	char		 letter;
	const char	*label, *attribute;
} names[] = {
	{ 'Z', "message_size",		NULL },
	{ 'T', "message_arrival_time",	NULL },
	{ 'S', "sender",		NULL },
	{ 'r', "recipient",		NULL },
	{ 'o', "original_recipient",	NULL },
	{ 'N', NULL,			"log_client_name" },
	{ 'A', NULL,			"log_client_address" },
	{ 'P', NULL,			"log_client_port" },
	{ 'H', NULL,			"log_helo_name" },
	{ 'R', NULL,			"log_protocol_name" },
	{ 'G', "content_filter",	NULL },
	{ 'E', NULL,			"envelope_id" },
	{ 'D', NULL,			"ret_flags" },
	{ 'q', NULL,			"dsn_orig_rcpt" },
	{ 'n', NULL,			"notify_flags" },
};

static const char *
time_text(const char *us)
{
	static char text[64];
	time_t when = (time_t)(strtoll(us, NULL, 10) / 1000000);
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL || strftime(text, sizeof(text),
	    "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return "";
	return text;
}

/* What stands in front of a record. False if it is skipped. */
static bool
begin_record(int64_t offset, int type)
{
	if (offset < options.skip)
		return false;
	if (options.offsets)
		printf("%9lld ", (long long)offset);
	if (options.types)
		printf("%3d ", type);
	return true;
}

static void
print_mark(int64_t offset, int type, const char *what, const char *where)
{
	if ((options.show & SHOW_ENVELOPE) && begin_record(offset, type))
		printf("*** %s %s ***\n", what, where);
}

static void
print_name(char letter, bool done)
{
	const char *attribute = envelope_attribute_name(letter);

	if (letter == 'r' && done) {
		fputs("done_recipient: ", stdout);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (names[i].letter != letter)
			continue;
		if (names[i].label != NULL) {
			printf("%s: ", names[i].label);
			return;
		}
		attribute = names[i].attribute;
	}
	printf("named_attribute: %s=", attribute == NULL ? "unknown" :
	    attribute);
}

static void
print_value(char letter, const char *value, size_t length)
{
	if (letter == 'T') {
		puts(time_text(value));
		return;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)value[i];

		putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
	putchar('\n');
}

static void
print_envelope(const char *front, const struct spool_record *record)
{
	const char *bytes = front + record->envelope_offset, *value;
	const char *marks = front + record->marks_offset;
	size_t position = 0, start = 0, length, recipients = 0;
	int letter;

	while ((letter = envelope_record_next(bytes, record->envelope_length,
	    &position, &value, &length)) > 0) {
		bool done = letter == 'r' && recipients < record->marks_length &&
		    marks[recipients] == SPOOL_MARK_DONE;

		recipients += letter == 'r';
		if (begin_record((int64_t)(record->envelope_offset + start),
		    letter)) {
			print_name((char)letter, done);
			print_value((char)letter, value, length);
		}
		start = position;
	}
	if (letter == -1)
		log_warning("the envelope cannot be read further");
}

static void
print_lines(const char *text, size_t length, int64_t offset)
{
	if (!options.offsets && !options.types && log_verbose == 0 &&
	    options.skip <= offset) {
		fwrite(text, 1, length, stdout);
		return;
	}
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end == NULL ? length : (size_t)(end - text) + 1;

		if (begin_record(offset, TYPE_LINE)) {
			if (log_verbose > 0)
				fputs("regular_text: ", stdout);
			fwrite(text, 1, line, stdout);
		}
		text += line;
		length -= line;
		offset += (int64_t)line;
	}
}

/* The empty line between header and body goes with the body, as in Postfix. */
static void
print_content(const char *content, size_t length, int64_t offset)
{
	size_t body = header_body(content, length);

	if (body > 0 && content[body - 1] == '\n' &&
	    (body == 1 || content[body - 2] == '\n'))
		body--;
	if (options.show & SHOW_HEADER)
		print_lines(content, body, offset);
	if (options.show & SHOW_BODY)
		print_lines(content + body, length - body,
		    offset + (int64_t)body);
}

/* A whole record at bytes; where is what it is called. */
static void
show(const char *where, const char *bytes, const struct spool_record *record)
{
	int64_t end = record->length;

	if (options.show & SHOW_ENVELOPE) {
		printf("*** ENVELOPE RECORDS %s ***\n", where);
		print_envelope(bytes, record);
	}
	print_mark(record->content_offset, TYPE_CONTENTS, "MESSAGE CONTENTS",
	    where);
	if (options.show & (SHOW_HEADER | SHOW_BODY))
		print_content(bytes + record->content_offset,
		    (size_t)record->content_length, record->content_offset);
	print_mark(end, TYPE_EXTRACTED, "HEADER EXTRACTED", where);
	print_mark(end, TYPE_END, "MESSAGE FILE END", where);
}

/* Whoever writes to the other end may take his time. NULL with errno. Released with free(3). */
static char *
read_standard_input(size_t *length)
{
	struct text text = TEXT_EMPTY;
	ssize_t got;

	do {
		got = fd_read_full(STDIN_FILENO, text_reserve(&text, 65536),
		    65536);
		if (got > 0)
			text.length += (size_t)got;
		if (text.length > MESSAGE_MAX)
			errno = EFBIG;
	} while (got > 0 && text.length <= MESSAGE_MAX);
	if (got != 0)
		text_clear(&text);
	*length = text.length;
	return got == 0 ? text_take(&text) : NULL;
}

/* path is NULL for standard input. 0, or -1 with errno: not a message. */
static int
show_file(const char *path)
{
	struct spool_record record;
	size_t length;
	char *bytes = path != NULL ? file_read(path, MESSAGE_MAX, &length) :
	    read_standard_input(&length);

	if (bytes == NULL)
		return -1;
	if (path == NULL)
		path = "/dev/stdin";
	if (length < SPOOL_RECORD_HEADER ||
	    spool_record_parse(bytes, &record) == -1 ||
	    record.length > (int64_t)length) {
		free(bytes);
		errno = EBADMSG;
		return -1;
	}
	if (crc32c(0, bytes + record.envelope_offset, (size_t)record.length -
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
		struct segment *segment = segment_open_to_look(numbers[i]);

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
	fatal("usage: postcat [-b (body text)] [-c config_dir] [-d (decimal "
	    "record type)] [-e (envelope records)] [-h (header text)] "
	    "[-o (offsets)] [-q (access queue)] [-s offset] [-v] [file(s)...]");
}

/* True: the arguments are queue ids. */
static bool
read_options(int argc, char **argv, const char **directory)
{
	bool by_id = false;
	int option;

	while ((option = getopt(argc, argv, "bc:dehoqrs:v")) != -1) {
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
			*directory = optarg;
			break;
		case 'q':
			by_id = true;
			break;
		case 'o':
			options.offsets = true;
			break;
		case 'd':
			options.types = true;
			break;
		case 's':
			if (config_number(optarg, 0, INT64_MAX,
			    &options.skip) == -1)
				fatal("-s %s: not an offset", optarg);
			break;
		case 'v':
			log_verbose++;
			break;
		case 'r':	/* records have one order only */
			break;
		default:
			usage();
		}
	}
	return by_id;
}

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	bool by_id;
	int result = 0;

	command_start("postcat");
	fatal_exit_code = 1;
	by_id = read_options(argc, argv, &directory);
	if (options.show == 0)
		options.show = SHOW_ENVELOPE | SHOW_HEADER | SHOW_BODY;
	command_configure(directory);
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
	if (optind == argc && !by_id && show_file(NULL) == -1)
		fatal("read a queue file from standard input: %m");
	if (fflush(stdout) == EOF)
		fatal("write: %m");
	return result;
}
