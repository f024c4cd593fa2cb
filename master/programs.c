/* The daemons that master knows: lib/service/programs.def. */

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "master/master.h"

enum { STREAM = false, PACKET = true, WORKER = false, EVENTS = true,
    ON_DEMAND = false, RESIDENT = true, HALF = PROCESSES_HALF,
    CORES = PROCESSES_CORES };

#define PROGRAM(program, socket, kind, processes, start) \
	{ program, socket, kind, processes, start },
static const struct program programs[] = {
#include "service/programs.def"
};
#undef PROGRAM

struct program
program_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(programs); i++)
		if (strcmp(programs[i].name, name) == 0)
			return programs[i];
	return (struct program){ .name = name, .processes = PROCESSES_ANY };
}

/* How many processes a service may have: what its program can use, and no more than master.cf allows. */
int
program_limit(const struct program *program, int master_cf_limit)
{
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int most = program->processes;

	if (cores < 1)
		cores = 1;
	if (master_cf_limit < 0)
		master_cf_limit = config.default_process_limit;
	if (master_cf_limit == 0)
		master_cf_limit = INT_MAX;
	if (most == PROCESSES_CORES)
		most = cores;
	else if (most == PROCESSES_HALF)
		most = (cores + 1) / 2;
	else if (most == PROCESSES_ANY)
		most = INT_MAX;
	return most < master_cf_limit ? most : master_cf_limit;
}
