/* generate - $GENERATE, BIND's way to write many records as one line */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/master.h"

#define GENERATE_MAX	65536	/* records of one line */
#define WIDTH_MAX	255

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
	if (strspn(text, "0123456789-/") != word->length || text[0] == '-')
		return false;
	if (sscanf(text, "%10u-%10u%n", &range->start, &range->stop, &end) == 2 &&
	    text[end] == '\0')
		return range->start <= range->stop;
	return sscanf(text, "%10u-%10u%c%10u%n", &range->start, &range->stop,
	    &slash, &range->step, &end) == 4 && slash == '/' &&
	    text[end] == '\0' && range->step > 0 &&
	    range->start <= range->stop;
}

/* Hexadecimal digits as labels, the last one first, of so many characters at least. */
static void
put_nibbles(struct text *to, unsigned number, int width, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	do {
		text_putc(to, digits[number & 15]);
		number >>= 4;
		width--;
		if (width > 0 || number > 0) {
			text_putc(to, '.');
			width--;
		}
	} while (number > 0 || width > 0);
}

/* ${offset[,width[,base]]} */
static bool
put_number(struct text *to, const char *format, size_t length, unsigned number)
{
	char copy[40], base = 'd';
	int offset = 0, width = 0, end = 0;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, format, length);
	copy[length] = '\0';
	if ((sscanf(copy, "%9d,%9d,%c%n", &offset, &width, &base, &end) != 3 ||
	    copy[end] != '\0') &&
	    (sscanf(copy, "%9d,%9d%n", &offset, &width, &end) != 2 ||
	    copy[end] != '\0') &&
	    (sscanf(copy, "%9d%n", &offset, &end) != 1 || copy[end] != '\0'))
		return false;
	if (width < 0 || width > WIDTH_MAX || strchr("doxXnN", base) == NULL ||
	    (offset < 0 && number < (unsigned)-offset &&
	    base != 'n' && base != 'N'))
		return false;
	number += offset;
	if (base == 'n' || base == 'N')
		put_nibbles(to, number, width, base == 'N');
	else
		text_printf(to, base == 'd' ? "%0*u" : base == 'o' ? "%0*o" :
		    base == 'x' ? "%0*x" : "%0*X", width, number);
	return true;
}

/* A template with $ replaced; \$ and $$ stand for the character. */
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

/* What stands between the owner and the data: [TTL] [class] type. */
static int
parse_with_data(struct master *m, const struct dns_word *words, size_t count,
    const struct text *data)
{
	struct dns_word *line;
	struct scanner scanner;
	const char *why = "unexpected end of input";
	int result;

	scan_start(&scanner, text_string(data), data->length);
	result = scan_next(&scanner, &why);
	if (result != 1) {
		scan_stop(&scanner);
		return master_error(m, why);
	}
	line = mem_resize(NULL, count + scanner.count, sizeof(*line));
	memcpy(line, words, count * sizeof(*line));
	memcpy(line + count, scanner.words, scanner.count * sizeof(*line));
	result = master_parse_record(m, line, count + scanner.count);
	free(line);
	scan_stop(&scanner);
	return result;
}

/* One step: owner and data expanded, and the data read as a line of its own. */
static int
generate_one(struct master *m, const struct dns_word *words, size_t count,
    unsigned number)
{
	struct text name = TEXT_EMPTY, data = TEXT_EMPTY;
	int result = -1;

	if (!expand(&name, &words[0], number) ||
	    !expand(&data, &words[count - 1], number)) {
		log_error("$GENERATE: %s:%u: bad template", m->file,
		    m->scanner->line);
		master_fail(m, "syntax error");
	} else {
		struct dns_word owner = { text_string(&name), name.length,
		    false };

		if (master_set_owner(m, &owner) == 0)
			result = parse_with_data(m, words + 1, count - 2,
			    &data);
	}
	text_clear(&name);
	text_clear(&data);
	return result;
}

int
master_generate(struct master *m, const struct dns_word *words, size_t count)
{
	struct range range;
	struct zone_owner *owner = m->owner;

	if (count < 5)
		return master_error(m, "unexpected end of input");
	if (count > 7)
		return master_error(m, "extra input text");
	if (!parse_range(&range, &words[1]) ||
	    (range.stop - range.start) / range.step >= GENERATE_MAX) {
		log_error("$GENERATE: %s:%u: %s range '%.*s'", m->file,
		    m->scanner->line, parse_range(&range, &words[1]) ?
		    "too large a" : "invalid", (int)words[1].length,
		    words[1].text);
		return master_fail(m, "syntax error");
	}

	/* The words lie in the scanner, which is not used meanwhile. */
	for (unsigned i = range.start; i <= range.stop; i += range.step)
		if (generate_one(m, words + 2, count - 2, i) == -1)
			return -1;
	m->owner = owner;
	return 0;
}
