#include "named/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/source.h"

#define CONF_DEPTH_MAX	64	/* of blocks in blocks, and of includes */

struct parser {
	struct conf *conf;
	const char *file;
	const char *at;
	const char *end;
	unsigned line;
	unsigned depth;
	unsigned includes;
	bool	 may_include;
};

enum token { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_NOT, TOKEN_OPEN,
    TOKEN_CLOSE, TOKEN_SEMICOLON, TOKEN_BAD };

static int
parse_error(struct parser *p, const char *what, const char *near)
{
	if (near != NULL)
		log_error("%s:%u: %s near '%s'", p->file, p->line, what, near);
	else
		log_error("%s:%u: %s", p->file, p->line, what);
	p->conf->errors++;
	return -1;
}

bool
conf_is(const struct conf_statement *at, const char *word)
{
	return at->items->text != NULL &&
	    strcasecmp(at->items->text, word) == 0;
}

void
conf_error(struct conf *conf, const struct conf_statement *at,
    const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	log_error("%s:%u: %s", at->file, at->line, text_string(&text));
	text_clear(&text);
	conf->errors++;
}

void
conf_warning(const struct conf_statement *at, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	log_warning("%s:%u: %s", at->file, at->line, text_string(&text));
	text_clear(&text);
}

static bool
starts(const struct parser *p, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(p->end - p->at) >= length &&
	    memcmp(p->at, text, length) == 0;
}

/* False: a comment has no end. */
static bool
skip_space(struct parser *p)
{
	while (p->at < p->end) {
		if (*p->at == '\n') {
			p->line++;
			p->at++;
		} else if (strchr(" \t\r\f\v", *p->at) != NULL &&
		    *p->at != '\0')
			p->at++;
		else if (*p->at == '#' || starts(p, "//")) {
			while (p->at < p->end && *p->at != '\n')
				p->at++;
		} else if (starts(p, "/*")) {
			for (p->at += 2; !starts(p, "*/"); p->at++) {
				if (p->at >= p->end) {
					parse_error(p, "unterminated comment",
					    NULL);
					return false;
				}
				if (*p->at == '\n')
					p->line++;
			}
			p->at += 2;
		} else
			break;
	}
	return true;
}

static enum token
read_string(struct parser *p, const char **text)
{
	struct text value = TEXT_EMPTY;

	unsigned line = p->line;

	for (p->at++; p->at < p->end && *p->at != '"'; p->at++) {
		if (*p->at == '\n')	/* keys stand on several lines */
			p->line++;
		if (*p->at == '\\' && p->at + 1 < p->end &&
		    (p->at[1] == '"' || p->at[1] == '\\'))
			p->at++;
		text_putc(&value, *p->at);
	}
	if (p->at == p->end || *p->at != '"') {
		p->line = line;		/* where they begin */
		parse_error(p, "unbalanced quotes", NULL);
		text_clear(&value);
		return TOKEN_BAD;
	}
	p->at++;
	*text = pool_strdup(p->conf->pool, text_string(&value));
	text_clear(&value);
	return TOKEN_STRING;
}

static enum token
next_token(struct parser *p, const char **text)
{
	static const struct { char c; enum token token; } single[] = {
		{ '{', TOKEN_OPEN }, { '}', TOKEN_CLOSE },
		{ ';', TOKEN_SEMICOLON }, { '!', TOKEN_NOT },
	};
	const char *start;

	if (!skip_space(p))
		return TOKEN_BAD;
	if (p->at == p->end)
		return TOKEN_END;
	for (size_t i = 0; i < COUNT_OF(single); i++) {
		if (*p->at == single[i].c) {
			p->at++;
			return single[i].token;
		}
	}
	if (*p->at == '"')
		return read_string(p, text);
	start = p->at;
	while (p->at < p->end && strchr(" \t\r\n\f\v{};!\"#", *p->at) == NULL &&
	    !starts(p, "//") && !starts(p, "/*"))
		p->at++;
	if (p->at == start) {
		parse_error(p, "a NUL in the file", NULL);
		return TOKEN_BAD;
	}
	*text = pool_strndup(p->conf->pool, start, p->at - start);
	return TOKEN_WORD;
}

static int	parse_block(struct parser *p, struct conf_statement **list,
		    bool is_file);

/* The items of a statement up to its semicolon; the first token is there already. */
static int
parse_items(struct parser *p, struct conf_item **tail, enum token token,
    const char *text)
{
	for (;;) {
		struct conf_item *item;

		switch (token) {
		case TOKEN_SEMICOLON:
			return 0;
		case TOKEN_BAD:
			return -1;
		case TOKEN_END:
			return parse_error(p, "missing ';' before end of file",
			    NULL);
		case TOKEN_CLOSE:
			return parse_error(p, "missing ';' before '}'", NULL);
		default:
			break;
		}
		item = pool_alloc(p->conf->pool, sizeof(*item));
		item->text = token == TOKEN_WORD || token == TOKEN_STRING ?
		    text : NULL;
		item->kind = token == TOKEN_WORD ? CONF_WORD :
		    token == TOKEN_STRING ? CONF_STRING :
		    token == TOKEN_NOT ? CONF_NOT : CONF_BLOCK;
		*tail = item;
		tail = &item->next;
		if (token == TOKEN_OPEN &&
		    parse_block(p, &item->block, false) == -1)
			return -1;
		token = next_token(p, &text);
	}
}

static int
include(struct parser *p, const struct conf_statement *statement,
    struct conf_statement ***tail)
{
	struct parser inner = *p;
	const struct conf_item *path = statement->items->next;
	const char *why;
	size_t length;
	char *bytes;
	int result;

	if (path == NULL || path->kind != CONF_STRING || path->next != NULL)
		return parse_error(p, "expected quoted string after include",
		    NULL);
	if (!p->may_include || p->includes >= CONF_DEPTH_MAX)
		return parse_error(p, "include nested too deeply", path->text);
	bytes = source_read(path->text, &length, &why);
	if (bytes == NULL) {
		log_error("%s:%u: open: %s: %s", p->file, p->line, path->text,
		    why);
		p->conf->errors++;
		return -1;
	}
	inner.file = path->text;
	inner.at = bytes;
	inner.end = bytes + length;
	inner.line = 1;
	inner.includes++;
	result = parse_block(&inner, *tail, true);
	while (**tail != NULL)
		*tail = &(**tail)->next;
	free(bytes);
	return result;
}

static int
parse_block(struct parser *p, struct conf_statement **list, bool is_file)
{
	struct conf_statement **tail = list;

	if (++p->depth > CONF_DEPTH_MAX)
		return parse_error(p, "blocks nested too deeply", NULL);
	for (;;) {
		struct conf_statement *statement;
		const char *text = NULL;
		enum token token = next_token(p, &text);

		if (token == TOKEN_END && is_file)
			break;
		if (token == TOKEN_CLOSE && !is_file)
			break;
		if (token == TOKEN_BAD)
			return -1;
		if (token == TOKEN_END)
			return parse_error(p, "missing '}' before end of file",
			    NULL);
		if (token == TOKEN_CLOSE || token == TOKEN_SEMICOLON)
			return parse_error(p, "unexpected token",
			    token == TOKEN_CLOSE ? "}" : ";");
		statement = pool_alloc(p->conf->pool, sizeof(*statement));
		statement->file = p->file;
		statement->line = p->line;
		if (parse_items(p, &statement->items, token, text) == -1)
			return -1;
		if (statement->items->kind == CONF_WORD &&
		    strcmp(statement->items->text, "include") == 0) {
			if (include(p, statement, &tail) == -1)
				return -1;
			continue;
		}
		*tail = statement;
		tail = &statement->next;
	}
	p->depth--;
	return 0;
}

static int
read_conf(struct conf *conf, const char *name, const char *text, size_t length,
    bool may_include)
{
	struct parser parser = {
		.conf = conf,
		.file = pool_strdup(conf->pool, name),
		.at = text,
		.end = text + length,
		.line = 1,
		.may_include = may_include,
	};

	return parse_block(&parser, &conf->statements, true);
}

int
conf_read_text(struct conf *conf, const char *name, const char *text,
    size_t length)
{
	memset(conf, 0, sizeof(*conf));
	conf->pool = pool_new(0);
	return read_conf(conf, name, text, length, false);
}

int
conf_read(struct conf *conf, const char *path)
{
	size_t length;
	const char *why;
	char *bytes = source_read(path, &length, &why);
	int result;

	memset(conf, 0, sizeof(*conf));
	conf->pool = pool_new(0);
	if (bytes == NULL) {
		log_error("open: %s: %s", path, why);
		conf->errors++;
		return -1;
	}
	result = read_conf(conf, path, bytes, length, true);
	free(bytes);
	return result;
}

void
conf_clear(struct conf *conf)
{
	pool_free(&conf->pool);
	memset(conf, 0, sizeof(*conf));
}
