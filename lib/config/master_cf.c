#include "config/master_cf.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/lines.h"
#include "config/snapshot.h"
#include "config/values.h"

#define SIZE_LIMIT	(4 * 1024 * 1024)
#define BLANKS		" \t\r\f\v"	/* what isspace(3) takes, but for the line end */

static const char *const type_names[] = {
	[MASTER_INET] = "inet",
	[MASTER_UNIX] = "unix",
	[MASTER_FIFO] = "fifo",
	[MASTER_PASS] = "pass",
	[MASTER_UNIX_DGRAM] = "unix-dgram",
};

/* The line that is being read, and what is wrong with it. */
struct reader {
	char		*cursor;
	struct text	 wrong;
};

const char *
master_type_name(enum master_type type)
{
	return type_names[type];
}

char *
master_entry_endpoint(const struct master_entry *entry)
{
	if (entry->type == MASTER_INET)
		return mem_strdup(entry->name);
	return mem_printf("%s/%s", entry->is_private ? "private" : "public",
	    entry->name);
}

static void
entry_clear(struct master_entry *entry)
{
	for (int i = 0; i < MASTER_COLUMNS; i++)
		free(entry->columns[i]);
	free(entry->name);
	free(entry->host);
	free(entry->port);
	free(entry->program);
	for (size_t i = 0; i < entry->argument_count; i++)
		free(entry->arguments[i]);
	free(entry->arguments);
	memset(entry, 0, sizeof(*entry));
}

void
master_cf_clear(struct master_cf *cf)
{
	for (size_t i = 0; i < cf->count; i++)
		entry_clear(&cf->entries[i]);
	free(cf->entries);
	*cf = (struct master_cf){ 0 };
}

static const char *
next_column(struct reader *reader, const char *column)
{
	char *word = word_next(&reader->cursor, BLANKS);

	if (word == NULL)
		text_printf(&reader->wrong, "missing %s column; expected: "
		    "service type private unpriv chroot wakeup maxproc command",
		    column);
	return word;
}

static int
read_type(struct reader *reader, enum master_type *type)
{
	const char *word = next_column(reader, "type");

	if (word == NULL)
		return -1;
	for (size_t i = 0; i < COUNT_OF(type_names); i++) {
		if (strcmp(word, type_names[i]) == 0) {
			*type = (enum master_type)i;
			return 0;
		}
	}
	text_printf(&reader->wrong,
	    "type \"%s\": expected inet, unix, fifo, pass or unix-dgram", word);
	return -1;
}

static int
read_bool(struct reader *reader, const char *column, bool preset, bool *value)
{
	const char *word = next_column(reader, column);

	if (word == NULL)
		return -1;
	if (strcmp(word, "-") == 0)
		*value = preset;
	else if (strcmp(word, "y") == 0 || strcmp(word, "n") == 0)
		*value = *word == 'y';
	else {
		text_printf(&reader->wrong,
		    "%s column \"%s\": expected y, n or -", column, word);
		return -1;
	}
	return 0;
}

static int
read_number(struct reader *reader, const char *column, int preset,
    bool *question_mark, int *value)
{
	char *word = (char *)(uintptr_t)next_column(reader, column);
	int64_t number;

	if (word == NULL)
		return -1;
	if (strcmp(word, "-") == 0) {
		*value = preset;
		return 0;
	}
	if (question_mark != NULL && text_ends_with(word, "?")) {
		*question_mark = true;
		word[strlen(word) - 1] = '\0';
	}
	if (config_number(word, 0, INT_MAX, &number) == -1) {
		text_printf(&reader->wrong,
		    "%s column \"%s\": expected a number%s or -", column, word,
		    question_mark != NULL ? " of seconds, perhaps with ?" : "");
		return -1;
	}
	*value = (int)number;
	return 0;
}

/* "port", "host:port", "[v6]:port". */
static int
split_inet_name(struct reader *reader, struct master_entry *entry)
{
	const char *name = entry->name, *host = name, *colon;
	size_t host_length;

	if (*name == '[') {
		const char *close = strchr(name, ']');

		host++;
		colon = close == NULL ? NULL : close + 1;
		host_length = close == NULL ? 0 : (size_t)(close - host);
		if (colon == NULL || *colon != ':')
			goto bad;
	} else {
		colon = strrchr(name, ':');
		host_length = colon == NULL ? 0 : (size_t)(colon - name);
		if (memchr(host, ':', host_length) != NULL)
			goto bad;
	}
	entry->host = mem_strndup(host, host_length);
	entry->port = mem_strdup(colon == NULL ? name : colon + 1);
	if (*entry->port != '\0')
		return 0;
bad:
	text_printf(&reader->wrong,
	    "service \"%s\": expected port, host:port or [IPv6 address]:port",
	    name);
	return -1;
}

/* The next argument; braces around it are taken off, and *braced tells. NULL at the end or with reader->wrong. */
static char *
next_argument(struct reader *reader, bool *braced)
{
	char *p = reader->cursor + strspn(reader->cursor, BLANKS), *word = p;
	int depth = 0;

	*braced = *p == '{';
	if (*p == '\0')
		return NULL;
	if (!*braced)
		return word_next(&reader->cursor, BLANKS);
	for (; *p != '\0'; p++) {
		if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			break;
	}
	if (*p == '\0' || (p[1] != '\0' && strchr(BLANKS, p[1]) == NULL)) {
		text_printf(&reader->wrong, *p == '\0' ? "\"%.80s\": a { without its }"
		    : "\"%.80s\": text follows the }", word);
		return NULL;
	}
	reader->cursor = p[1] == '\0' ? p + 1 : p + 2;
	*p = '\0';
	return text_trim(word + 1);
}

static void
add_argument(struct master_entry *entry, char *argument)
{
	entry->arguments = mem_resize(entry->arguments,
	    entry->argument_count + 2, sizeof(*entry->arguments));
	entry->arguments[entry->argument_count++] = argument;
	entry->arguments[entry->argument_count] = NULL;
}

/* "name = value" as "name=value"; NULL with reader->wrong. */
static char *
read_override(struct reader *reader, char *text)
{
	char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		text_printf(&reader->wrong,
		    "-o %s: expected -o name=value or -o { name = value }",
		    text);
		return NULL;
	}
	*equals = '\0';
	return mem_printf("%s=%s", text_trim(text), text_trim(equals + 1));
}

static int
read_arguments(struct reader *reader, struct master_entry *entry)
{
	bool braced;
	char *word;

	add_argument(entry, NULL);
	entry->argument_count = 0;
	while ((word = next_argument(reader, &braced)) != NULL) {
		if (braced || strncmp(word, "-o", 2) != 0) {
			add_argument(entry, mem_strdup(word));
			continue;
		}
		if (word[2] != '\0')
			word += 2;
		else if ((word = next_argument(reader, &braced)) == NULL) {
			if (reader->wrong.length == 0)
				text_puts(&reader->wrong,
				    "-o without name=value behind it");
			return -1;
		}

		char *override = read_override(reader, word);

		if (override == NULL)
			return -1;
		add_argument(entry, mem_strdup("-o"));
		add_argument(entry, override);
	}
	return reader->wrong.length == 0 ? 0 : -1;
}

/* Keep the columns as they were written, for postconf(1). */
static void
keep_columns(const char *line, struct master_entry *entry)
{
	char *copy = mem_strdup(line), *cursor = copy, *word;

	for (int i = 0; i < MASTER_COLUMNS &&
	    (word = word_next(&cursor, BLANKS)) != NULL; i++)
		entry->columns[i] = mem_strdup(word);
	free(copy);
}

static int
read_entry(struct reader *reader, struct master_entry *entry)
{
	const char *word;

	keep_columns(reader->cursor, entry);
	if ((word = next_column(reader, "service")) == NULL)
		return -1;
	entry->name = mem_strdup(word);
	if (read_type(reader, &entry->type) == -1 ||
	    read_bool(reader, "private", true, &entry->is_private) == -1 ||
	    read_bool(reader, "unpriv", true, &entry->unprivileged) == -1 ||
	    read_bool(reader, "chroot", false, &entry->chroot) == -1 ||
	    read_number(reader, "wakeup", 0, &entry->wakeup_if_used,
	    &entry->wakeup) == -1 ||
	    read_number(reader, "maxproc", -1, NULL,
	    &entry->process_limit) == -1)
		return -1;
	if ((word = next_column(reader, "command")) == NULL)
		return -1;
	if (strchr(word, '/') != NULL) {
		text_printf(&reader->wrong,
		    "command \"%s\": expected a program in daemon_directory, without /",
		    word);
		return -1;
	}
	entry->program = mem_strdup(word);
	if (entry->type == MASTER_INET) {
		entry->is_private = false;
		if (split_inet_name(reader, entry) == -1)
			return -1;
	} else if (strchr(entry->name, '/') != NULL || *entry->name == '.') {
		text_printf(&reader->wrong,
		    "service \"%s\": a name without / and not hidden",
		    entry->name);
		return -1;
	}
	return read_arguments(reader, entry);
}

/* Of two entries for one service the last counts, in the first one's place. */
static void
keep_entry(struct master_cf *cf, struct master_entry *entry)
{
	for (size_t i = 0; i < cf->count; i++) {
		struct master_entry *other = &cf->entries[i];

		if (other->type != entry->type ||
		    strcmp(other->name, entry->name) != 0)
			continue;

		char *endpoint = master_entry_endpoint(entry);

		log_warning("duplicate master.cf entry for service \"%s\" (%s)"
		    " -- using the last entry (lines %d and %d)", entry->name,
		    endpoint, other->line, entry->line);
		free(endpoint);
		entry_clear(other);
		*other = *entry;
		return;
	}
	cf->entries = mem_resize(cf->entries, cf->count + 1,
	    sizeof(*cf->entries));
	cf->entries[cf->count++] = *entry;
}

int
master_cf_parse(const char *text, size_t length, const char *file,
    struct master_cf *cf)
{
	struct reader reader = { 0 };
	struct lines lines;
	int result = 0;
	char *line;

	*cf = (struct master_cf){ 0 };
	lines_open(&lines, text, length);
	while ((line = lines_next(&lines)) != NULL) {
		struct master_entry entry = { .line = lines.first };

		reader.cursor = line;
		text_truncate(&reader.wrong, 0);
		if (isspace((unsigned char)*line)) {
			log_warning("%s, line %d: logical line must not start "
			    "with whitespace: \"%.30s\"", file, lines.first, line);
			continue;
		}
		if (strlen(line) != lines.line.length)
			text_puts(&reader.wrong, "a NUL byte");
		else if (read_entry(&reader, &entry) == 0) {
			keep_entry(cf, &entry);
			continue;
		}
		log_error("%s, line %d: %s", file, lines.first,
		    text_string(&reader.wrong));
		entry_clear(&entry);
		result = -1;
	}
	lines_close(&lines);
	text_clear(&reader.wrong);
	if (result == -1)
		master_cf_clear(cf);
	return result;
}

int
master_cf_load(const char *directory, struct master_cf *cf)
{
	char *path = mem_printf("%s/master.cf", directory);
	size_t length;
	char *text = config_snapshot_read(path, SIZE_LIMIT, &length);
	int result = -1;

	*cf = (struct master_cf){ 0 };
	if (text == NULL)
		log_error("open %s: %m", path);
	else
		result = master_cf_parse(text, length, path, cf);
	free(text);
	free(path);
	return result;
}
