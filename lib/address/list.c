/* The addresses of a header field (RFC 5322 section 3.4), found in one pass. */

#include "address/address.h"

#include <string.h>

#include "address/internal.h"

/* One address on its way: what was seen since the last comma. */
struct walk {
	const char		*text;
	size_t			 length;
	size_t			 at;
	struct address_found	*found;
	struct address_build	 build;
	bool			 some;		/* found->start is set */
	bool			 gap;		/* white space since the last word */
	bool			 in_route;	/* between '<' and '>' */
	bool			 have_route;	/* a whole <...> was seen */

	/* The second word, where white space may separate addresses, and what was there before it. */
	bool			 has_second;
	size_t			 second_at, first_length, first_build;
	bool			 first_overflow;
};

static void
forget(struct walk *walk)
{
	walk->build.length = 0;
	walk->build.overflow = false;
	walk->found->length = 0;
	walk->some = false;
	walk->gap = false;
	walk->has_second = false;
}

static void
note_second(struct walk *walk)
{
	walk->has_second = true;
	walk->second_at = walk->at;
	walk->first_length = walk->found->length;
	walk->first_build = walk->build.length;
	walk->first_overflow = walk->build.overflow;
}

/* They were no name before <...>: only the first is this address. */
static void
keep_first(struct walk *walk)
{
	walk->at = walk->second_at;
	walk->found->length = walk->first_length;
	walk->build.length = walk->first_build;
	walk->build.overflow = walk->first_overflow;
}

/* Bytes at..end of text belong to the address. */
static void
mark(struct walk *walk, size_t end)
{
	if (!walk->some) {
		walk->some = true;
		walk->found->start = walk->at;
	}
	walk->found->length = end - walk->found->start;
}

/* White space between two words, as in "Ada Lovelace", is part of a name; beside '.' and '@' it is not. */
static void
put_gap(struct walk *walk, char next)
{
	bool joined = walk->build.length == 0 || next == '.' || next == '@' ||
	    strchr(".@", walk->build.bytes[walk->build.length - 1]) != NULL;

	if (walk->gap && !joined) {
		if (!walk->has_second)
			note_second(walk);
		build_put(&walk->build, ' ');
	}
	walk->gap = false;
}

/* Past the ')' that closes the comment at position at; nested ones are counted. */
static size_t
comment_end(const struct walk *walk, size_t at)
{
	size_t depth = 0;

	for (; at < walk->length; at++) {
		if (walk->text[at] == '\\')
			at++;
		else if (walk->text[at] == '(')
			depth++;
		else if (walk->text[at] == ')' && --depth == 0)
			return at + 1;
	}
	return walk->length;
}

static void
take_quoted(struct walk *walk)
{
	size_t end = walk->at + 1;

	put_gap(walk, '"');
	for (; end < walk->length && walk->text[end] != '"'; end++) {
		if (walk->text[end] == '\\' && end + 1 < walk->length)
			end++;
		if (walk->text[end] != '\n' && walk->text[end] != '\r')
			build_put(&walk->build, walk->text[end]);
	}
	if (end < walk->length)
		end++;
	mark(walk, end);
	walk->at = end;
}

static void
take_literal(struct walk *walk)
{
	const char *close = memchr(walk->text + walk->at, ']',
	    walk->length - walk->at);
	size_t end = close == NULL ? walk->length :
	    (size_t)(close + 1 - walk->text);

	put_gap(walk, '[');
	for (size_t at = walk->at; at < end; at++)
		build_put(&walk->build, walk->text[at]);
	mark(walk, end);
	walk->at = end;
}

static void
take_character(struct walk *walk)
{
	size_t at = walk->at;

	put_gap(walk, walk->text[at]);
	if (walk->text[at] == '\\' && at + 1 < walk->length)
		at++;
	build_put(&walk->build, walk->text[at]);
	mark(walk, at + 1);
	walk->at = at + 1;
}

static void
open_route(struct walk *walk)
{
	forget(walk);
	walk->in_route = true;
	walk->found->bracketed = true;
	walk->at++;
	walk->found->start = walk->at;
}

/* ':' ends a group's name or a source route; both are passed over. */
static void
pass_colon(struct walk *walk)
{
	if (!walk->have_route)
		forget(walk);
	walk->at++;
	if (walk->in_route)
		walk->found->start = walk->at;
}

/* What follows a whole <...> changes nothing until the comma. */
static bool
step_after_route(struct walk *walk, char c)
{
	if (c == ',' || c == ';')
		return true;
	if (c == '(')
		walk->at = comment_end(walk, walk->at);
	else
		walk->at++;
	return false;
}

/* One token. True when an address has ended. */
static bool
step(struct walk *walk)
{
	char c = walk->text[walk->at];

	if (walk->have_route)
		return step_after_route(walk, c);
	switch (c) {
	case '(':
		walk->at = comment_end(walk, walk->at);
		walk->gap = true;
		return false;
	case '"':
		take_quoted(walk);
		return false;
	case '[':
		take_literal(walk);
		return false;
	case '<':
		open_route(walk);
		return false;
	case '>':
		walk->have_route = walk->in_route;
		walk->in_route = false;
		walk->at++;
		return false;
	case ':':
		pass_colon(walk);
		return false;
	case ',':
		if (walk->in_route) {		/* in a source route */
			walk->at++;
			return false;
		}
		return true;
	case ';':
		return true;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		walk->gap = true;
		walk->at++;
		return false;
	default:
		take_character(walk);
		return false;
	}
}

bool
address_list_next(struct address_list *list, struct address_found *found)
{
	struct walk walk = {
		.text = list->text,
		.length = list->length,
		.at = list->position,
		.found = found,
		.build = { found->address, 0, false },
	};

	found->bracketed = false;
	found->start = found->length = 0;
	while (walk.at < walk.length &&
	    !(walk.has_second && walk.at < list->plain_until)) {
		if (!step(&walk))
			continue;
		walk.at++;
		if (walk.some || walk.have_route)
			break;
		forget(&walk);		/* ", ," and "name:;" hold nothing */
	}
	if (list->is_spaced && walk.has_second && !found->bracketed) {
		if (walk.at > list->plain_until)
			list->plain_until = walk.at;
		keep_first(&walk);
	}
	list->position = walk.at;
	if (!walk.some && !found->bracketed)
		return false;
	found->too_long = walk.build.overflow;
	found->address[walk.build.length] = '\0';
	return true;
}
