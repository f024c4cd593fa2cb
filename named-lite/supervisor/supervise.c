#include "named-lite/supervisor/supervise.h"

#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "dns/key.h"
#include "named-lite/answerer/answer.h"
#include "named-lite/console.h"
#include "named-lite/counters.h"
#include "named-lite/answerer/rate.h"
#include "named-lite/answerer/serve.h"
#include "named-lite/report.h"
#include "named-lite/supervisor/supervisor.h"
#include "named/interfaces.h"
#include "sandbox/sandbox.h"
#include "service/supervision.h"

#define HANDOVER_MS	5000	/* for the process that follows us to load its zones */
#define RECHECK_MS	30000
#define SETTLE_MS	1000	/* for addresses that come one after the other */
#define LIFELINE_FD	4
#define LINES_SIZE	1048576	/* octets of log lines that wait for the scribe */

struct supervisor supervisor = { .signals = -1, .interfaces = -1,
    .empty_root = -1, .files = { -1, -1, -1 }, .notices = { -1, -1 },
    .lines = { -1, -1 }, .scribe = { .pid = -1, .control = -1 },
    .loader = -1, .loaded = -1, .envoy = { .pid = -1, .control = -1 } };
static struct supervisor *const s = &supervisor;

/* States */

/*
 * The answerers read what has arrived, and the sockets close with their
 * descriptors: ours must be closed before, or questions would still come in.
 */
void
supervise_stop(int code)
{
	s->state = STOPPING;
	s->exit_code = code;
	supervision_tell("STOPPING=1");
	listeners_close();
	fd_close(&s->envoy.control);
	for (int i = 0; i < PROCESSES_MAX; i++)
		fd_close(&s->answerers[i].control);
	if (s->loader != -1)
		kill(s->loader, SIGKILL);
}

static void
fail_start(void)
{
	log_error("exiting (due to fatal error)");
	supervise_stop(EXIT_FAILURE);
}

static void
begin_running(void)
{
	s->state = RUNNING;
	for (int i = 0; i < s->options->processes; i++)
		children_start_answerer(i);
	children_start_envoy();
	log_info("running");
	console_started();
	supervision_tell("READY=1");
}

/* From now on lines go where named.conf says; what they were before, they are again where that says nothing. */
static void
use_scribe(void)
{
	s->has_scribe = true;
	children_start_scribe();
	report_begin();
	children_order_all(CONTROL_LOG, 0, NULL, 0);
	children_order(&s->envoy, CONTROL_LOG, 0, NULL, 0);
}

void
supervise_load_failed(void)
{
	if (s->state == STARTING)
		fail_start();
	else if (s->state != STOPPING && s->job != LOADER_CHANGES)
		log_error("reloading failed: what was served before goes on");
}

void
supervise_use(const struct control_loaded *loaded, int files[CONTROL_FILES])
{
	for (int i = 0; i < CONTROL_FILES; i++) {
		int *mine = &s->files[i];

		if (s->state != STOPPING && s->state != LEAVING) {
			fd_close(mine);
			*mine = files[i];
		} else
			fd_close(&files[i]);
	}
	if (s->state == LEAVING)
		s->stop_at_ms = clock_ms() + HANDOVER_MS;
	if (s->state == STOPPING || s->state == LEAVING)
		return;
	s->turn = (s->turn + 1) % CONTROL_ADDRESSES_MAX;
	children_order_all(CONTROL_IMAGE, s->turn, s->files, CONTROL_FILES);
	*serve_turn = s->turn;
	children_order_all(CONTROL_TURN, 0, NULL, 0);
	children_order(&s->envoy, CONTROL_IMAGE, 0, s->files, CONTROL_FILES);
	children_order(&s->scribe, CONTROL_IMAGE, 0, s->files, CONTROL_FILES);
	if (loaded->has_logging && !s->has_scribe)
		use_scribe();

	int count = loaded->count == CONTROL_UNCHANGED ? 0 :
	    listeners_use(loaded);

	if (s->state != STARTING && s->job != LOADER_ADDRESSES &&
	    s->job != LOADER_CHANGES)
		log_info("reloading: zones are served as they are now");
	else if (s->state == STARTING && count == 0) {
		log_error("there is no address to listen on");
		fail_start();
	} else if (s->state == STARTING)
		begin_running();
}

static void
reload(void)
{
	if (s->state == STOPPING || s->state == LEAVING)
		return;
	if (s->options->under_master) {
		log_info("leaving: the process that follows takes over");
		s->state = LEAVING;
	} else
		log_info("received SIGHUP signal to reload zones");
	jobs_want(LOADER_ALL, false);
}

/* What the envoy wants */

static bool
is_request_good(const struct control_request *request, int fd_count)
{
	int parcels = 0;

	for (unsigned i = 0; request->wish == CONTROL_CHANGE &&
	    i < request->count && i < CONTROL_CHANGES_MAX; i++)
		parcels += request->changes[i].action == CONTROL_TRANSFERRED;
	return parcels == fd_count && (request->wish != CONTROL_CHANGE ||
	    request->count <= CONTROL_CHANGES_MAX);
}

static void
fulfil(const struct control_request *request, const int *fds, int fd_count)
{
	switch (request->wish) {
	case CONTROL_RELOAD:
		jobs_want(LOADER_ALL, true);
		break;
	case CONTROL_RECONFIG:
		jobs_want(LOADER_CONFIG, true);
		break;
	case CONTROL_CHANGE:
		jobs_want_changes(request, fds, fd_count);
		break;
	case CONTROL_SET_QUERYLOG:
		s->logs_questions = request->count != 0;
		children_order_all(CONTROL_QUERYLOG, s->logs_questions, NULL,
		    0);
		break;
	case CONTROL_SET_DEBUG:
		log_verbose = request->count;
		children_order_all(CONTROL_DEBUG, log_verbose, NULL, 0);
		children_order(&s->scribe, CONTROL_DEBUG, log_verbose, NULL,
		    0);
		break;
	case CONTROL_STOP:
		log_info("shutting down");
		supervise_stop(EXIT_SUCCESS);
		break;
	}
}

static void
on_envoy(void)
{
	static struct control_request request;
	int fds[CONTROL_FDS_MAX], fd_count;
	ssize_t length = control_receive(s->envoy.control, &request,
	    sizeof(request), fds, &fd_count);

	if (length <= 0) {
		/* Its end is noticed by its signal. */
		fd_close(&s->envoy.control);
		return;
	}
	if (control_is_good(length, sizeof(request), fds, fd_count,
	    is_request_good(&request, fd_count) ? fd_count : -1))
		fulfil(&request, fds, fd_count);
}

/* Signals and time */

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->loader)
			jobs_ended();
		else
			children_ended(pid, status);
	}
}

static void
on_signal(void)
{
	struct signalfd_siginfo signal;

	if (read(s->signals, &signal, sizeof(signal)) != sizeof(signal))
		return;
	switch (signal.ssi_signo) {
	case SIGCHLD:
		reap();
		break;
	case SIGHUP:
		reload();
		break;
	case SIGUSR1:
		children_order(&s->scribe, CONTROL_LOG, 0, NULL, 0);
		break;
	default:
		if (s->state != STOPPING) {
			log_info("shutting down");
			supervise_stop(EXIT_SUCCESS);
		}
		break;
	}
}

static int
earlier(int timeout, int64_t at_ms)
{
	int64_t left = at_ms - clock_ms();

	if (at_ms == 0)
		return timeout;
	if (left < 0)
		left = 0;
	return timeout == -1 || left < timeout ? (int)left : timeout;
}

static bool
is_due(int64_t at_ms)
{
	return at_ms != 0 && clock_ms() >= at_ms;
}

/* Gives the milliseconds until something else is due, -1 never. */
static int
do_what_is_due(void)
{
	int timeout = -1;

	if (s->state == STOPPING)
		return -1;
	timeout = earlier(timeout, children_start_due());
	if (s->state == RUNNING && is_due(s->look_at_ms)) {
		s->look_at_ms = 0;
		jobs_want(LOADER_ADDRESSES, false);
	}
	if (s->state == LEAVING) {
		if (is_due(s->stop_at_ms))
			supervise_stop(EXIT_SUCCESS);
		else if (s->stop_at_ms == 0 && s->loader == -1 &&
		    s->check_at_ms == 0)
			s->check_at_ms = clock_ms() + RECHECK_MS;
		else if (is_due(s->check_at_ms)) {
			s->check_at_ms = 0;
			jobs_want(LOADER_ALL, false);
		}
	}
	timeout = earlier(timeout, s->check_at_ms);
	timeout = earlier(timeout, s->look_at_ms);
	return earlier(timeout, s->stop_at_ms);
}

static void
run(void)
{
	while (s->state != STOPPING || children_are_there() ||
	    s->loader != -1) {
		int timeout = do_what_is_due();
		struct pollfd polled[] = {
			{ s->signals, POLLIN, 0 },
			{ s->loaded, POLLIN, 0 },
			{ s->options->under_master && !s->lifeline_ended ?
			    LIFELINE_FD : -1, POLLIN, 0 },
			{ s->state == RUNNING ? s->interfaces : -1, POLLIN, 0 },
			{ s->envoy.control, POLLIN, 0 },
		};

		log_flush();
		if (poll(polled, COUNT_OF(polled), timeout) <= 0)
			continue;
		if (polled[1].revents != 0)
			jobs_on_loaded();
		if (polled[4].revents != 0 && s->envoy.control != -1)
			on_envoy();
		if (polled[0].revents != 0)
			on_signal();
		if (polled[3].revents != 0 && interfaces_changed(s->interfaces))
			s->look_at_ms = clock_ms() + SETTLE_MS;
		if (polled[2].revents != 0) {
			s->lifeline_ended = true;
			if (s->state != STOPPING)
				supervise_stop(EXIT_SUCCESS);
		}
	}
}

/* A directory without a name and without contents, for those who need to see none. */
static void
make_empty_root(void)
{
	char path[] = "/tmp/named-lite.XXXXXX";

	if (!sandbox_is_root())
		return;
	if (mkdtemp(path) != NULL) {
		chmod(path, 0755);
		s->empty_root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		rmdir(path);
	}
	if (s->empty_root == -1)
		s->empty_root = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
catch_signals(void)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT,
	    SIGUSR1 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

static void
share_turn(void)
{
	void *memory = mmap(NULL, sizeof(*serve_turn), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fatal("no memory: %m");
	serve_turn = memory;
}

/* Nobody waits for it: what it has no room for is counted as lost. */
static void
make_pipe(void)
{
	if (pipe2(s->lines, O_CLOEXEC | O_NONBLOCK) == -1) {
		log_error("cannot write log files: %m");
		return;
	}
	(void)fcntl(s->lines[1], F_SETPIPE_SZ, LINES_SIZE);
	report_prepare(s->lines[1]);
}

int
supervise_run(const struct options *options)
{
	s->options = options;
	for (int i = 0; i < PROCESSES_MAX; i++)
		s->answerers[i] = (struct child) { .pid = -1, .control = -1 };
	for (int i = 0; i < LOADER_JOBS; i++)
		memset(s->jobs[i].parcels, -1, sizeof(s->jobs[i].parcels));
	arc4random_buf(answer_cookie_key, sizeof(answer_cookie_key));
	rate_init();
	share_turn();
	counters_share(options->processes);
	dns_key_prepare();
	make_empty_root();
	catch_signals();
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    s->notices) == -1)
		log_error("cannot hear of notifies: %m");
	make_pipe();
	s->interfaces = interfaces_watch();
	jobs_want(LOADER_ALL, false);
	run();
	jobs_end();
	log_info("exiting");
	children_end_scribe();
	log_flush();
	return s->exit_code;
}
