/* Where lines go: maillog_file in Postfix's form, or syslog(3). */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "postlogd/postlogd.h"

#define SYSLOG_SOCKET	"/dev/log"

static const int severities[] = {
	[LOG_LEVEL_DEBUG] = LOG_DEBUG, [LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_WARNING] = LOG_WARNING, [LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_FATAL] = LOG_CRIT, [LOG_LEVEL_PANIC] = LOG_CRIT,
};

static const struct { const char *name; int code; } facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
	{ "cron", LOG_CRON }, { "daemon", LOG_DAEMON }, { "ftp", LOG_FTP },
	{ "kern", LOG_KERN }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 }, { "lpr", LOG_LPR }, { "mail", LOG_MAIL },
	{ "news", LOG_NEWS }, { "syslog", LOG_SYSLOG }, { "user", LOG_USER },
	{ "uucp", LOG_UUCP },
};

static struct {
	int		file;		/* -1: syslog */
	int		syslog;
	int		facility;
	char		host[256];
	struct text	pending;	/* lines for the file */
	unsigned long	lost;
} out = { .file = -1, .syslog = -1, .facility = LOG_MAIL };

/* Is path one of maillog_file_prefixes, or below one? */
static bool
is_allowed(const char *path)
{
	char *copy = mem_strdup(config.maillog_file_prefixes), *cursor = copy;
	bool allowed = false;
	char *prefix;

	while ((prefix = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		size_t length = strlen(prefix);

		allowed |= strncmp(path, prefix, length) == 0 &&
		    (path[length] == '\0' || path[length] == '/' ||
		    prefix[length - 1] == '/');
	}
	free(copy);
	return allowed && strstr(path, "/../") == NULL;
}

static void
say(int level, const char *text)
{
	char *tag = mem_printf("%s/postlogd[%d]", config.syslog_name,
	    (int)getpid());

	output_write(&(struct record){ .level = level, .time = time(NULL),
	    .tag = tag, .text = text });
	free(tag);
}

static void
open_file(void)
{
	mode_t mode = (mode_t)strtol(config.maillog_file_permissions, NULL, 8);
	char *why;

	if (strcmp(config.maillog_file, "/dev/stdout") == 0) {
		out.file = dup(STDOUT_FILENO);
		return;
	}
	if (!is_allowed(config.maillog_file))
		why = mem_strdup("it is not below one of maillog_file_prefixes");
	else {
		umask(0);
		out.file = open(config.maillog_file, O_WRONLY | O_APPEND |
		    O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
		umask(077);
		if (out.file != -1)
			return;
		why = mem_strdup(strerror(errno));
	}

	char *line = mem_printf("error: maillog_file = %s: %s; logging to "
	    "syslog instead", config.maillog_file, why);

	fprintf(stderr, "postlogd: %s\n", line);
	say(LOG_LEVEL_ERROR, line);
	free(line);
	free(why);
}

void
output_open(void)
{
	for (size_t i = 0; i < COUNT_OF(facilities); i++)
		if (strcmp(facilities[i].name, config.syslog_facility) == 0)
			out.facility = facilities[i].code;
	gethostname(out.host, sizeof(out.host) - 1);
	out.host[strcspn(out.host, ".")] = '\0';
	tzset();
	if (*config.maillog_file != '\0')
		open_file();
}

/* "Nov  7 03:14:15", kept for the second that it is true. */
static const char *
stamp(time_t now)
{
	static char text[32];
	static time_t made;
	struct tm parts;

	if (now != made || *text == '\0') {
		localtime_r(&now, &parts);
		strftime(text, sizeof(text), "%b %e %H:%M:%S", &parts);
		made = now;
	}
	return text;
}

static int
connect_syslog(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX,
	    .sun_path = SYSLOG_SOCKET };

	fd_close(&out.syslog);
	out.syslog = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out.syslog == -1 || connect(out.syslog,
	    (const struct sockaddr *)&address, sizeof(address)) == -1) {
		fd_close(&out.syslog);
		return -1;
	}
	return 0;
}

/* Blocks while syslog is busy; a restarted one is found again. Without any the line goes to standard error. */
static void
write_syslog(const struct record *r)
{
	char *line = mem_printf("<%d>%s %s: %s",
	    out.facility | severities[r->level], stamp(r->time), r->tag,
	    r->text);
	size_t length = strlen(line);
	bool sent = out.syslog != -1 &&
	    send(out.syslog, line, length, MSG_NOSIGNAL) != -1;

	if (!sent && connect_syslog() == 0)
		sent = send(out.syslog, line, length, MSG_NOSIGNAL) != -1;
	if (!sent)
		fprintf(stderr, "%s: %s\n", r->tag, r->text);
	free(line);
}

void
output_write(const struct record *r)
{
	if (out.file == -1) {
		write_syslog(r);
		return;
	}
	text_printf(&out.pending, "%s %s %s: %s\n", stamp(r->time), out.host,
	    r->tag, r->text);
}

void
output_flush(void)
{
	char line[128];

	if (out.pending.length == 0)
		return;
	if (fd_write_all(out.file, out.pending.bytes, out.pending.length) == -1)
		out.lost++;
	else if (out.lost > 0) {
		snprintf(line, sizeof(line), "warning: the log could not be "
		    "written %lu times; lines are missing", out.lost);
		out.lost = 0;
		text_truncate(&out.pending, 0);
		say(LOG_LEVEL_WARNING, line);
		output_flush();
	}
	text_truncate(&out.pending, 0);
}
