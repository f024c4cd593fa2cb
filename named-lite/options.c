#include "named-lite/options.h"

#include <sched.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "named-lite/console.h"
#include "sandbox/sandbox.h"
#include "service/service.h"
#include "service/supervision.h"

#define PROCESSES_MAX	64
#define OVERRIDES_MAX	100
#define EXPLAIN		256	/* no letter */

static int
count_cores(void)
{
	cpu_set_t set;
	int count = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count < 1 ? 1 : count > PROCESSES_MAX ? PROCESSES_MAX : count;
}

static void
usage(void)
{
	fprintf(stderr, "usage: named-lite [-4 | -6] [-f | -g] [-c config-file] "
	    "[-d level] [-L log-file]\n"
	    "                  [-n processes] [-p port] [-t directory] "
	    "[-u user]\n"
	    "       named-lite -v | -V\n"
	    "       named-lite [-c config-file] --explain name [type]\n");
	exit(EXIT_FAILURE);
}

static void
print_version(bool all)
{
	printf("named-lite (postroad " PACKAGE_VERSION ")\n");
	if (all)
		printf("authoritative only: zones of type primary and "
		    "secondary\ndefault paths:\n"
		    "  named configuration:  %s/named.conf\n"
		    "  rndc configuration:   %s/rndc.conf\n"
		    "  rndc key:             %s/rndc.key\n",
		    named_directory, named_directory, named_directory);
	exit(EXIT_SUCCESS);
}

static long long
number(const char *text, const char *option, long long most)
{
	const char *wrong;
	long long value = strtonum(text, 1, most, &wrong);

	if (wrong != NULL) {
		fprintf(stderr, "named-lite: option %s %s is %s\n", option,
		    text, wrong);
		exit(EXIT_FAILURE);
	}
	return value;
}

static void
read_alone(struct options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "explain", required_argument, NULL, EXPLAIN },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv,
	    "46c:d:D:E:fgL:m:M:n:p:sS:t:T:u:U:vVX:", long_options,
	    NULL)) != -1) {
		switch (option) {
		case EXPLAIN:
			options->explain_name = optarg;
			break;
		case '4':
			options->only_four = true;
			break;
		case '6':
			options->only_six = true;
			break;
		case 'c':
			options->config = optarg;
			break;
		case 'd':
			log_verbose = number(optarg, "-d", 99);
			break;
		case 'f':
			options->in_foreground = true;
			break;
		case 'g':
			options->in_foreground = options->to_console = true;
			break;
		case 'L':
			options->log_file = optarg;
			break;
		case 'D':	/* a word for ps(1) */
		case 'E':	/* an engine for signing */
		case 'm':	/* BIND's memory, threads and locks */
		case 'M':
		case 's':
		case 'S':
		case 'T':
		case 'U':
		case 'X':
			break;
		case 'n':
			options->processes = number(optarg, "-n",
			    PROCESSES_MAX);
			break;
		case 'p':
			options->port = number(optarg, "-p", 65535);
			break;
		case 't':
			options->chroot_directory = optarg;
			break;
		case 'u':
			options->user = optarg;
			break;
		case 'v':
			print_version(false);
			break;
		case 'V':
			print_version(true);
			break;
		default:
			usage();
		}
	}
	if (options->explain_name != NULL)
		options->explain_type = optind < argc ? argv[optind++] : "A";
	if (optind < argc || (options->only_four && options->only_six))
		usage();
}

void
options_open_log(const struct options *options)
{
	if (options->under_master)
		log_open_pipe(SERVICE_LOG_FD, options->log_tag);
	else
		console_resume();
}

/* What master gives: see service.h. We open our sockets ourselves, so that its are of no use. */
static void
read_from_master(struct options *options, int argc, char **argv)
{
	const char *overrides[OVERRIDES_MAX + 1] = { NULL };
	size_t count = 0;
	int option, sockets = 0;

	while ((option = getopt(argc, argv, "n:t:ucvDo:s:lz")) != -1) {
		if (option == 'v')
			log_verbose++;
		else if (option == 's')
			sockets = atoi(optarg);
		else if (option == 'o' && count < OVERRIDES_MAX)
			overrides[count++] = optarg;
	}
	supervision_leave();	/* that is master's business */
	fcntl(SERVICE_LOG_FD, F_SETFD, FD_CLOEXEC);
	fcntl(SERVICE_LIFELINE_FD, F_SETFD, FD_CLOEXEC);
	for (int i = 0; i < sockets; i++)
		close(SERVICE_FIRST_SOCKET + i);
	options->under_master = options->in_foreground = true;
	log_open_pipe(SERVICE_LOG_FD, "postroad/named-lite");
	if (config_load(NULL, overrides) == -1)
		fatal("the configuration has errors, see above; "
		    "postroad check shows them too");
	options->log_tag = mem_printf("%s/named-lite", config.syslog_name);
	options_open_log(options);
	options->config = config.named_config_file;
	if (*config.named_user != '\0')
		options->user = config.named_user;
}

/* Master's command line begins with -n NAME -t TYPE. */
static bool
is_from_master(int argc, char **argv)
{
	static const char *const types[] = { "inet", "unix", "fifo", "pass" };

	if (argc < 5 || strcmp(argv[1], "-n") != 0 ||
	    strcmp(argv[3], "-t") != 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(argv[4], types[i]) == 0)
			return true;
	return false;
}

static void
enter_chroot(const struct options *options)
{
	if (options->chroot_directory == NULL)
		return;
	tzset();
	if (chroot(options->chroot_directory) == -1 || chdir("/") == -1)
		fatal("cannot make %s the root directory: %m",
		    options->chroot_directory);
}

void
options_read(struct options *options, int argc, char **argv)
{
	*options = (struct options) {
		.config = mem_printf("%s/named.conf", named_directory),
		.processes = count_cores(),
	};
	fatal_exit_code = EXIT_FAILURE;
	log_open_stderr("named-lite");
	if (is_from_master(argc, argv)) {
		read_from_master(options, argc, argv);
		return;
	}
	read_alone(options, argc, argv);
	supervision_tell("STATUS=loading zones");	/* while the socket can be seen */
	if (options->explain_name != NULL) {
		enter_chroot(options);
		return;
	}
	if (options->log_file != NULL)
		console_open_file(options->log_file);
	else if (options->to_console)
		console_open();
	else
		console_open_syslog();
	enter_chroot(options);
	if (!options->in_foreground)
		console_detach();
}
