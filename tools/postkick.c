/*
 * postkick - nudge a service: postkick public pickup W
 *
 * What Postfix's scripts say in letters, our services know as words: "" is
 * master's wake-up, "flush" is postqueue -f.
 */

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "tools/shared/command.h"

/*
 * Letters of Postfix's requests to its queue manager: F and A, alone or among
 * others, try all mail now; D looks for what is due, I for what is new, and W
 * wakes up, which is one and the same here.
 */
static const char *
word_of(const char *request)
{
	if (strspn(request, "ADFIW") != strlen(request))
		return request;
	return strpbrk(request, "FA") != NULL ? "flush" : "";
}

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	char path[100];
	int option;

	command_start("postkick");
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "c:v")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'v':
			log_verbose++;
			break;
		default:
			optind = argc + 1;
			break;
		}
	}
	if (optind + 3 != argc || (strcmp(argv[optind], "public") != 0 &&
	    strcmp(argv[optind], "private") != 0) ||
	    strchr(argv[optind + 1], '/') != NULL)
		fatal("usage: postkick [-c config_dir] [-v] public|private "
		    "service request");
	command_configure(directory);
	command_enter_queue();
	snprintf(path, sizeof(path), "%s/%.80s", argv[optind],
	    argv[optind + 1]);
	if (ipc_nudge(path, word_of(argv[optind + 2])) == -1)
		fatal("reach the %s service: %m", argv[optind + 1]);
	return 0;
}
