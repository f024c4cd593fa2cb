/*
 * master - a master file into a zone: owners, times to live, directives
 *
 * RFC 1035 section 5, RFC 2308 section 4, and BIND's $GENERATE. The first
 * error ends it; what BIND only warns of is a warning here too.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/scan.h"
#include "zone/source.h"
#include "zone/zone.h"

#define INCLUDE_DEPTH_MAX	10
#define GENERATE_MAX		65536	/* records of one $GENERATE */
#define TTL_MAX			0x7fffffff

/* Where we are. An included file begins with a copy and ends with the old one. */
struct master {
	struct zone *zone;
	const char *file;
	struct scanner *scanner;
	struct dns_name origin;
	struct zone_owner *owner;	/* of the last record; NULL: out of zone, or none yet */
	bool	 has_owner;
	uint32_t default_ttl;		/* $TTL */
	bool	 has_default_ttl;
	uint32_t last_ttl;
	bool	 has_last_ttl;
	bool	 told_of_rfc1035;
	unsigned depth;
	const char *why;
};

static int	parse_source(struct master *m, const char *bytes, size_t length);

static int
complain(struct master *m, const char *why)
{
	log_error("dns_master_load: %s:%u: %s", m->file, m->scanner->line, why);
	m->why = why;
	return -1;
}

static int
complain_near(struct master *m, const struct dns_word *word, const char *why)
{
	log_error("dns_rdata_fromtext: %s:%u: near '%.*s': %s", m->file,
	    m->scanner->line, (int)(word->length < 100 ? word->length : 100),
	    word->text, why);
	m->why = why;
	return -1;
}

static bool
is_word(const struct dns_word *word, const char *text)
{
	return !word->quoted && strlen(text) == word->length &&
	    strncasecmp(word->text, text, word->length) == 0;
}

/* Owners */

static int
set_owner(struct master *m, const struct dns_word *word)
{
	struct dns_name name;
	const char *why;

	if (dns_name_parse(&name, word->text, word->length, &m->origin,
	    &why) == -1)
		return complain_near(m, word, why);
	m->has_owner = true;
	if (!dns_name_within(name.bytes, m->zone->apex.bytes)) {
		char text[DNS_NAME_TEXT];

		log_warning("%s:%u: ignoring out-of-zone data (%s)", m->file,
		    m->scanner->line, dns_name_show(name.bytes, text));
		m->owner = NULL;
		return 0;
	}
	m->owner = zone_get_owner(m->zone, name.bytes);
	return m->owner != NULL ? 0 : complain(m, "out of memory");
}

/* Time to live and class, in either order, before the type. */
static int
parse_ttl_and_class(struct master *m, const struct dns_word *words,
    size_t count, size_t *next, int64_t *ttl)
{
	bool has_class = false;

	*ttl = -1;
	while (*next < count && !words[*next].quoted) {
		const struct dns_word *word = &words[*next];
		int class = dns_class_parse(word->text, word->length);
		int64_t span = dns_ttl_parse(word->text, word->length);

		if (class != -1 && !has_class) {
			if (class != DNS_CLASS_IN)
				return complain_near(m, word, "bad class");
			has_class = true;
		} else if (span != -1 && *ttl == -1)
			*ttl = span;
		else
			break;
		(*next)++;
	}
	return 0;
}

static int
choose_ttl(struct master *m, int64_t given, uint16_t type,
    const uint8_t *rdata, uint16_t length, uint32_t *ttl)
{
	if (given != -1)
		*ttl = given;
	else if (m->has_default_ttl)
		*ttl = m->default_ttl;
	else if (m->has_last_ttl) {
		*ttl = m->last_ttl;
		if (!m->told_of_rfc1035)
			log_warning("%s:%u: using RFC1035 TTL semantics",
			    m->file, m->scanner->line);
		m->told_of_rfc1035 = true;
	} else if (type == DNS_TYPE_SOA) {
		log_warning("%s:%u: no TTL specified; using SOA MINTTL instead",
		    m->file, m->scanner->line);
		*ttl = dns_get32(rdata + length - 4);
		m->default_ttl = *ttl;
		m->has_default_ttl = true;
	} else
		return complain(m, "no TTL specified");
	if (*ttl > TTL_MAX) {
		log_warning("%s:%u: TTL %" PRIu32 " > MAXTTL, setting TTL to 0",
		    m->file, m->scanner->line, *ttl);
		*ttl = 0;
	}
	m->last_ttl = *ttl;
	m->has_last_ttl = true;
	return 0;
}

/* Host names where host names belong. */

static int
bad_name(struct master *m, const uint8_t *name, const char *what)
{
	bool fails = m->zone->rules->check_names == VERDICT_FAIL;
	char text[DNS_NAME_TEXT];

	dns_name_show(name, text);
	if (fails)
		log_error("%s:%u: %s: %s", m->file, m->scanner->line, text,
		    what);
	else
		log_warning("%s:%u: warning: %s: %s", m->file,
		    m->scanner->line, text, what);
	m->why = what;
	return fails ? -1 : 0;
}

/* The name in the data that must be a host's, NULL if there is none. */
static const uint8_t *
host_in_data(const struct zone_owner *owner, uint16_t type,
    const uint8_t *rdata)
{
	static const uint8_t in_addr[] = "\7in-addr\4arpa";
	static const uint8_t ip6[] = "\3ip6\4arpa";

	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_SOA:
		return rdata;
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
		return rdata + 2;
	case DNS_TYPE_SRV:
		return rdata + 6;
	case DNS_TYPE_PTR:
		if (dns_name_within(owner->name, in_addr) ||
		    dns_name_within(owner->name, ip6))
			return rdata;
		return NULL;
	default:
		return NULL;
	}
}

static int
check_host_names(struct master *m, uint16_t type, const uint8_t *rdata)
{
	static const uint8_t gc_msdcs[] = "\2gc\6_msdcs";
	const uint8_t *owner = m->owner->name;
	const uint8_t *host = host_in_data(m->owner, type, rdata);

	if (m->zone->rules->check_names == VERDICT_IGNORE)
		return 0;
	/* Active Directory keeps addresses at gc._msdcs, and BIND lets it. */
	if ((type == DNS_TYPE_A || type == DNS_TYPE_AAAA ||
	    type == DNS_TYPE_MX) && !dns_name_is_host(owner)) {
		struct dns_name lower;

		dns_name_lower(lower.bytes, owner, m->owner->length);
		if ((m->owner->length < sizeof(gc_msdcs) ||
		    memcmp(lower.bytes, gc_msdcs, sizeof(gc_msdcs) - 1) != 0) &&
		    bad_name(m, owner, "bad owner name (check-names)") == -1)
			return -1;
	}
	if (host != NULL && *host != 0 && !dns_name_is_host(host))
		return bad_name(m, host, "bad name (check-names)");
	return 0;
}

/* What no zone may hold, whatever the file says. */
static const char *
forbidden(const struct master *m, uint16_t type, const uint8_t *rdata,
    uint16_t length)
{
	bool wildcard = m->owner->name[0] == 1 && m->owner->name[1] == '*';

	if (type == DNS_TYPE_SOA && m->owner->parent != NULL)
		return "not at top of zone";
	if (type == DNS_TYPE_NS && wildcard)
		return "invalid NS owner name (wildcard)";
	if (type == DNS_TYPE_NXT)
		return "old style DNSSEC zone";
	if (type == DNS_TYPE_MD || type == DNS_TYPE_MF)
		return "obsolete";
	return NULL;
}

static int
add_record(struct master *m, uint16_t type, int64_t given,
    const uint8_t *rdata, uint16_t length)
{
	const char *why = forbidden(m, type, rdata, length);
	uint32_t ttl, wanted;

	if (why != NULL)
		return complain(m, why);
	if (check_host_names(m, type, rdata) == -1 ||
	    choose_ttl(m, given, type, rdata, length, &ttl) == -1)
		return -1;
	wanted = ttl;
	if (zone_add(m->zone, m->owner, type, &ttl, rdata, length, &why) == -1) {
		char text[DNS_NAME_TEXT];

		log_error("dns_master_load: %s:%u: %s: %s", m->file,
		    m->scanner->line, dns_name_show(m->owner->name, text), why);
		m->why = why;
		return -1;
	}
	if (ttl != wanted)
		log_warning("%s:%u: TTL set to prior TTL (%" PRIu32 ")",
		    m->file, m->scanner->line, ttl);
	return 0;
}

/* Words from [TTL] [class] type on, for the present owner. */
static int
parse_record(struct master *m, const struct dns_word *words, size_t count)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	const char *why;
	size_t next = 0;
	int64_t ttl;
	int type, length, bad;

	if (parse_ttl_and_class(m, words, count, &next, &ttl) == -1)
		return -1;
	if (next == count)
		return complain(m, "unexpected end of input");
	type = dns_type_parse(words[next].text, words[next].length);
	if (type == -1 || !dns_type_is_data(type))
		return complain_near(m, &words[next], "unknown RR type");
	next++;
	if (m->owner == NULL)
		return 0;	/* out of zone */
	length = dns_rdata_parse(type, words + next, count - next, &m->origin,
	    rdata, &why, &bad);
	if (length == -1)
		return bad >= 0 ? complain_near(m, &words[next + bad], why) :
		    complain(m, why);
	return add_record(m, type, ttl, rdata, length);
}

/* $GENERATE */

struct range {
	unsigned start, stop, step;
};

/* start-stop[/step] */
static bool
parse_range(struct range *range, const struct dns_word *word)
{
	char text[40], slash = '/';
	int end = 0;

	if (word->length >= sizeof(text))
		return false;
	memcpy(text, word->text, word->length);
	text[word->length] = '\0';
	range->step = 1;
	if (strspn(text, "0123456789-/") != word->length)
		return false;
	if (sscanf(text, "%9u-%9u%n", &range->start, &range->stop, &end) == 2 &&
	    text[end] == '\0')
		return range->start <= range->stop;
	return sscanf(text, "%9u-%9u%c%9u%n", &range->start, &range->stop,
	    &slash, &range->step, &end) == 4 && slash == '/' &&
	    text[end] == '\0' && range->step > 0 &&
	    range->start <= range->stop;
}

/* ${offset[,width[,base]]}; in base n or N the number's hexadecimal digits become labels, the last one first. */
static bool
put_number(struct text *to, const char *format, size_t length, unsigned number)
{
	char copy[40], base = 'd', digits[40];
	int offset = 0, width = 0, fields;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, format, length);
	copy[length] = '\0';
	fields = sscanf(copy, "%9d,%9d,%c", &offset, &width, &base);
	if (fields < 1 || width < 0 || width > 255 ||
	    strchr("doxXnN", base) == NULL || (offset < 0 &&
	    number < (unsigned)-offset))
		return false;
	number += offset;
	if (base != 'n' && base != 'N') {
		text_printf(to, base == 'd' ? "%0*u" : base == 'o' ? "%0*o" :
		    base == 'x' ? "%0*x" : "%0*X", width, number);
		return true;
	}
	snprintf(digits, sizeof(digits), base == 'n' ? "%x" : "%X", number);

	int count = strlen(digits), wide = count;

	if (width > 2 * count - 1)
		wide = (width + 1) / 2;
	for (int i = 0; i < wide; i++)
		text_printf(to, "%s%c", i > 0 ? "." : "",
		    i < count ? digits[count - 1 - i] : '0');
	return true;
}

/* A template of $GENERATE with $ replaced; \$ and $$ stand for the character. */
static bool
expand(struct text *to, const struct dns_word *word, unsigned number)
{
	const char *at = word->text, *end = at + word->length;

	for (; at < end; at++) {
		if (*at == '\\' && at + 1 < end) {
			if (at[1] != '$')
				text_putc(to, '\\');
			text_putc(to, *++at);
		} else if (*at != '$')
			text_putc(to, *at);
		else if (at + 1 < end && at[1] == '$')
			text_putc(to, *at++);
		else if (at + 1 < end && at[1] == '{') {
			const char *close = memchr(at, '}', end - at);

			if (close == NULL ||
			    !put_number(to, at + 2, close - at - 2, number))
				return false;
			at = close;
		} else
			text_printf(to, "%u", number);
	}
	return true;
}

/* One step: the words expanded, then read as a line of their own. */
static int
generate_one(struct master *m, const struct dns_word *words, size_t count,
    unsigned number)
{
	struct text text = TEXT_EMPTY;
	struct dns_word made[8];
	size_t ends[8] = { 0 };
	int result = -1;

	for (size_t i = 0; i < count; i++) {
		if (!expand(&text, &words[i], number)) {
			complain_near(m, &words[i], "bad $GENERATE template");
			text_clear(&text);
			return -1;
		}
		ends[i] = text.length;
	}
	for (size_t i = 0; i < count; i++) {
		size_t start = i > 0 ? ends[i - 1] : 0;

		made[i] = (struct dns_word) { text.bytes + start,
		    ends[i] - start, words[i].quoted };
	}
	if (set_owner(m, &made[0]) == 0)
		result = parse_record(m, made + 1, count - 1);
	text_clear(&text);
	return result;
}

static int
generate(struct master *m, const struct dns_word *words, size_t count)
{
	struct range range;
	struct zone_owner *owner = m->owner;

	if (count < 4 || count > 8)
		return complain(m, "unexpected end of input");
	if (!parse_range(&range, &words[1]))
		return complain_near(m, &words[1], "invalid range");
	if ((range.stop - range.start) / range.step >= GENERATE_MAX)
		return complain_near(m, &words[1], "range too large");

	/* The words lie in the scanner, which is not used meanwhile. */
	for (unsigned i = range.start; i <= range.stop; i += range.step)
		if (generate_one(m, words + 2, count - 2, i) == -1)
			return -1;
	m->owner = owner;
	return 0;
}

/* The other directives */

static int
set_origin(struct master *m, const struct dns_word *word)
{
	struct dns_name origin;
	const char *why;

	if (dns_name_parse(&origin, word->text, word->length, &m->origin,
	    &why) == -1)
		return complain_near(m, word, why);
	m->origin = origin;
	return 0;
}

static int
include(struct master *m, const struct dns_word *words, size_t count)
{
	struct master inner = *m;
	size_t length;
	char *path, *bytes;
	const char *why;
	int result;

	if (count < 2 || count > 3)
		return complain(m, "unexpected end of input");
	if (m->depth >= INCLUDE_DEPTH_MAX)
		return complain(m, "$INCLUDE nested too deeply");
	if (count == 3 && set_origin(&inner, &words[2]) == -1) {
		m->why = inner.why;
		return -1;
	}
	path = mem_strndup(words[1].text, words[1].length);
	bytes = source_read(path, &length, &why);
	if (bytes == NULL) {
		result = complain(m, why);
		log_error("%s:%u: cannot include %s", m->file,
		    m->scanner->line, path);
	} else {
		inner.file = path;
		inner.depth++;
		result = parse_source(&inner, bytes, length);
		m->why = inner.why;
		m->default_ttl = inner.default_ttl;
		m->has_default_ttl = inner.has_default_ttl;
		m->last_ttl = inner.last_ttl;
		m->has_last_ttl = inner.has_last_ttl;
	}
	free(bytes);
	free(path);
	return result;
}

static int
parse_directive(struct master *m, const struct dns_word *words, size_t count)
{
	if (is_word(&words[0], "$GENERATE"))
		return generate(m, words, count);
	if (is_word(&words[0], "$INCLUDE"))
		return include(m, words, count);
	if (count != 2)
		return complain(m, count < 2 ? "unexpected end of line" :
		    "extra input text");
	if (is_word(&words[0], "$ORIGIN"))
		return set_origin(m, &words[1]);
	if (is_word(&words[0], "$TTL")) {
		int64_t ttl = dns_ttl_parse(words[1].text, words[1].length);

		if (ttl == -1)
			return complain_near(m, &words[1], "bad ttl");
		if (ttl > TTL_MAX) {
			log_warning("%s:%u: $TTL %" PRId64 " > MAXTTL, setting "
			    "$TTL to 0", m->file, m->scanner->line, ttl);
			ttl = 0;
		}
		m->default_ttl = ttl;
		m->has_default_ttl = true;
		return 0;
	}
	return complain_near(m, &words[0], "unknown directive");
}

static int
parse_line(struct master *m)
{
	const struct dns_word *words = m->scanner->words;
	size_t count = m->scanner->count;

	if (m->scanner->has_blank_owner) {
		if (!m->has_owner)
			return complain(m, "no current owner name");
	} else {
		if (words[0].length > 0 && words[0].text[0] == '$' &&
		    !words[0].quoted)
			return parse_directive(m, words, count);
		if (set_owner(m, &words[0]) == -1)
			return -1;
		words++;
		count--;
	}
	return parse_record(m, words, count);
}

static int
parse_source(struct master *m, const char *bytes, size_t length)
{
	struct scanner scanner;
	const char *why;
	int result;

	scan_start(&scanner, bytes, length);
	m->scanner = &scanner;
	while ((result = scan_next(&scanner, &why)) == 1)
		if ((result = parse_line(m)) == -1)
			break;
		else
			result = 1;
	if (result == -1 && m->why == NULL)
		complain(m, why);
	scan_stop(&scanner);
	m->scanner = NULL;
	return result;
}

int
zone_parse(struct zone *zone, const char *name, const char *bytes,
    size_t length, const char **why)
{
	struct master m = {
		.zone = zone,
		.file = name,
		.origin = zone->apex,
	};
	int result = parse_source(&m, bytes, length);

	*why = m.why;
	return result;
}
