/*
 * postconf: edits. The file is read in chunks (a logical line, or the comments
 * and blank lines between two), and written anew with some chunks changed: what
 * an edit does not name stays byte for byte. The new file takes the old one's
 * place at once, or not at all.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/lines.h"
#include "config/master_cf.h"
#include "config/report.h"
#include "tools/shared/postconf.h"
#include "tools/shared/postconf_master.h"

#define FILE_LIMIT	(8 * 1024 * 1024)

/* The file under edit. */
struct file {
	char		*path;
	char		*text;
	size_t		 length;
	struct text	 out;
};

static const struct postconf_style folded = { .fold = true };

static void
file_open(struct file *file, const char *name)
{
	*file = (struct file){ .path = mem_printf("%s/%s",
	    config_get("config_directory"), name) };
	file->text = file_read(file->path, FILE_LIMIT, &file->length);
	if (file->text == NULL)
		fatal("open %s: %m", file->path);
}

static void
replace(const char *path, const struct text *text)
{
	char *new_path = mem_printf("%s.new.%ld", path, (long)getpid());
	struct stat old;
	int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1)
		fatal("create %s: %m", new_path);
	if (stat(path, &old) == -1 ||
	    (geteuid() == 0 && fchown(fd, old.st_uid, old.st_gid) == -1) ||
	    fchmod(fd, old.st_mode & 07777) == -1 ||
	    fd_write_all(fd, text_string(text), text->length) == -1 ||
	    fsync(fd) == -1 || rename(new_path, path) == -1) {
		int error = errno;

		unlink(new_path);
		errno = error;
		fatal("write %s: %m", new_path);
	}
	fd_close(&fd);
	free(new_path);
}

static int
file_close(struct file *file)
{
	replace(file->path, &file->out);
	free(file->path);
	free(file->text);
	text_clear(&file->out);
	return 0;
}

/* Where the physical line at p ends, its line end included. */
static const char *
line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	return newline == NULL ? end : newline + 1;
}

static bool
is_comment(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p == end || *p == '#';
}

/* The next chunk: all physical lines of a logical line, or one that is none. Comments behind the last line of a logical one are not part of it. */
static const char *
chunk_end(const char *start, const char *end)
{
	const char *last = line_end(start, end);

	if (is_comment(start, last))
		return last;
	for (const char *p = last; p < end;) {
		const char *next = line_end(p, end);

		if (!is_comment(p, next)) {
			if (!isspace((unsigned char)*p))
				break;
			last = next;
		}
		p = next;
	}
	return last;
}

static void
append_commented(struct text *out, const char *start, const char *end)
{
	while (start < end) {
		const char *next = line_end(start, end);

		if (!is_comment(start, next))
			text_putc(out, '#');
		text_append(out, start, (size_t)(next - start));
		start = next;
	}
}

/* The comments among the physical lines of a chunk, which outlive it. */
static void
append_comments(struct text *out, const char *start, const char *end)
{
	while (start < end) {
		const char *next = line_end(start, end);

		if (is_comment(start, next))
			text_append(out, start, (size_t)(next - start));
		start = next;
	}
}

/* One edit of the command line. */
struct request {
	char	*name;
	char	*value;
	bool	 done;
};

/* What an edit puts in the place of a chunk; out is where. False: the chunk stays. */
typedef bool edit_chunk(enum postconf_edit edit, struct request *requests,
    const char *start, const char *end, struct text *out);

static void
edit_file(struct file *file, enum postconf_edit edit,
    struct request *requests, edit_chunk *change)
{
	const char *p = file->text, *end = file->text + file->length;

	while (p < end) {
		const char *next = chunk_end(p, end);

		if (is_comment(p, line_end(p, end)) ||
		    !change(edit, requests, p, next, &file->out))
			text_append(&file->out, p, (size_t)(next - p));
		p = next;
	}
	if (file->out.length > 0 &&
	    file->out.bytes[file->out.length - 1] != '\n')
		text_putc(&file->out, '\n');
}

/* "name=value" words, or names alone when nothing is set. */
static struct request *
read_requests(enum postconf_edit edit, char **words)
{
	struct request *requests;
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	requests = mem_zalloc(count + 1, sizeof(*requests));
	for (size_t i = 0; i < count; i++) {
		char *copy = mem_strdup(words[i]);
		char *equals = strchr(copy, '=');

		if (strchr(copy, '\n') != NULL)
			fatal("\"%s\": a line end is not accepted", words[i]);
		if (edit == POSTCONF_SET) {
			if (equals == NULL)
				fatal("missing '=' after attribute name: \"%s\"",
				    words[i]);
			*equals = '\0';
			requests[i].value = text_trim(equals + 1);
		} else if (equals != NULL)
			fatal("-X and -# take names without =: \"%s\"",
			    words[i]);
		requests[i].name = text_trim(copy);
		if (*requests[i].name == '\0' ||
		    strpbrk(requests[i].name, " \t#") != NULL)
			fatal("bad name: \"%s\"", words[i]);
	}
	return requests;
}

static struct request *
find_request(struct request *requests, const char *name)
{
	struct request *found = NULL;

	for (; requests->name != NULL; requests++)
		if (strcmp(requests->name, name) == 0)
			found = requests;	/* the last one counts */
	return found;
}

/* main.cf: the first definition is replaced, later ones of the same name go. */
static bool
edit_definition(enum postconf_edit edit, struct request *requests,
    const char *start, const char *end, struct text *out)
{
	size_t length = strcspn(start, " \t\r\n=");
	char *name = mem_strndup(start, length);
	struct request *r = find_request(requests, name);

	free(name);
	if (r == NULL)
		return false;
	if (edit == POSTCONF_COMMENT) {
		append_commented(out, start, end);
		return true;
	}
	if (edit == POSTCONF_SET && !r->done)
		text_printf(out, "%s = %s\n", r->name, r->value);
	append_comments(out, start, end);
	r->done = true;
	return true;
}

int
postconf_edit_main(enum postconf_edit edit, char **words)
{
	struct request *requests = read_requests(edit, words);
	struct file file;

	file_open(&file, "main.cf");
	edit_file(&file, edit, requests, edit_definition);
	for (struct request *r = requests; r->name != NULL; r++)
		if (edit == POSTCONF_SET && !r->done &&
		    find_request(requests, r->name) == r)
			text_printf(&file.out, "%s = %s\n", r->name, r->value);
	free(requests);
	return file_close(&file);
}

/* Read a chunk of master.cf; what is wrong in it ends the edit. */
static void
parse_chunk(const char *start, const char *end, struct master_cf *cf)
{
	if (master_cf_parse(start, (size_t)(end - start), "master.cf",
	    cf) == -1 || cf->count != 1)
		fatal("master.cf is not changed: see above");
}

/* The entry that a request's value is: "smtp inet n - n - - smtpd". */
static void
append_new_entry(const struct request *r, struct text *out)
{
	struct master_cf cf;

	parse_chunk(r->value, strchr(r->value, '\0'), &cf);
	postconf_format_entry(&folded, cf.entries, out);
	master_cf_clear(&cf);
}

static bool
edit_entry(enum postconf_edit edit, struct request *requests,
    const char *start, const char *end, struct text *out)
{
	struct master_cf cf;
	bool changed = false;

	parse_chunk(start, end, &cf);
	for (struct request *r = requests; r->name != NULL; r++) {
		if (!postconf_entry_fits(cf.entries, r->name))
			continue;
		if (edit == POSTCONF_COMMENT && !changed)
			append_commented(out, start, end);
		else if (edit == POSTCONF_SET && !r->done)
			append_new_entry(r, out);
		r->done = true;
		changed = true;
	}
	master_cf_clear(&cf);
	return changed;
}

int
postconf_edit_entries(enum postconf_edit edit, char **words)
{
	struct request *requests = read_requests(edit, words);
	struct file file;

	for (struct request *r = requests; r->name != NULL; r++)
		if (strchr(r->name, '/') == NULL)
			fatal("-Me, -MX or -M# requires service_name/type");
	file_open(&file, "master.cf");
	edit_file(&file, edit, requests, edit_entry);
	for (struct request *r = requests; r->name != NULL; r++)
		if (edit == POSTCONF_SET && !r->done)
			append_new_entry(r, &file.out);
	free(requests);
	return file_close(&file);
}

/* Behind "service/type/". */
static const char *
third_part(const char *name)
{
	const char *slash = strchr(name, '/');

	slash = slash == NULL ? NULL : strchr(slash + 1, '/');
	if (slash == NULL || slash[1] == '\0')
		fatal("\"%s\": expected service/type/name", name);
	return slash + 1;
}

static void
set_column(struct master_entry *entry, const struct request *r)
{
	const char *column = third_part(r->name);

	for (int i = 0; postconf_columns[i] != NULL; i++) {
		if (strcmp(postconf_columns[i], column) != 0)
			continue;
		if (i == MASTER_COLUMNS) {
			free(entry->program);
			entry->program = mem_strdup(r->value);
			entry->argument_count = 0;
			return;
		}
		free(entry->columns[i]);
		entry->columns[i] = mem_strdup(r->value);
		return;
	}
	fatal("invalid service attribute name: \"%s\"", column);
}

/* Take the -o for a parameter away, and put the new one in. */
static void
set_override(struct master_entry *entry, const struct request *r)
{
	const char *name = third_part(r->name);
	size_t length = strlen(name), kept = 0;

	for (size_t i = 0; i < entry->argument_count; i++) {
		if (strcmp(entry->arguments[i], "-o") == 0 &&
		    i + 1 < entry->argument_count &&
		    strncmp(entry->arguments[i + 1], name, length) == 0 &&
		    entry->arguments[i + 1][length] == '=') {
			i++;
			continue;
		}
		entry->arguments[kept++] = entry->arguments[i];
	}
	entry->argument_count = kept;
	if (r->value == NULL)
		return;
	entry->arguments = mem_resize(entry->arguments, kept + 3,
	    sizeof(*entry->arguments));
	entry->arguments[kept] = mem_strdup("-o");
	entry->arguments[kept + 1] = mem_printf("%s=%s", name, r->value);
	entry->argument_count = kept + 2;
}

/* Change parts of the entries that are named. */
static bool
edit_part(struct request *requests, const char *start, const char *end,
    struct text *out, void (*set)(struct master_entry *,
    const struct request *))
{
	struct master_cf cf;
	struct text line = TEXT_EMPTY;
	bool changed = false;

	parse_chunk(start, end, &cf);
	for (struct request *r = requests; r->name != NULL; r++) {
		if (!postconf_entry_fits(cf.entries, r->name))
			continue;
		set(cf.entries, r);
		r->done = true;
		changed = true;
	}
	if (changed) {
		postconf_format_entry(&folded, cf.entries, &line);
		text_append(out, line.bytes, line.length);
		master_cf_clear(&cf);
		parse_chunk(line.bytes, line.bytes + line.length, &cf);
	}
	master_cf_clear(&cf);
	text_clear(&line);
	return changed;
}

static bool
edit_column(enum postconf_edit edit, struct request *requests,
    const char *start, const char *end, struct text *out)
{
	return edit_part(requests, start, end, out, set_column);
}

static bool
edit_override(enum postconf_edit edit, struct request *requests,
    const char *start, const char *end, struct text *out)
{
	return edit_part(requests, start, end, out, set_override);
}

static int
edit_parts(enum postconf_edit edit, char **words, edit_chunk *change)
{
	struct request *requests = read_requests(edit, words);
	struct file file;

	file_open(&file, "master.cf");
	edit_file(&file, edit, requests, change);
	for (struct request *r = requests; r->name != NULL; r++)
		if (!r->done)
			log_warning("unmatched service_name/type: \"%s\"",
			    r->name);
	free(requests);
	return file_close(&file);
}

int
postconf_edit_columns(enum postconf_edit edit, char **words)
{
	if (edit != POSTCONF_SET)
		fatal("columns cannot be removed: set them to -");
	return edit_parts(edit, words, edit_column);
}

int
postconf_edit_overrides(enum postconf_edit edit, char **words)
{
	if (edit == POSTCONF_COMMENT)
		fatal("a parameter in master.cf cannot be commented out: use -X");
	return edit_parts(edit, words, edit_override);
}
