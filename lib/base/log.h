/*
 * log - what the administrator reads
 *
 * A line says what, where and what to do, in the forms that log readers
 * already parse; errors carry "warning: ", "error: ", "fatal: " or "panic: ".
 * %m is the text of errno. What is not printable becomes '?'.
 *
 * A daemon's lines go into one pipe that master holds (and the logger
 * empties), at most PIPE_BUF bytes at a time, so that they never mix and
 * never wait: when the pipe is full a line is dropped and counted, and the
 * count is told as soon as there is room. A command's lines go to its
 * standard error, and to syslog(3) when the suite logs there.
 */

#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR, LOG_LEVEL_FATAL, LOG_LEVEL_PANIC };

/* Where lines go. Until the first log_open_...() they go to standard error as a command's. */

/* A command: "name: line" on standard error. Keeps name. */
void	log_open_stderr(const char *name);

/*
 * A daemon: records into the log pipe fd, under tag ("postroad/smtpd").
 * Keeps fd and tag. Lines are joined until log_flush() or the buffer is full.
 */
void	log_open_pipe(int fd, const char *tag);

/* A function that takes each finished line instead: for the logger itself and for tests. */
void	log_open_function(void (*sink)(enum log_level level, const char *line));

/* Write out joined lines. A daemon's loop calls this before it waits. */
void	log_flush(void);

/*
 * Lines since the mark are not said, unless they were written out meanwhile:
 * what they are about will be done once more.
 */
void	log_mark(void);
void	log_forget(void);

/* How many log_debug() levels are on: 0 none. One "-v" each, or a peer in debug_peer_list. */
extern int log_verbose;

void	log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void	log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same about a moment before (clock_wall_us): the logger puts it in front of what followed from it. */
void	log_info_at(int64_t at_us, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* The same under another tag: for who does two programs' work. */
void	log_info_as(const char *tag, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* The same for any weight, by who has the arguments already; tag NULL is the own one. */
void	log_vline(enum log_level level, const char *tag, const char *format,
	    va_list arguments) __attribute__((format(printf, 3, 0)));

/* Before the first client only: say it and exit with EX_TEMPFAIL (a command sets its own code). */
void	fatal(const char *format, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

/* The exit code of fatal(), from <sysexits.h>. */
extern int fatal_exit_code;

/* A mistake of ours: say where, and leave a core. */
void	panic(const char *format, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

/*
 * The record that travels through the pipe, one line each:
 * "<level digit><seconds>.<microseconds> <tag>[<pid>]: <text>\n".
 */
#define LOG_TEXT_MAX	2000	/* bytes of text; the rest is cut, as Postfix does */

#endif
