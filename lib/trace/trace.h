/*
 * trace - the story of a message, from the lines that each post logged
 *
 * line.c    a log line: when, who, which message, what
 * story.c   lines become stories, and those that were asked for are kept
 * print.c   a story for people, and as JSON
 *
 * Lines come in the order of the log, once. What belongs to one queue id is
 * one story. A story is meant if it answers the question, or if a line ties
 * it to one that is: a notice, a message forwarded or taken back from a
 * filter, another one with its message-id. What a story might yet turn out
 * to be is only known later, so those that are not meant are kept for a
 * while, the latest few ten thousand of them, in memory that has a limit.
 *
 * Lines are syslog's, or as postlogd(8) writes them; Postfix's are
 * understood as well as ours, and what other programs say of a queue id.
 */

#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"
#include "listing/listing.h"

/* Part of a line: borrowed, no NUL behind it. */
struct trace_word {
	const char	*at;
	size_t		 length;
};

bool	trace_word_is(struct trace_word word, const char *string);

/* ----------------------------------------------------------- lines */

struct trace_line {
	struct trace_word time;		/* as it stands there */
	struct trace_word post;		/* the program: "smtpd" */
	struct trace_word id;		/* the queue id; NOQUEUE; empty if it speaks of none */
	struct trace_word text;		/* what follows that */
};

/* Take a line, without its line end, apart. False if it is none that a post could have written. */
bool	trace_line_parse(const char *line, size_t length,
	    struct trace_line *parsed);

/* A delivery's result: "to=<bob@far.example>, relay=..., status=sent (250 Ok)". Missing parts are empty. */
struct trace_delivery {
	struct trace_word recipient, original, relay, delay, delays, dsn;
	struct trace_word status, reason;
};

/* False if the text is none. */
bool	trace_delivery_parse(struct trace_word text,
	    struct trace_delivery *delivery);

/* The value behind "name=" in a text: within < > if it begins so, else up to a comma. False if it is not there. */
bool	trace_value(struct trace_word text, const char *name,
	    struct trace_word *value);

/*
 * Another queue id that this line ties to its own. certain: it is one of this
 * system; else it may be another host's, that has taken the message.
 */
bool	trace_line_tie(const struct trace_line *line, struct trace_word *id,
	    bool *certain);

/* ----------------------------------------------------------- stories */

struct trace;

enum { TRACE_ID_SIZE = 32 };

struct trace_story {
	char		 id[TRACE_ID_SIZE];
	struct text	 lines;		/* as they were logged, each with its line end */
	size_t		 left_out;	/* lines that were too many */
};

/*
 * The question: a queue id, a message-id with or without its angle brackets,
 * an address or a pattern of listing/select.h. last: how many stories are
 * kept, the newest; memory: bytes for what may yet be meant. NULL if it can
 * be none of these. last is at least 1. Released with trace_free().
 */
struct trace *trace_new(const char *question, size_t last, size_t memory);
void	trace_free(struct trace **trace);

/* True if the question is a queue id, which may be in the spool though no line speaks of it. */
bool	trace_asks_for_id(const struct trace *trace);

/* The next line of the log, without its line end. */
void	trace_take(struct trace *trace, const char *line, size_t length);

/* The stories that are meant, in the order of their first lines. Borrowed for the call. */
void	trace_each(struct trace *trace,
	    void (*tell)(const struct trace_story *story, void *context),
	    void *context);

/* ----------------------------------------------------------- printing */

/* What is known of a message that is still here. */
struct trace_waiting {
	const struct listed_message *message;	/* NULL: it is not in the queue */
	int64_t	retry_at;			/* 0: it does not wait for a time */
	int64_t	now;
};

void	trace_print(FILE *out, const struct trace_story *story,
	    const struct trace_waiting *waiting);

/* One object, one line. */
void	trace_print_json(FILE *out, const struct trace_story *story,
	    const struct trace_waiting *waiting);

#endif
