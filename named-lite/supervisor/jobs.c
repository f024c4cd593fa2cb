/* The loader: one at a time, and what waits for the next. */

#include <sys/socket.h>
#include <sys/wait.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/supervisor/supervisor.h"
#include "sandbox/sandbox.h"

/* Only the named user may touch what named.conf names. */
static void
become_loader(const char *title)
{
	struct supervisor *s = &supervisor;
	const char *why;

	children_become();
	fd_close(&s->empty_root);
	setproctitle("%s", title);
	if (s->options->user != NULL &&
	    sandbox_become(s->options->user, NULL, &why) == -1) {
		log_error("cannot %s (%s): %m", why, s->options->user);
		_exit(EXIT_FAILURE);
	}
}

static void
run_loader(struct job *job, int fd)
{
	struct supervisor *s = &supervisor;
	const struct loader_task task = {
		.job = s->job,
		.served = s->files,
		.request = &job->request,
		.parcels = job->parcels,
	};
	int code;

	become_loader("loading zones");
	code = loader_run(s->options, &task, fd);
	log_flush();
	_exit(code);
}

static void
forget_parcels(struct job *job)
{
	for (unsigned i = 0; i < CONTROL_FDS_MAX; i++)
		fd_close(&job->parcels[i]);
}

static void
start(enum loader_job kind)
{
	struct supervisor *s = &supervisor;
	struct job *job = &s->jobs[kind];
	int pair[2];

	s->job = kind;
	s->job_is_asked_for = job->is_asked_for;
	s->job_went_well = false;
	job->is_wanted = job->is_asked_for = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_error("cannot start loading: %m");
		jobs_ended();
		return;
	}
	log_flush();
	s->loader = fork();
	if (s->loader == 0) {
		fd_close(&pair[0]);
		run_loader(job, pair[1]);
	}
	forget_parcels(job);
	fd_close(&pair[1]);
	fd_close(&s->loaded);
	s->loaded = pair[0];
	if (s->loader == -1) {
		log_error("cannot start loading: %m");
		fd_close(&s->loaded);
		jobs_ended();
	}
}

/* The most comprehensive first: it may make others needless. */
static void
start_next(void)
{
	if (supervisor.loader != -1 || supervisor.state == STOPPING)
		return;
	for (int kind = 0; kind < LOADER_JOBS; kind++) {
		if (supervisor.jobs[kind].is_wanted) {
			start(kind);
			return;
		}
	}
}

void
jobs_want(enum loader_job kind, bool is_asked_for)
{
	struct job *job = &supervisor.jobs[kind];

	job->is_wanted = true;
	job->is_asked_for = job->is_asked_for || is_asked_for;
	start_next();
}

void
jobs_want_changes(const struct control_request *request, const int *parcels,
    int count)
{
	struct job *job = &supervisor.jobs[LOADER_CHANGES];

	/* An envoy that waits asks for nothing else; a new one, after a crash, begins anew. */
	forget_parcels(job);
	job->request = *request;
	memcpy(job->parcels, parcels, count * sizeof(parcels[0]));
	jobs_want(LOADER_CHANGES, true);
}

void
jobs_on_loaded(void)
{
	static struct control_loaded loaded;
	int fds[CONTROL_FDS_MAX], fd_count;
	ssize_t length = control_receive(supervisor.loaded, &loaded,
	    sizeof(loaded), fds, &fd_count);

	fd_close(&supervisor.loaded);
	if (!control_is_good(length, sizeof(loaded), fds, fd_count,
	    CONTROL_FILES) || (loaded.count > CONTROL_ADDRESSES_MAX &&
	    loaded.count != CONTROL_UNCHANGED) ||
	    loaded.channel_count > CONTROL_CHANNELS_MAX) {
		supervise_load_failed();
		return;
	}
	supervisor.job_went_well = true;
	supervise_use(&loaded, fds);
}

void
jobs_ended(void)
{
	struct supervisor *s = &supervisor;

	s->loader = -1;
	if (s->loaded != -1)
		jobs_on_loaded();
	if (s->job_is_asked_for)
		children_order(&s->envoy, CONTROL_DONE, s->job_went_well, NULL,
		    0);
	s->job_is_asked_for = false;
	start_next();
}

void
jobs_end(void)
{
	pid_t pid;

	log_flush();
	pid = fork();
	if (pid == 0) {
		become_loader("ending");
		loader_end(supervisor.files);
		log_flush();
		_exit(EXIT_SUCCESS);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}
