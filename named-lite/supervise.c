#include "named-lite/supervise.h"

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
#include "named-lite/answer.h"
#include "named-lite/console.h"
#include "named/interfaces.h"
#include "named-lite/loader.h"
#include "named-lite/serve.h"
#include "named-lite/sockets.h"
#include "sandbox/sandbox.h"

#define PROCESSES_MAX	64
#define ANSWERING_USER	"nobody"
#define CRASH_PAUSE_MS	1000	/* before a process that died soon is started again */
#define SOON_MS		10000
#define HANDOVER_MS	5000	/* for the process that follows us to load its zones */
#define RECHECK_MS	30000
#define SETTLE_MS	1000	/* for addresses that come one after the other */

/* An address, and its sockets for each answering process. */
struct listener {
	struct control_address address;
	bool	 is_used;
	bool	 is_wanted;
	int	 fds[PROCESSES_MAX][2];
};

struct answerer {
	pid_t	 pid;		/* -1: not running */
	int	 control;
	int64_t	 started_ms;
	int64_t	 start_at_ms;	/* when it is not running; 0 never */
};

/*
 * LEAVING: master has started the process that follows us. If our own
 * configuration still loads, so does its, and we leave it the field.
 */
enum state { STARTING, RUNNING, LEAVING, STOPPING };

static struct supervisor {
	const struct options *options;
	enum state state;
	int	 signals;
	int	 empty_root;
	int	 image;			/* of what is served; -1 none yet */
	pid_t	 loader;		/* -1 none */
	int	 loaded;		/* from the loader */
	enum loader_job job;		/* of the loader */
	bool	 load_again;
	int	 interfaces;		/* tells of addresses that come and go */
	int64_t	 look_at_ms;		/* when to look where to listen; 0 never */
	bool	 lifeline_ended;
	int64_t	 stop_at_ms;		/* LEAVING: 0 not yet known */
	int64_t	 check_at_ms;
	struct listener listeners[CONTROL_ADDRESSES_MAX];
	struct answerer answerers[PROCESSES_MAX];
	int	 exit_code;
} s = { .signals = -1, .interfaces = -1, .empty_root = -1, .image = -1, .loader = -1,
    .loaded = -1 };

#define LIFELINE_FD	4

static void
close_our_sockets(void)
{
	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++) {
		for (int n = 0; n < s.options->processes &&
		    s.listeners[i].is_used; n++) {
			fd_close(&s.listeners[i].fds[n][0]);
			fd_close(&s.listeners[i].fds[n][1]);
		}
	}
}

/* Children have none of the parent's business: its descriptors, its signals. */
static void
become_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	fd_close(&s.signals);
	fd_close(&s.interfaces);
	fd_close(&s.loaded);
	for (int i = 0; i < PROCESSES_MAX; i++)
		fd_close(&s.answerers[i].control);
	close_our_sockets();
}

/* Loading */

static void
run_loader(int fd)
{
	const char *why;
	int code;

	become_child();
	fd_close(&s.empty_root);
	setproctitle("loading zones");
	if (s.options->user != NULL &&
	    sandbox_become(s.options->user, NULL, &why) == -1) {
		log_error("cannot %s (%s): %m", why, s.options->user);
		_exit(EXIT_FAILURE);
	}
	code = loader_run(s.options, s.job, fd, s.image);
	log_flush();
	_exit(code);
}

static void
start_loader(enum loader_job job)
{
	int pair[2];

	if (s.loader != -1) {
		if (job == LOADER_ALL)
			s.load_again = true;
		else
			s.look_at_ms = clock_ms() + SETTLE_MS;
		return;
	}
	s.job = job;
	s.load_again = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_error("cannot start loading: %m");
		return;
	}
	log_flush();
	s.loader = fork();
	if (s.loader == 0) {
		fd_close(&pair[0]);
		run_loader(pair[1]);
	}
	if (s.loader == -1)
		log_error("cannot start loading: %m");
	fd_close(&pair[1]);
	fd_close(&s.loaded);
	s.loaded = pair[0];
}

/* Answering processes */

static void
order(struct answerer *answerer, enum control_kind kind, unsigned number,
    const int *fds, int fd_count)
{
	struct control_order packet = { kind, number };

	if (answerer->control != -1 && control_send(answerer->control, &packet,
	    sizeof(packet), fds, fd_count) == -1)
		log_error("cannot reach an answering process: %m");
}

static void
start_answerer(int number)
{
	struct answerer *answerer = &s.answerers[number];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_error("cannot start an answering process: %m");
		return;
	}
	log_flush();
	answerer->start_at_ms = 0;
	answerer->started_ms = clock_ms();
	answerer->pid = fork();
	if (answerer->pid == 0) {
		fd_close(&pair[0]);
		become_child();
		fd_close(&s.image);
		_exit(serve_run(pair[1], s.empty_root, ANSWERING_USER));
	}
	fd_close(&pair[1]);
	if (answerer->pid == -1) {
		log_error("cannot start an answering process: %m");
		answerer->start_at_ms = clock_ms() + CRASH_PAUSE_MS;
		fd_close(&pair[0]);
		return;
	}
	answerer->control = pair[0];
	order(answerer, CONTROL_IMAGE, 0, &s.image, 1);
	for (unsigned i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		if (s.listeners[i].is_used)
			order(answerer, CONTROL_LISTEN, i,
			    s.listeners[i].fds[number], 2);
}

/* Listening */

static struct listener *
find_listener(const struct control_address *address)
{
	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++) {
		struct listener *listener = &s.listeners[i];

		if (listener->is_used && memcmp(&listener->address.socket,
		    &address->socket, sizeof(address->socket)) == 0)
			return listener;
	}
	return NULL;
}

static struct listener *
open_listener(const struct control_address *address)
{
	struct listener *listener = s.listeners;
	char text[SOCKETS_TEXT];
	int opened = 0;

	while (listener->is_used)
		if (++listener == s.listeners + CONTROL_ADDRESSES_MAX)
			return NULL;
	if (!s.options->under_master && !sockets_are_free(address))
		return NULL;
	while (opened < s.options->processes &&
	    sockets_open(address, listener->fds[opened]) == 0)
		opened++;
	if (opened < s.options->processes) {
		while (opened-- > 0) {
			fd_close(&listener->fds[opened][0]);
			fd_close(&listener->fds[opened][1]);
		}
		return NULL;
	}
	listener->address = *address;
	listener->is_used = true;
	log_info("listening on %s interface %s, %s",
	    address->socket.any.sa_family == AF_INET ? "IPv4" : "IPv6",
	    address->interface, sockets_print(address, text));
	for (int n = 0; n < s.options->processes; n++)
		order(&s.answerers[n], CONTROL_LISTEN, listener - s.listeners,
		    listener->fds[n], 2);
	return listener;
}

static void
close_listener(struct listener *listener)
{
	char text[SOCKETS_TEXT];

	log_info("no longer listening on %s",
	    sockets_print(&listener->address, text));
	for (int n = 0; n < s.options->processes; n++) {
		order(&s.answerers[n], CONTROL_FORGET, listener - s.listeners,
		    NULL, 0);
		fd_close(&listener->fds[n][0]);
		fd_close(&listener->fds[n][1]);
	}
	listener->is_used = false;
}

/* Listen where the configuration says, and nowhere else. The number of addresses. */
static int
listen_to(const struct control_loaded *loaded)
{
	int count = 0;

	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		s.listeners[i].is_wanted = false;
	for (unsigned i = 0; i < loaded->count; i++) {
		struct listener *listener =
		    find_listener(&loaded->addresses[i]);

		if (listener == NULL)
			listener = open_listener(&loaded->addresses[i]);
		if (listener == NULL)
			continue;
		listener->is_wanted = true;
		count++;
	}
	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		if (s.listeners[i].is_used && !s.listeners[i].is_wanted)
			close_listener(&s.listeners[i]);
	return count;
}

/* States */

/*
 * The answerers read what has arrived, and the sockets close with their
 * descriptors: ours must be closed before, or questions would still come in.
 */
static void
stop(int code)
{
	s.state = STOPPING;
	s.exit_code = code;
	close_our_sockets();
	for (int i = 0; i < PROCESSES_MAX; i++)
		fd_close(&s.answerers[i].control);
	if (s.loader != -1)
		kill(s.loader, SIGKILL);
}

static void
fail_start(void)
{
	log_error("exiting (due to fatal error)");
	stop(EXIT_FAILURE);
}

static void
begin_running(void)
{
	s.state = RUNNING;
	for (int i = 0; i < s.options->processes; i++)
		start_answerer(i);
	log_info("running");
	console_started();
}

static void
on_loaded(void)
{
	static struct control_loaded loaded;
	int fds[CONTROL_FDS_MAX] = { -1, -1 }, fd_count;
	ssize_t length = control_receive(s.loaded, &loaded, sizeof(loaded),
	    fds, &fd_count);

	fd_close(&s.loaded);
	if (length != sizeof(loaded) || fd_count != 1 ||
	    loaded.count > CONTROL_ADDRESSES_MAX) {
		for (int i = 0; i < fd_count; i++)
			fd_close(&fds[i]);
		if (s.state == STARTING)
			fail_start();
		else
			log_error("reloading failed: what was served before "
			    "goes on");
		return;
	}
	if (s.state == LEAVING) {
		s.stop_at_ms = clock_ms() + HANDOVER_MS;
		fd_close(&fds[0]);
		return;
	}
	fd_close(&s.image);
	s.image = fds[0];
	for (int i = 0; i < s.options->processes; i++)
		order(&s.answerers[i], CONTROL_IMAGE, 0, &s.image, 1);

	int count = listen_to(&loaded);

	if (s.state != STARTING && s.job == LOADER_ALL)
		log_info("reloading: zones are served as they are now");
	else if (s.state == STARTING && count == 0) {
		log_error("there is no address to listen on");
		fail_start();
	} else if (s.state == STARTING)
		begin_running();
}

static void
on_answerer_end(struct answerer *answerer, int status)
{
	int64_t now = clock_ms();

	answerer->pid = -1;
	fd_close(&answerer->control);
	if (s.state == STOPPING)
		return;
	if (WIFSIGNALED(status))
		log_error("an answering process was killed by signal %d; "
		    "starting another", WTERMSIG(status));
	else
		log_error("an answering process ended with status %d; "
		    "starting another", WEXITSTATUS(status));
	answerer->start_at_ms = now - answerer->started_ms < SOON_MS ?
	    now + CRASH_PAUSE_MS : now;
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s.loader) {
			s.loader = -1;
			if (s.load_again)
				start_loader(LOADER_ALL);
			continue;
		}
		for (int i = 0; i < PROCESSES_MAX; i++)
			if (s.answerers[i].pid == pid)
				on_answerer_end(&s.answerers[i], status);
	}
}

static void
reload(void)
{
	if (s.state == STOPPING || s.state == LEAVING)
		return;
	if (s.options->under_master) {
		log_info("leaving: the process that follows takes over");
		s.state = LEAVING;
	} else
		log_info("received SIGHUP signal to reload zones");
	start_loader(LOADER_ALL);
}

static void
on_signal(void)
{
	struct signalfd_siginfo signal;

	if (read(s.signals, &signal, sizeof(signal)) != sizeof(signal))
		return;
	switch (signal.ssi_signo) {
	case SIGCHLD:
		reap();
		break;
	case SIGHUP:
		reload();
		break;
	default:
		if (s.state != STOPPING) {
			log_info("shutting down");
			stop(EXIT_SUCCESS);
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

static int
next_timeout(void)
{
	int timeout = -1;

	for (int i = 0; i < s.options->processes; i++)
		timeout = earlier(timeout, s.answerers[i].start_at_ms);
	timeout = earlier(timeout, s.check_at_ms);
	timeout = earlier(timeout, s.look_at_ms);
	return earlier(timeout, s.stop_at_ms);
}

static bool
is_due(int64_t at_ms)
{
	return at_ms != 0 && clock_ms() >= at_ms;
}

static void
do_what_is_due(void)
{
	if (s.state == STOPPING)
		return;
	for (int i = 0; i < s.options->processes; i++)
		if (is_due(s.answerers[i].start_at_ms))
			start_answerer(i);
	if (s.state == RUNNING && is_due(s.look_at_ms)) {
		s.look_at_ms = 0;
		start_loader(LOADER_ADDRESSES);
	}
	if (s.state != LEAVING)
		return;
	if (is_due(s.stop_at_ms))
		stop(EXIT_SUCCESS);
	else if (s.stop_at_ms == 0 && s.loader == -1 && s.check_at_ms == 0)
		s.check_at_ms = clock_ms() + RECHECK_MS;
	else if (is_due(s.check_at_ms)) {
		s.check_at_ms = 0;
		start_loader(LOADER_ALL);
	}
}

static bool
has_children(void)
{
	for (int i = 0; i < PROCESSES_MAX; i++)
		if (s.answerers[i].pid > 0)
			return true;
	return s.loader != -1;
}

static void
run(void)
{
	while (s.state != STOPPING || has_children()) {
		struct pollfd polled[] = {
			{ s.signals, POLLIN, 0 },
			{ s.loaded, POLLIN, 0 },
			{ s.options->under_master && !s.lifeline_ended ?
			    LIFELINE_FD : -1, POLLIN, 0 },
			{ s.state == RUNNING ? s.interfaces : -1, POLLIN, 0 },
		};

		log_flush();
		if (poll(polled, COUNT_OF(polled), s.state == STOPPING ? -1 :
		    next_timeout()) > 0) {
			if (polled[1].revents != 0)
				on_loaded();
			if (polled[0].revents != 0)
				on_signal();
			if (polled[3].revents != 0 &&
			    interfaces_changed(s.interfaces))
				s.look_at_ms = clock_ms() + SETTLE_MS;
			if (polled[2].revents != 0) {
				s.lifeline_ended = true;
				if (s.state != STOPPING)
					stop(EXIT_SUCCESS);
			}
		}
		do_what_is_due();
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
		s.empty_root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		rmdir(path);
	}
	if (s.empty_root == -1)
		s.empty_root = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
catch_signals(void)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC);
}

int
supervise_run(const struct options *options)
{
	s.options = options;
	for (int i = 0; i < PROCESSES_MAX; i++)
		s.answerers[i] = (struct answerer) { .pid = -1, .control = -1 };
	arc4random_buf(answer_cookie_key, sizeof(answer_cookie_key));
	make_empty_root();
	catch_signals();
	s.interfaces = interfaces_watch();
	start_loader(LOADER_ALL);
	run();
	log_info("exiting");
	log_flush();
	return s.exit_code;
}
