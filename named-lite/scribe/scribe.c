#include "named-lite/scribe/scribe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "named-lite/control.h"
#include "named-lite/plan.h"
#include "named-lite/report.h"
#include "named-lite/scribe/logfile.h"
#include "sandbox/sandbox.h"

#define READ_SIZE	65536

static struct {
	const struct options *options;
	struct plan plan;
	struct logfile *files;		/* one a row of the plan's logs; path NULL: no file */
	char	 bytes[READ_SIZE + 1];	/* of the pipe, up to where a line is not whole */
	size_t	 length;
} scribe;

static const char *const severities[] = {
	[LOG_LEVEL_DEBUG] = "debug 1", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_FATAL] = "critical", [LOG_LEVEL_PANIC] = "critical",
};

static const int priorities[] = {
	[LOG_LEVEL_DEBUG] = LOG_DEBUG, [LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_WARNING] = LOG_WARNING, [LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_FATAL] = LOG_CRIT, [LOG_LEVEL_PANIC] = LOG_CRIT,
};

/* Lines */

static void
print_time(struct text *to, enum log_time form, int64_t at_us)
{
	static const struct { const char *day, *zone; } forms[] = {
		[LOG_TIME_LOCAL] = { "%d-%b-%Y %H:%M:%S", "" },
		[LOG_TIME_ISO8601] = { "%Y-%m-%dT%H:%M:%S", "" },
		[LOG_TIME_ISO8601_UTC] = { "%Y-%m-%dT%H:%M:%S", "Z" },
	};
	time_t seconds = at_us / 1000000;
	char stamp[40];
	struct tm tm;

	if (form == LOG_TIME_NONE)
		return;
	if (form == LOG_TIME_ISO8601_UTC)
		gmtime_r(&seconds, &tm);
	else
		localtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), forms[form].day, &tm);
	text_printf(to, "%s.%03d%s ", stamp, (int)(at_us / 1000 % 1000),
	    forms[form].zone);
}

/* BIND's form: time, category, severity, text, as far as the channel wants them. */
static struct text *
format(const struct log_form *form, const struct report_line *line)
{
	static struct text text;

	text_truncate(&text, 0);
	print_time(&text, form->time, line->at_us);
	if (form->print_category)
		text_printf(&text, "%s: ", log_category_word(line->category));
	if (form->print_severity)
		text_printf(&text, "%s: ", severities[line->level]);
	text_puts(&text, report_bare(line->text));
	return &text;
}

/* Into the log that there would be without a logging statement, but for the facility. */
static void
write_syslog(const struct log_form *form, const struct report_line *line)
{
	const struct text *text = format(form, line);
	bool is_changed = form->print_category || form->print_severity ||
	    form->time != LOG_TIME_NONE;

	if (!scribe.options->under_master &&
	    scribe.options->log_file == NULL)
		syslog(form->facility | priorities[line->level], "%s",
		    text_string(text));
	else if (is_changed || line->level <= LOG_LEVEL_INFO)
		log_info("%s", text_string(text));
	else if (line->level == LOG_LEVEL_WARNING)
		log_warning("%s", text_string(text));
	else
		log_error("%s", text_string(text));
}

static void
write_into(const struct plan_log *log, struct logfile *file,
    const struct report_line *line)
{
	struct text *text;

	if ((int)line->level < log->form.severity ||
	    (log->form.debug_only && log_verbose == 0))
		return;
	switch (log->form.place) {
	case LOG_PLACE_NULL:
		break;
	case LOG_PLACE_SYSLOG:
		write_syslog(&log->form, line);
		break;
	case LOG_PLACE_STDERR:
		text = format(&log->form, line);
		fprintf(stderr, "%s\n", text_string(text));
		break;
	case LOG_PLACE_FILE:
		text = format(&log->form, line);
		text_putc(text, '\n');
		logfile_add(file, text->bytes, text->length);
		break;
	}
}

static void
write_line(char *record)
{
	const struct plan_header *header = scribe.plan.header;
	struct report_line line;

	if (header == NULL || !report_parse(&line, record))
		return;
	for (uint32_t i = 0; i < header->log_count; i++)
		if (header->log_categories[line.category] >> i & 1)
			write_into(&scribe.plan.logs[i], &scribe.files[i],
			    &line);
}

/* False: everybody else has gone. */
static bool
read_lines(int fd)
{
	ssize_t n = read(fd, scribe.bytes + scribe.length,
	    READ_SIZE - scribe.length);
	char *line = scribe.bytes, *end;

	if (n <= 0)
		return n == -1 && (errno == EAGAIN || errno == EINTR);
	scribe.length += n;
	scribe.bytes[scribe.length] = '\0';
	while ((end = memchr(line, '\n', scribe.bytes + scribe.length -
	    line)) != NULL) {
		*end = '\0';
		write_line(line);
		line = end + 1;
	}
	scribe.length -= line - scribe.bytes;
	if (scribe.length == READ_SIZE)
		scribe.length = 0;	/* no line of ours is as long */
	memmove(scribe.bytes, line, scribe.length);
	for (uint32_t i = 0; scribe.plan.header != NULL &&
	    i < scribe.plan.header->log_count; i++)
		logfile_flush(&scribe.files[i]);
	return true;
}

/* Orders */

static void
close_files(void)
{
	for (uint32_t i = 0; scribe.plan.header != NULL &&
	    i < scribe.plan.header->log_count; i++)
		logfile_clear(&scribe.files[i]);
	free(scribe.files);
	scribe.files = NULL;
	plan_unmap(&scribe.plan);
}

/* Is any category written there? */
static bool
is_used(const struct plan_header *header, uint32_t number)
{
	for (int i = 0; i < LOG_CATEGORIES; i++)
		if (header->log_categories[i] >> number & 1)
			return true;
	return false;
}

static void
open_files(void)
{
	const struct plan_header *header = scribe.plan.header;
	const char *directory = plan_string(&scribe.plan, header->directory);

	if (directory != NULL && chdir(directory) == -1)
		log_error("cannot enter %s: %m", directory);
	scribe.files = mem_zalloc(header->log_count, sizeof(*scribe.files));
	for (uint32_t i = 0; i < header->log_count; i++) {
		const struct plan_log *log = &scribe.plan.logs[i];

		scribe.files[i].fd = -1;
		if (log->form.place == LOG_PLACE_FILE && is_used(header, i) &&
		    (!log->form.debug_only || log_verbose > 0))
			logfile_init(&scribe.files[i],
			    plan_string(&scribe.plan, log->file), &log->form);
	}
}

static void
open_anew(void)
{
	for (uint32_t i = 0; scribe.plan.header != NULL &&
	    i < scribe.plan.header->log_count; i++) {
		const struct plan_log *log = &scribe.plan.logs[i];

		if (scribe.files[i].path == NULL)
			continue;
		logfile_clear(&scribe.files[i]);
		logfile_init(&scribe.files[i],
		    plan_string(&scribe.plan, log->file), &log->form);
	}
}

/* Files are opened anew when named.conf was read anew, which is what log rotation waits for. */
static void
use_plan(int fds[CONTROL_FILES])
{
	struct plan plan;

	if (plan_map(&plan, fds[CONTROL_FILE_PLAN]) == -1)
		log_error("cannot map the plan of the zones: %m");
	else if (scribe.plan.header != NULL &&
	    scribe.plan.header->configured_us == plan.header->configured_us)
		plan_unmap(&plan);
	else {
		close_files();
		scribe.plan = plan;
		open_files();
	}
	for (int i = 0; i < CONTROL_FILES; i++)
		fd_close(&fds[i]);
}

static void
set_debug(int level)
{
	log_verbose = level;
	for (uint32_t i = 0; scribe.plan.header != NULL &&
	    i < scribe.plan.header->log_count; i++) {
		const struct plan_log *log = &scribe.plan.logs[i];

		if (log->form.debug_only && level > 0 &&
		    scribe.files[i].path == NULL &&
		    is_used(scribe.plan.header, i))
			logfile_init(&scribe.files[i],
			    plan_string(&scribe.plan, log->file), &log->form);
	}
}

/* False: there will be no more. */
static bool
take_order(int fd)
{
	struct control_order order = { CONTROL_KINDS, 0 };
	int fds[CONTROL_FDS_MAX], fd_count;
	ssize_t length = control_receive(fd, &order, sizeof(order), fds,
	    &fd_count);

	if (length == -1 && errno == EINTR)
		return true;
	if (!control_is_good(length, sizeof(order), fds, fd_count,
	    order.kind == CONTROL_IMAGE ? CONTROL_FILES : 0))
		return false;
	if (order.kind == CONTROL_IMAGE)
		use_plan(fds);
	else if (order.kind == CONTROL_DEBUG)
		set_debug(order.number);
	else if (order.kind == CONTROL_LOG)
		open_anew();
	return true;
}

int
scribe_run(int control, int lines, const struct options *options)
{
	/* A reload may name other files: the named user's rights are the limit. */
	static const struct sandbox_path paths[] = { { "/", true },
	    { NULL, false } };
	const char *why;

	setproctitle("logging");
	tzset();
	scribe.options = options;
	report_end();
	options_open_log(options);
	if (options->user != NULL &&
	    sandbox_become(options->user, NULL, &why) == -1) {
		log_error("cannot %s (%s): %m", why, options->user);
		return EXIT_FAILURE;
	}
	sandbox_enter("named-lite", SANDBOX_READ | SANDBOX_WRITE |
	    SANDBOX_UNLINK | SANDBOX_SOCKETS, paths);
	for (;;) {
		struct pollfd polled[] = { { control, POLLIN, 0 },
		    { lines, POLLIN, 0 } };

		log_flush();
		if (poll(polled, COUNT_OF(polled), -1) == -1)
			continue;
		/* Lines first: those before an order were written for what was so before. */
		if (polled[1].revents != 0 && scribe.plan.header != NULL &&
		    !read_lines(lines))
			break;
		if (polled[0].revents != 0 && !take_order(control))
			fd_close(&control);
		if (control == -1 && scribe.plan.header == NULL)
			break;
	}
	close_files();
	log_flush();
	return EXIT_SUCCESS;
}
