#include "config/expand.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/values.h"

#define SIZE_LIMIT	(1024 * 1024)
#define DEPTH_LIMIT	100	/* braces in braces, and values in values */

/* The values under way, innermost first: a name that comes twice is a loop. */
struct name {
	const char		*name;
	const struct name	*outer;
};

struct state {
	const struct expansion	*expansion;
	struct text		*why;
	const struct name	*names;
	size_t			 made;	/* bytes, over all values */
	int			 depth;
};

/* A piece of the string: not terminated. */
struct span {
	const char	*at;
	const char	*end;
};

static int expand_span(struct state *, struct span, struct text *);

static int
refuse(struct state *state, const char *reason, struct span where)
{
	if (state->why->length == 0)
		text_printf(state->why, "%s: \"%.*s\"", reason,
		    (int)(where.end - where.at < 200 ? where.end - where.at
						     : 200), where.at);
	return -1;
}

static void
skip_space(struct span *span)
{
	while (span->at < span->end && isspace((unsigned char)*span->at))
		span->at++;
}

/* Take what stands between the bracket at span->at and its partner. */
static int
take_bracketed(struct span *span, struct span *inside)
{
	char open = *span->at, close = open == '(' ? ')' : '}';
	int depth = 0;

	for (const char *p = span->at; p < span->end; p++) {
		if (*p == open)
			depth++;
		else if (*p == close && --depth == 0) {
			*inside = (struct span){ span->at + 1, p };
			span->at = p + 1;
			return 0;
		}
	}
	return -1;
}

/* Is name one of those whose value is being expanded? */
static bool
is_under_way(const struct state *state, const char *name)
{
	for (const struct name *n = state->names; n != NULL; n = n->outer)
		if (strcmp(n->name, name) == 0)
			return true;
	return false;
}

/* Append the value of name to out. */
static int
expand_value(struct state *state, const char *name, struct text *out)
{
	const char *value = state->expansion->value(name,
	    state->expansion->context);
	struct span span = { value, value == NULL ? NULL : strchr(value, '\0') };

	if (value == NULL) {
		if (state->expansion->is_missing != NULL)
			*state->expansion->is_missing = true;
		return 0;
	}
	if (!state->expansion->recursive) {
		text_puts(out, value);
		return 0;
	}
	if (is_under_way(state, name)) {
		text_truncate(state->why, 0);
		text_printf(state->why, "the value of %s refers to itself",
		    name);
		return -1;
	}

	struct name here = { name, state->names };
	char *copy = mem_strdup(value);	/* value is borrowed until the next look-up */

	state->names = &here;
	span = (struct span){ copy, strchr(copy, '\0') };

	int result = expand_span(state, span, out);

	state->names = here.outer;
	free(copy);
	return result;
}

/* A text behind ? or : in braces, or all that is left. */
static int
take_text(struct state *state, struct span *rest, struct span *text)
{
	struct span look = *rest;

	skip_space(&look);
	if (look.at < look.end && *look.at == '{') {
		*rest = look;
		if (take_bracketed(rest, text) == -1)
			return refuse(state, "a { without its }", look);
		skip_space(rest);
		return 0;
	}
	*text = *rest;
	rest->at = rest->end;
	return 0;
}

/* What follows a condition: "?text", "?{text}:{text}" or ":text". */
static int
choose(struct state *state, bool condition, struct span rest, struct text *out)
{
	struct span whole = rest, when_true = { 0 }, when_false = { 0 };
	char operator = *rest.at++;

	if (take_text(state, &rest,
	    operator == '?' ? &when_true : &when_false) == -1)
		return -1;
	if (operator == '?' && rest.at < rest.end && *rest.at == ':') {
		rest.at++;
		if (take_text(state, &rest, &when_false) == -1)
			return -1;
	}
	if (rest.at < rest.end)
		return refuse(state, "text that belongs to nothing", whole);
	return expand_span(state, condition ? when_true : when_false, out);
}

/* Longer ones first: "<=" begins with "<". */
static const struct operator {
	const char	*sign;
	bool		 less, equal, greater;
} operators[] = {
	{ "==", false, true, false },
	{ "!=", true, false, true },
	{ "<=", true, true, false },
	{ ">=", false, true, true },
	{ "<", true, false, false },
	{ ">", false, false, true },
};

static bool
take_word(struct span *span, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(span->end - span->at) < length ||
	    memcmp(span->at, word, length) != 0)
		return false;
	span->at += length;
	return true;
}

static const struct operator *
take_operator(struct span *span)
{
	for (size_t i = 0; i < COUNT_OF(operators); i++)
		if (take_word(span, operators[i].sign))
			return &operators[i];
	return NULL;
}

static int
compare(const char *left, const char *right)
{
	int64_t a, b;

	if (config_number(left, INT64_MIN, INT64_MAX, &a) == 0 &&
	    config_number(right, INT64_MIN, INT64_MAX, &b) == 0)
		return a < b ? -1 : a > b;
	return strcmp(left, right);
}

/* One side of a comparison, expanded. */
static int
take_side(struct state *state, struct span *rest, struct text *side)
{
	struct span text, whole = *rest;

	skip_space(rest);
	if (rest->at == rest->end || *rest->at != '{' ||
	    take_bracketed(rest, &text) == -1)
		return refuse(state,
		    "a comparison looks like {text} == {text}", whole);
	skip_space(rest);
	return expand_span(state, text, side);
}

/* "{left} operator {right} ? {text} : {text}" */
static int
expand_comparison(struct state *state, struct span body, struct text *out)
{
	struct text left = TEXT_EMPTY, right = TEXT_EMPTY;
	struct span rest = body;
	const struct operator *operator = NULL;
	bool by_level = false, valid = true;
	int result = -1;

	if (take_side(state, &rest, &left) == -1)
		goto done;
	if ((operator = take_operator(&rest)) == NULL) {
		refuse(state, "expected == != < <= > or >=", rest);
		goto done;
	}
	by_level = take_word(&rest, "level");
	if (take_side(state, &rest, &right) == -1)
		goto done;
	if (rest.at < rest.end && *rest.at != '?' && *rest.at != ':') {
		refuse(state, "expected ? or : behind a comparison", body);
		goto done;
	}

	const char *a = text_string(&left), *b = text_string(&right);
	int order = by_level ? config_compare_levels(a, b, &valid)
			     : compare(a, b);

	if (!valid) {
		refuse(state, "a release is written like 3.9", body);
		goto done;
	}

	bool holds = order < 0 ? operator->less
	    : order == 0 ? operator->equal : operator->greater;

	if (rest.at < rest.end)
		result = choose(state, holds, rest, out);
	else {
		text_puts(out, holds ? "true" : "");
		result = 0;
	}
done:
	text_clear(&left);
	text_clear(&right);
	return result;
}

static bool
is_name_character(char c, bool bracketed)
{
	return isalnum((unsigned char)c) || c == '_' ||
	    (bracketed && (c == '-' || c == '.'));
}

static char *
take_name(struct span *span, bool bracketed)
{
	const char *start = span->at;

	while (span->at < span->end && is_name_character(*span->at, bracketed))
		span->at++;
	return mem_strndup(start, (size_t)(span->at - start));
}

/* Has name a value that is not empty? Counted before the value is expanded, as Postfix does. */
static bool
has_value(struct state *state, const char *name)
{
	const char *value = state->expansion->value(name,
	    state->expansion->context);

	return value != NULL && *value != '\0';
}

/* What stands in ${...} or $(...). */
static int
expand_body(struct state *state, struct span body, struct text *out)
{
	struct span rest = body;

	skip_space(&rest);
	if (rest.at < rest.end && *rest.at == '{')
		return expand_comparison(state, rest, out);

	char *name = take_name(&rest, true);
	int result;

	skip_space(&rest);
	if (*name == '\0')
		result = refuse(state, "a $ without a name", body);
	else if (rest.at == rest.end)
		result = expand_value(state, name, out);
	else if (*rest.at == '?' || *rest.at == ':')
		result = choose(state, has_value(state, name), rest, out);
	else
		result = refuse(state, "expected ? or : behind the name", body);
	free(name);
	return result;
}

/* The form that begins at the $ at span->at. */
static int
expand_dollar(struct state *state, struct span *span, struct text *out)
{
	struct span whole = *span, body;

	span->at++;
	if (span->at < span->end && *span->at == '$') {
		span->at++;
		text_putc(out, '$');
		return 0;
	}
	if (span->at < span->end && (*span->at == '{' || *span->at == '(')) {
		if (take_bracketed(span, &body) == -1)
			return refuse(state, "a bracket is not closed", whole);
		return expand_body(state, body, out);
	}

	char *name = take_name(span, false);
	int result = *name == '\0'
	    ? refuse(state, "a $ without a name ($$ is a plain $)", whole)
	    : expand_value(state, name, out);

	free(name);
	return result;
}

static int
expand_span(struct state *state, struct span span, struct text *out)
{
	int result = 0;

	if (++state->depth > DEPTH_LIMIT)
		result = refuse(state, "too many brackets or values in one another", span);
	while (result == 0 && span.at < span.end) {
		const char *dollar = memchr(span.at, '$',
		    (size_t)(span.end - span.at));

		if (dollar == NULL)
			dollar = span.end;
		text_append(out, span.at, (size_t)(dollar - span.at));
		state->made += (size_t)(dollar - span.at) + 1;
		span.at = dollar;
		if (state->made > SIZE_LIMIT)
			result = refuse(state, "more than a megabyte", span);
		else if (span.at < span.end)
			result = expand_dollar(state, &span, out);
	}
	state->depth--;
	return result;
}

int
expand(const struct expansion *expansion, const char *string, struct text *out,
    struct text *why)
{
	struct state state = { .expansion = expansion, .why = why };

	return expand_span(&state,
	    (struct span){ string, strchr(string, '\0') }, out);
}
