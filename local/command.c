/*
 * command - mail for a program: |command, mailbox_command
 *
 * The program runs with the user's rights, in a session of its own, with
 * nothing of ours open but the message as its standard input, an environment
 * that holds only what it may know, and a time limit. What it says matters if
 * it fails, or begins with an enhanced status code.
 */

#include "local/local.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"

#define OUTPUT_MAX	1000	/* what a sender should have to read */

/* What an exit status means to the sender; see sysexits(3). Any other is 5.3.0. */
static const struct {
	int	 status;
	const char *dsn, *text;
} exits[] = {
	{ EX_USAGE,	  "5.3.0", "command line usage error" },
	{ EX_DATAERR,	  "5.6.0", "data format error" },
	{ EX_NOINPUT,	  "5.3.0", "cannot open input" },
	{ EX_NOUSER,	  "5.1.1", "user unknown" },
	{ EX_NOHOST,	  "5.1.2", "host name unknown" },
	{ EX_UNAVAILABLE, "5.3.0", "service unavailable" },
	{ EX_SOFTWARE,	  "5.3.0", "internal software error" },
	{ EX_OSERR,	  "4.3.0", "system resource problem" },
	{ EX_OSFILE,	  "5.3.0", "critical OS file missing" },
	{ EX_CANTCREAT,	  "5.2.0", "can't create user output file" },
	{ EX_IOERR,	  "5.3.0", "input/output error" },
	{ EX_TEMPFAIL,	  "4.3.0", "temporary failure" },
	{ EX_PROTOCOL,	  "5.5.0", "remote error in protocol" },
	{ EX_NOPERM,	  "5.7.0", "permission denied" },
	{ EX_CONFIG,	  "5.3.5", "local configuration error" },
};

struct environment {
	struct pool *pool;
	const char *values[64];
	size_t	 count;
};

/* NAME=value, where characters that mean something to a shell become '_'. */
static void
set_variable(struct environment *environment, const char *name, const char *value,
    bool is_safe)
{
	char *text = pool_printf(environment->pool, "%s=%s", name, value);

	if (text == NULL || environment->count + 1 == COUNT_OF(environment->values))
		return;
	for (char *p = text + strlen(name) + 1; !is_safe && *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("!@%-_=+:,./", *p) == NULL)
			*p = '_';
	environment->values[environment->count++] = text;
}

/* export_environment: names to be handed on, name=value to be set. */
static void
export_variables(struct environment *environment)
{
	char *copy = mem_strdup(config.export_environment), *cursor = copy, *word;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		char *value = strchr(word, '=');

		if (value != NULL)
			*value++ = '\0';
		else
			value = getenv(word);
		if (value != NULL)
			set_variable(environment, word, value, true);
	}
	free(copy);
}

static void
make_environment(struct environment *environment, const struct plan *plan,
    const struct delivery_request *request, const struct recipient *recipient,
    const struct user *user)
{
	const struct envelope *envelope = request->envelope;
	const struct { const char *name, *value; } variables[] = {
		{ "HOME",	user->home },
		{ "LOGNAME",	user->name },
		{ "USER",	user->name },
		{ "SHELL",	user->shell },
		{ "LOCAL",	plan->name },
		{ "EXTENSION",	plan->extension },
		{ "DOMAIN",	plan->domain },
		{ "RECIPIENT",	recipient->address },
		{ "ORIGINAL_RECIPIENT", recipient->original[0] != '\0'
		    ? recipient->original : recipient->address },
		{ "SENDER",	envelope->sender[0] != '\0' ? envelope->sender
		    : "MAILER-DAEMON" },
		{ "CLIENT_HOSTNAME", envelope->client_name },
		{ "CLIENT_ADDRESS", envelope->client_address },
		{ "CLIENT_HELO", envelope->helo_name },
		{ "CLIENT_PROTOCOL", envelope->protocol_name },
	};

	environment->pool = request->pool;
	environment->count = 0;
	set_variable(environment, "PATH", "/usr/bin:/bin", true);
	export_variables(environment);
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		if (variables[i].value[0] != '\0')
			set_variable(environment, variables[i].name,
			    variables[i].value, false);
	environment->values[environment->count] = NULL;
}

/* The message as a file that only the command sees. -1 with errno. */
static int
make_input(const struct delivery_request *request,
    const struct recipient *recipient)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	struct text headers = TEXT_EMPTY;

	text_puts(&headers, "From ");
	if (request->envelope->sender[0] == '\0')
		text_puts(&headers, "MAILER-DAEMON");
	else
		address_quote(&headers, request->envelope->sender);

	time_t arrived = (time_t)(request->envelope->arrival_us / 1000000);
	char date[32];

	text_printf(&headers, "  %.24s\n", asctime_r(localtime(&arrived), date));
	delivery_headers(&headers, request, recipient);
	if (fd != -1 && (fd_write_all(fd, headers.bytes, headers.length) == -1
	    || fd_write_all(fd, request->content, request->content_length) == -1
	    || lseek(fd, 0, SEEK_SET) == -1))
		fd_close(&fd);
	text_clear(&headers);
	return fd;
}

/* In the child. */
static void __attribute__((noreturn))
run(const struct target *target, int input, int output,
    const struct environment *environment)
{
	const struct rlimit no_core = { 0, 0 };
	char *const arguments[] = { (char *)"sh", (char *)"-c",
	    (char *)(uintptr_t)target->what, NULL };
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	umask(077);
	if (dup2(input, 0) == -1 || dup2(output, 1) == -1 || dup2(output, 2) == -1
	    || close_range(3, ~0U, 0) == -1 || become_for_good(target->user) == -1)
		_exit(EX_OSERR);
	if (chdir(target->user->home) == -1 && chdir("/") == -1)
		_exit(EX_OSERR);
	execve("/bin/sh", arguments, (char *const *)(uintptr_t)environment->values);
	_exit(EX_OSERR);
}

/* Collect what it says until it closes its output. False: the time is over. */
static bool
read_output(int fd, int64_t deadline_ms, struct text *output)
{
	for (;;) {
		struct pollfd polled = { fd, POLLIN, 0 };
		int64_t left = deadline_ms - clock_ms();
		char bytes[4096];

		if (left <= 0)
			return false;
		if (poll(&polled, 1, left > 60000 ? 60000 : (int)left) <= 0)
			continue;

		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n <= 0 && !(n == -1 && errno == EINTR))
			return true;
		if (n > 0 && output->length < OUTPUT_MAX)
			text_append(output, bytes, (size_t)n < OUTPUT_MAX - output->length
			    ? (size_t)n : OUTPUT_MAX - output->length);
	}
}

/* It may close its output and run on. */
static bool
wait_until(pid_t pid, int64_t deadline_ms, int *status)
{
	for (int pause_us = 1000;; pause_us = pause_us < 200000 ? pause_us * 2 : pause_us) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended != 0)
			return ended == pid;
		if (clock_ms() > deadline_ms)
			return false;
		usleep((useconds_t)pause_us);
	}
}

/* "5.7.1 text": the command's own opinion. False if the output is none. */
static bool
read_opinion(const char *output, char dsn[16], const char **text)
{
	int a, b, c, length = 0;

	if (sscanf(output, "%1d.%3d.%3d%n", &a, &b, &c, &length) != 3
	    || (a != 4 && a != 5) || (output[length] != ' ' && output[length] != '\0'))
		return false;
	snprintf(dsn, 16, "%d.%d.%d", a, b, c);
	*text = output + length + (output[length] == ' ');
	return true;
}

/* What the notice has as the command's own words. */
static void
diagnose(struct plan *plan, const char *output, const char *otherwise)
{
	plan->diagnostic = pool_strdup(plan->pool, *output != '\0' ? output
	    : otherwise);
}

static void
judge(struct plan *plan, const struct target *target, int status, char *output)
{
	const char *dsn = "5.3.0", *meaning = NULL, *opinion;
	char own[16];
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	text_trim(output);
	text_printable(output);
	if (code == 0) {
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "delivered to command: %s",
		    target->what);
		return;
	}
	if (code == -1) {
		diagnose(plan, output, "unknown mail system error");
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "Command died with signal %d: \"%s\"%s%s", WTERMSIG(status),
		    target->what, output[0] != '\0' ? ". Command output: " : "", output);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(exits); i++)
		if (exits[i].status == code) {
			dsn = exits[i].dsn;
			meaning = exits[i].text;
		}
	if (read_opinion(output, own, &opinion)) {
		diagnose(plan, opinion, "");
		plan_decide(plan, own[0] == '4' ? DELIVERY_DEFERRED : DELIVERY_BOUNCED,
		    pool_strdup(plan->pool, own), "%s", opinion);
		return;
	}

	enum delivery_status result = dsn[0] == '4' ? DELIVERY_DEFERRED
	    : DELIVERY_BOUNCED;
	const char *label = output[0] != '\0' ? ". Command output: " : "";

	diagnose(plan, output, meaning != NULL ? meaning : "unknown mail system error");
	if (meaning != NULL)
		plan_decide(plan, result, dsn, "%s%s%s", meaning, label, output);
	else
		plan_decide(plan, result, dsn, "Command died with status %d: \"%s\"%s%s",
		    code, target->what, label, output);
}

static volatile sig_atomic_t running;	/* the command's process group; 0: none */

static void
on_sigterm(int number)
{
	if (running > 0)
		kill(-(pid_t)running, SIGKILL);
	_exit(1);
}

void
command_obey_sigterm(void)
{
	sigset_t term;

	signal(SIGTERM, on_sigterm);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
}

void
deliver_command(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, const struct target *target)
{
	struct environment environment;
	struct text output = TEXT_EMPTY;
	int64_t deadline_ms = clock_ms() + config.command_time_limit * 1000LL;
	int input = make_input(request, recipient), ends[2], status = 0;
	pid_t pid = -1;

	make_environment(&environment, plan, request, recipient, target->user);
	if (input != -1 && pipe2(ends, O_CLOEXEC) == 0) {
		log_flush();
		pid = fork();
		if (pid == 0)
			run(target, input, ends[1], &environment);
		running = pid > 0 ? pid : 0;
		fd_close(&ends[1]);
		if (pid == -1)
			fd_close(&ends[0]);
	}
	fd_close(&input);
	if (pid == -1) {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "cannot start the command: %s", strerror(errno));
		return;
	}
	if (read_output(ends[0], deadline_ms, &output)
	    && wait_until(pid, deadline_ms, &status)) {
		text_puts(&output, "");
		judge(plan, target, status, output.bytes);
	} else {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "Command time limit exceeded: \"%s\"", target->what);
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	running = 0;
	fd_close(&ends[0]);
	text_clear(&output);
}
