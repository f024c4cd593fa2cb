/* begin - from exec to the closed sandbox, alike for every daemon */

#include "service/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"

const char *service_name = "";

enum { OVERRIDES_MAX = 200 };

struct options {
	bool	unprivileged;
	bool	chroot;
	int	sockets;
	const char *overrides[OVERRIDES_MAX + 1];
	size_t	override_count;
};

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
read_options(const struct service *service, int argc, char **argv,
    struct options *options)
{
	int option;
	const char *error = NULL;

	while ((option = getopt(argc, argv, "n:t:ucvDo:s:lz")) != -1) {
		switch (option) {
		case 'n':
			service_name = optarg;
			break;
		case 'u':
			options->unprivileged = true;
			break;
		case 'c':
			options->chroot = true;
			break;
		case 'v':
			log_verbose++;
			break;
		case 'o':
			if (options->override_count == OVERRIDES_MAX)
				fatal("more than %d -o options in master.cf",
				    OVERRIDES_MAX);
			options->overrides[options->override_count++] = optarg;
			break;
		case 's':
			options->sockets = (int)strtonum(optarg, 0,
			    SERVICE_SOCKETS_MAX, &error);
			if (error != NULL)
				fatal("option -s %s is %s", optarg, error);
			break;
		case 't': case 'D': case 'l': case 'z':
			break;
		default:
			fatal_exit_code = EX_USAGE;
			fatal("%s is started by master, not by hand; use postroad start",
			    service->name);
		}
	}
}

static void
take_sockets(int count, struct service_sockets *sockets)
{
	int type = 0;
	socklen_t size = sizeof(type);

	sockets->count = count;
	for (int i = 0; i < count; i++) {
		sockets->fd[i] = SERVICE_FIRST_SOCKET + i;
		if (fcntl(sockets->fd[i], F_SETFD, FD_CLOEXEC) == -1)
			fatal("master gave no socket %d: %m", i);
		fd_nonblocking(sockets->fd[i], true);
	}
	if (count > 0)
		getsockopt(sockets->fd[0], SOL_SOCKET, SO_TYPE, &type, &size);
	sockets->is_stream = type == SOCK_STREAM;
}

/* Each daemon may need many descriptors, and the hard limit is the administrator's. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void
service_begin(const struct service *service, int argc, char **argv,
    struct service_sockets *sockets)
{
	struct options options = { 0 };
	const char *why;

	log_open_stderr(service->name);
	if (is_open(SERVICE_LOG_FD)) {
		fcntl(SERVICE_LOG_FD, F_SETFD, FD_CLOEXEC);
		log_open_pipe(SERVICE_LOG_FD,
		    mem_printf("postroad/%s", service->name));
	}
	if (is_open(SERVICE_LIFELINE_FD))
		fcntl(SERVICE_LIFELINE_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a limit is an error of write(2) */
	tzset();
	umask(077);

	read_options(service, argc, argv, &options);
	if (options.override_count < OVERRIDES_MAX)
		options.overrides[options.override_count++] =
		    mem_printf("service_name=%s", service_name);
	take_sockets(options.sockets, sockets);
	if (config_load(NULL, options.overrides) == -1)
		fatal("the configuration has errors, see above; postroad check shows them too");
	if (is_open(SERVICE_LOG_FD))
		log_open_pipe(SERVICE_LOG_FD, mem_printf("%s/%s",
		    config.syslog_name, service->name));
	if (chdir(config.queue_directory) == -1)
		fatal("enter queue_directory %s: %m; run postroad set-permissions",
		    config.queue_directory);
	raise_descriptor_limit();
	ipc_learn_owner();
	service_stand_back(service->rank);

	if (service->start != NULL)
		service->start();
	if (!service->stays_root) {
		const char *root = service->chroot ? "private" :
		    options.chroot ? "." : NULL;

		if (sandbox_become(config.mail_owner, root, &why) == -1)
			fatal("cannot %s (%s): %m", why, config.mail_owner);
		if (root != NULL && service->chroot) {
			/* An ordinary user cannot chroot, but sees the same names. */
			if (!sandbox_is_root() && access("private", X_OK) == 0 &&
			    chdir("private") == -1)
				fatal("enter %s/private: %m", config.queue_directory);
			ipc_inside_chroot();
		}
	}
	if (service->ready != NULL)
		service->ready();
	sandbox_enter(service->name, service->sandbox, service->paths);
}
