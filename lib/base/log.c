#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* A record in the pipe: a level, the moment, who, what. */
#define SECONDS_DIGITS	10
#define TAG_MAX		128
#define RECORD_MAX	(LOG_TEXT_MAX + TAG_MAX + 20)

int log_verbose;
int fatal_exit_code = EX_TEMPFAIL;

static const char *const prefixes[] = {
	[LOG_LEVEL_DEBUG] = "", [LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_WARNING] = "warning: ", [LOG_LEVEL_ERROR] = "error: ",
	[LOG_LEVEL_FATAL] = "fatal: ", [LOG_LEVEL_PANIC] = "panic: ",
};

static struct {
	const char	*tag;
	char		 who[TAG_MAX];	/* " tag[pid]: ": eight lines a message have it */
	int		 pipe;		/* -1: not a daemon */
	void	       (*sink)(enum log_level, const char *);
	char		 joined[PIPE_BUF];
	size_t		 joined_length;
	size_t		 mark;		/* within joined; sizeof(joined): it is written */
	unsigned long	 dropped;
	int64_t		 at_us;		/* 0: now */
} out = { .pipe = -1 };

void
log_open_stderr(const char *name)
{
	out.tag = name;
	out.pipe = -1;
	out.sink = NULL;
}

static void
learn_who(void)
{
	if (out.tag == NULL)
		return;
	snprintf(out.who, sizeof(out.who), " %.100s[%d]: ", out.tag,
	    (int)getpid());
}

void
log_open_pipe(int fd, const char *tag)
{
	static bool follows_forks;

	if (!follows_forks)
		pthread_atfork(NULL, NULL, learn_who);
	follows_forks = true;
	out.tag = tag;
	learn_who();
	out.pipe = fd;
	out.sink = NULL;
}

void
log_open_function(void (*sink)(enum log_level, const char *))
{
	out.sink = sink;
}

static char *
put_digits(char *at, uint64_t number, int width)
{
	for (char *digit = at + width; digit > at; number /= 10)
		*--digit = '0' + (char)(number % 10);
	return at + width;
}

/* "61795215533.077239 postroad/smtpd[12]: line\n". A busy daemon writes many: printf(3) would be half their cost. */
static size_t
format_record(char record[RECORD_MAX], enum log_level level, const char *line)
{
	uint64_t now = (uint64_t)(out.at_us != 0 ? out.at_us : clock_wall_us());
	size_t length = strlen(line);
	char *at = record;
	size_t who = strlen(out.who);

	*at++ = '0' + (char)level;
	at = put_digits(at, now / 1000000, SECONDS_DIGITS);
	*at++ = '.';
	at = put_digits(at, now % 1000000, 6);
	memcpy(at, out.who, who);
	at += who;
	if (length > LOG_TEXT_MAX)
		length = LOG_TEXT_MAX;
	memcpy(at, line, length);
	at += length;
	*at++ = '\n';
	return (size_t)(at - record);
}

void
log_flush(void)
{
	if (out.joined_length == 0 || out.pipe == -1)
		return;

	ssize_t n = write(out.pipe, out.joined, out.joined_length);

	out.mark = sizeof(out.joined);
	if (n == -1) {
		for (size_t i = 0; i < out.joined_length; i++)
			out.dropped += out.joined[i] == '\n';
		out.joined_length = 0;
		return;
	}
	out.joined_length = 0;
	if (out.dropped > 0) {
		char line[128];
		unsigned long dropped = out.dropped;

		out.dropped = 0;
		snprintf(line, sizeof(line),
		    "warning: %lu log lines were lost: the logger is too slow or gone",
		    dropped);
		out.joined_length = format_record(out.joined,
		    LOG_LEVEL_WARNING, line);
	}
}

static void
write_record(enum log_level level, const char *line)
{
	char record[RECORD_MAX];
	size_t length = format_record(record, level, line);

	if (out.joined_length + length > sizeof(out.joined))
		log_flush();
	memcpy(out.joined + out.joined_length, record, length);
	out.joined_length += length;
}

void
log_mark(void)
{
	if (out.joined_length > sizeof(out.joined) / 2)
		log_flush();
	out.mark = out.joined_length;
}

void
log_forget(void)
{
	if (out.mark < out.joined_length)
		out.joined_length = out.mark;
}

static void
write_line(enum log_level level, const char *format, va_list arguments)
{
	char line[LOG_TEXT_MAX + 1];
	int saved = errno;
	size_t start = strlcpy(line, prefixes[level], sizeof(line));

	vsnprintf(line + start, sizeof(line) - start, format, arguments);
	text_printable(line);
	if (out.sink != NULL)
		out.sink(level, line);
	else if (out.pipe != -1)
		write_record(level, line);
	else
		fprintf(stderr, "%s%s%s\n", out.tag != NULL ? out.tag : "",
		    out.tag != NULL ? ": " : "", line);
	errno = saved;
}

#define WRITE_LINE(level, format) do {			\
	va_list arguments;				\
	va_start(arguments, format);			\
	write_line(level, format, arguments);		\
	va_end(arguments);				\
} while (0)

void
log_debug(const char *format, ...)
{
	if (log_verbose > 0)
		WRITE_LINE(LOG_LEVEL_DEBUG, format);
}

void
log_info(const char *format, ...)
{
	WRITE_LINE(LOG_LEVEL_INFO, format);
}

void
log_info_at(int64_t at_us, const char *format, ...)
{
	out.at_us = at_us;
	WRITE_LINE(LOG_LEVEL_INFO, format);
	out.at_us = 0;
}

static void
set_tag(const char *tag)
{
	out.tag = tag;
	learn_who();
}

void
log_info_as(const char *tag, const char *format, ...)
{
	const char *usual = out.tag;

	set_tag(tag);
	WRITE_LINE(LOG_LEVEL_INFO, format);
	set_tag(usual);
}

void
log_vline(enum log_level level, const char *tag, const char *format,
    va_list arguments)
{
	const char *usual = out.tag;

	if (tag != NULL)
		set_tag(tag);
	if (level != LOG_LEVEL_DEBUG || log_verbose > 0)
		write_line(level, format, arguments);
	if (tag != NULL)
		set_tag(usual);
}

void
log_warning(const char *format, ...)
{
	WRITE_LINE(LOG_LEVEL_WARNING, format);
}

void
log_error(const char *format, ...)
{
	WRITE_LINE(LOG_LEVEL_ERROR, format);
}

void
fatal(const char *format, ...)
{
	WRITE_LINE(LOG_LEVEL_FATAL, format);
	log_flush();
	exit(fatal_exit_code);
}

void
panic(const char *format, ...)
{
	WRITE_LINE(LOG_LEVEL_PANIC, format);
	log_flush();
	abort();
}
