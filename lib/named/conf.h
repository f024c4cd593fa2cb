/*
 * conf - the grammar of named.conf: statements, words, blocks
 *
 * What a statement means is not known here (settings.h); where it stood is,
 * so that every complaint can name file and line.
 */

#ifndef NAMED_CONF_H
#define NAMED_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/base.h"

enum conf_kind { CONF_WORD, CONF_STRING, CONF_NOT, CONF_BLOCK };

/* A word, a quoted string, an exclamation mark, or a block in braces. */
struct conf_item {
	struct conf_item *next;
	enum conf_kind kind;
	const char *text;		/* of a word or string */
	struct conf_statement *block;
};

/* Items up to a semicolon. */
struct conf_statement {
	struct conf_statement *next;
	struct conf_item *items;	/* never NULL */
	const char *file;
	unsigned line;
};

struct conf {
	struct pool *pool;
	struct conf_statement *statements;
	unsigned errors;		/* told to the log; the file is not to be used */
};

/* Read a file with all that it includes. Released with conf_clear(), whatever came out. 0, or -1: errors. */
int	conf_read(struct conf *conf, const char *path);

/* The same from memory, for tests: no includes. */
int	conf_read_text(struct conf *conf, const char *name, const char *text,
	    size_t length);

void	conf_clear(struct conf *conf);

/* Write all statements in one form, secrets as question marks if they are not to be seen. */
void	conf_print(const struct conf *conf, bool hide_secrets, FILE *to);

/* Does a statement begin with this word? */
bool	conf_is(const struct conf_statement *at, const char *word);

/* Say what is wrong at a statement, and count it. */
void	conf_error(struct conf *conf, const struct conf_statement *at,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));
void	conf_warning(const struct conf_statement *at, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
