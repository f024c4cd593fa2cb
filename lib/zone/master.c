/*
 * master - a master file into a zone: lines, owners, directives
 *
 * RFC 1035 section 5, RFC 2308 section 4, and BIND's additions. The first
 * error ends it, unless the rules ask for all; what BIND only warns of is a
 * warning here too.
 */

#include "zone/master.h"

#include <sys/stat.h>

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zone/index.h"
#include "zone/source.h"

#define INCLUDE_DEPTH_MAX	10
#define INCLUDES_MAX	100000	/* of a zone: files that include many that include many have an end */
#define TTL_MAX			0x7fffffff
#define ESTIMATE_AFTER		(512 << 10)	/* octets of a file */

static int	parse_file(struct master *m, const char *path);

int
master_fail(struct master *m, const char *why)
{
	if (m->why == NULL)
		m->why = why;
	return -1;
}

int
master_error(struct master *m, const char *why)
{
	log_error("dns_master_load: %s:%u: %s", m->file, m->scanner->line, why);
	return master_fail(m, why);
}

/* word is NULL at the end of the line. */
int
master_error_near(struct master *m, const struct dns_word *word,
    const char *why)
{
	if (word == NULL)
		log_error("dns_rdata_fromtext: %s:%u: near eol: %s", m->file,
		    m->scanner->line, why);
	else
		log_error("dns_rdata_fromtext: %s:%u: near '%.*s': %s",
		    m->file, m->scanner->line,
		    (int)(word->length < 100 ? word->length : 100), word->text,
		    why);
	return master_fail(m, why);
}

static bool
is_word(const struct dns_word *word, const char *text)
{
	return !word->quoted && strlen(text) == word->length &&
	    strncasecmp(word->text, text, word->length) == 0;
}

static int
take_owner(struct master *m, struct zone_owner *owner)
{
	if (owner != m->owner || owner == NULL)
		zone_begin_run(m->zone);
	m->owner = owner;
	return owner != NULL ? 0 : master_error(m, "out of memory");
}

/*
 * The next line's owner, if it is a plain relative name: with a million
 * names each look into the index is a wait for memory, which is over when
 * this line's record has been read.
 */
static void
look_ahead(struct master *m)
{
	const struct scanner *s = m->scanner;
	const char *start = s->at + (s->at < s->end && *s->at == '\n');
	struct master_next *next = m->next;
	size_t left = s->end - start, length;

	next->text = NULL;
	if (!m->origin_is_within)
		return;
	length = dns_name_parse_host(&next->name, start, left, &m->origin);
	if (length == 0 || length == left ||
	    (start[length] != ' ' && start[length] != '\t'))
		return;
	next->text = start;
	next->length = length;
	next->octets = s->octets;
	zone_path_init_below(&next->path, m->zone->seed, next->name.bytes,
	    next->name.length, &m->zone->suffix);
	zone_expect(m->zone, &next->path);
}

int
master_set_owner(struct master *m, const struct dns_word *word)
{
	struct dns_name name;
	const char *why;
	bool is_relative = word->length > 0 &&
	    word->text[word->length - 1] != '.';

	if (m->next->text == word->text && m->next->length == word->length &&
	    m->next->octets == m->scanner->octets) {
		m->has_owner = true;
		return take_owner(m, zone_get_owner_at(m->zone,
		    m->next->name.bytes, &m->next->path));
	}
	if (memchr(word->text, '\0', word->length) != NULL)
		return master_error(m, "syntax error");
	if (dns_name_parse(&name, word->text, word->length, &m->origin,
	    &why) == -1)
		return master_error(m, why);
	m->has_owner = true;
	if (!(is_relative && m->origin_is_within) &&
	    !dns_name_within(name.bytes, m->zone->apex.bytes)) {
		char text[DNS_NAME_TEXT];

		log_warning("%s:%u: ignoring out-of-zone data (%s)", m->file,
		    m->scanner->first, dns_name_show(name.bytes, text));
		m->owner = NULL;
		return 0;
	}
	return take_owner(m, zone_get_owner(m->zone, name.bytes));
}

/* Directives */

static int
set_origin(struct master *m, const struct dns_word *word)
{
	struct dns_name origin;
	const char *why;

	if (dns_name_parse(&origin, word->text, word->length, &m->origin,
	    &why) == -1)
		return master_error(m, why);
	m->origin = origin;
	m->origin_is_within = dns_name_within(origin.bytes,
	    m->zone->apex.bytes);
	return 0;
}

static int
set_default_ttl(struct master *m, const struct dns_word *word)
{
	int64_t ttl = dns_ttl_parse(word->text, word->length);

	if (ttl == -1)
		return master_error_near(m, word, "bad ttl");
	if (ttl > TTL_MAX) {
		log_warning("%s:%u: $TTL %" PRId64 " > MAXTTL, setting $TTL "
		    "to 0", m->file, m->scanner->line, ttl);
		ttl = 0;
	}
	m->default_ttl = ttl;
	m->has_default_ttl = true;
	return 0;
}

/* Is a file in or below a directory? */
static bool
is_beneath(const char *file, const char *directory)
{
	char *real_file = realpath(file, NULL);
	char *real = realpath(directory, NULL);
	size_t length = real != NULL ? strlen(real) : 0;
	bool result = real_file != NULL && length > 1 &&
	    strncmp(real_file, real, length) == 0 && real_file[length] == '/';

	free(real_file);
	free(real);
	return result;
}

/* A zone file is often others' work: it may include what lies beneath its own directory, or ours. */
static bool
may_include(const struct master *m, const char *path)
{
	char *copy = mem_strdup(m->zone->file);
	bool result = access(path, F_OK) == -1 || is_beneath(path, ".") ||
	    is_beneath(path, dirname(copy));

	free(copy);
	return result;
}

static int
include(struct master *m, const struct dns_word *words, size_t count)
{
	struct master inner = *m;
	char *path;
	int result = -1;

	if (count < 2)
		return master_error(m, "unexpected end of input");
	if (count > 3)
		return master_error(m, "extra input text");
	if (m->depth >= INCLUDE_DEPTH_MAX)
		return master_error(m, "$INCLUDE nested too deeply");
	if (++inner.includes > INCLUDES_MAX)
		return master_error(m, "too many $INCLUDE");
	if (count == 3 && set_origin(&inner, &words[2]) == -1) {
		m->why = inner.why;
		return -1;
	}
	path = mem_strndup(words[1].text, words[1].length);
	inner.depth++;
	if (m->zone->file == NULL || !may_include(m, path)) {
		log_error("dns_master_load: %s:%u: %s: not beneath the zone's "
		    "directory", m->file, m->scanner->line, path);
		inner.why = m->why != NULL ? m->why : "permission denied";
	} else
		result = parse_file(&inner, path);
	m->why = inner.why;
	m->includes = inner.includes;
	m->default_ttl = inner.default_ttl;
	m->has_default_ttl = inner.has_default_ttl;
	m->last_ttl = inner.last_ttl;
	m->has_last_ttl = inner.has_last_ttl;
	free(path);
	return result;
}

static int
parse_directive(struct master *m, const struct dns_word *words, size_t count)
{
	m->next->text = NULL;	/* it may have another meaning now */
	if (is_word(&words[0], "$GENERATE"))
		return master_generate(m, words, count);
	if (is_word(&words[0], "$INCLUDE"))
		return include(m, words, count);
	if (is_word(&words[0], "$DATE"))
		return 0;
	if (!is_word(&words[0], "$ORIGIN") && !is_word(&words[0], "$TTL")) {
		log_error("dns_master_load: %s:%u: unknown $ directive '%.*s'",
		    m->file, m->scanner->line, (int)words[0].length,
		    words[0].text);
		return master_fail(m, "syntax error");
	}
	if (count != 2)
		return master_error(m, count < 2 ? "unexpected end of line" :
		    "extra input text");
	return is_word(&words[0], "$TTL") ? set_default_ttl(m, &words[1]) :
	    set_origin(m, &words[1]);
}

static int
parse_line(struct master *m)
{
	const struct dns_word *words = m->scanner->words;
	size_t count = m->scanner->count;

	if (m->scanner->has_blank_owner) {
		if (!m->has_owner)
			return master_error(m, "no current owner name");
	} else {
		if (words[0].length > 0 && words[0].text[0] == '$' &&
		    !words[0].quoted)
			return parse_directive(m, words, count);
		if (master_set_owner(m, &words[0]) == -1)
			return -1;
		words++;
		count--;
	}
	look_ahead(m);
	return master_parse_record(m, words, count);
}

/* From what a part of the file holds one knows about how much is to come, once. */
static void
expect_owners(struct master *m)
{
	const struct scanner *s = m->scanner;

	index_reserve(m->zone, (double)m->zone->owner_count /
	    (s->octets - (s->end - s->at)) * m->file_size);
	m->file_size = 0;
}

/* All lines; takes what the scanner has. */
static int
parse_lines(struct master *m, struct scanner *scanner)
{
	const char *why = NULL;
	bool all = m->zone->rules->many_errors;
	int result;

	m->scanner = scanner;
	while ((result = scan_next(scanner, &why)) == 1) {
		if (parse_line(m) == -1 && (!all || m->is_over))
			break;
		if (scanner->octets > ESTIMATE_AFTER && m->file_size > 0)
			expect_owners(m);
	}
	if (result == -1)
		master_error(m, why);
	if (scanner->lacks_newline)
		log_warning("%s: file does not end with newline", m->file);
	scan_stop(scanner);
	m->scanner = NULL;
	m->next->text = NULL;
	return m->why == NULL ? 0 : -1;
}

/* An included file, or the first one: then there is no scanner yet that could tell where we are. */
static int
parse_file(struct master *m, const char *path)
{
	struct scanner scanner;
	struct stat st;
	const char *why;
	int fd = source_open(path, &why), result;

	if (fd == -1) {
		if (m->scanner != NULL)
			log_error("dns_master_load: %s:%u: %s: %s", m->file,
			    m->scanner->line, path, why);
		return master_fail(m, why);
	}
	m->file = path;
	m->file_size = 0;
	if (fstat(fd, &st) == 0) {
		m->file_size = st.st_size;
		m->zone->print = source_print(m->zone->print, &st);
		text_append(&m->zone->sources, path, strlen(path) + 1);
	}
	scan_start_file(&scanner, fd);
	result = parse_lines(m, &scanner);
	fd_close(&fd);
	return result;
}

int
zone_parse(struct zone *zone, const char *name, const char *bytes,
    size_t length, const char **why)
{
	struct master_next next = { .text = NULL };
	struct master m = {
		.zone = zone,
		.file = name,
		.origin = zone->apex,
		.origin_is_within = true,
		.next = &next,
	};
	struct scanner scanner;
	int result;

	if (bytes == NULL) {
		zone->file = name;
		result = parse_file(&m, name);
		zone->file = NULL;
	} else {
		scan_start(&scanner, bytes, length);
		result = parse_lines(&m, &scanner);
	}
	*why = m.why;
	return result;
}
