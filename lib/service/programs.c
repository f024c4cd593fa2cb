#include "service/programs.h"

#include <string.h>
#include <unistd.h>

#include "base/base.h"

static const struct program programs[] = {
#define STREAM		PROGRAM_STREAM
#define PACKET		PROGRAM_PACKET
#define EVENTS		PROGRAM_EVENTS
#define WORKER		PROGRAM_WORKER
#define HALF		PROGRAM_HALF
#define CORES		PROGRAM_CORES
#define RESIDENT	false
#define ON_DEMAND	true
#define PROGRAM(name, socket, kind, processes, start)	\
	{ name, socket, kind, processes, start },
#include "service/programs.def"
};

const struct program *
program_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(programs); i++) {
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	}
	return NULL;
}

int
program_processes(const struct program *program, int limit)
{
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int processes = program->processes;

	if (processes == PROGRAM_CORES)
		processes = cores;
	else if (processes == PROGRAM_HALF)
		processes = (cores + 1) / 2;
	if (processes < 1)
		processes = 1;
	return limit > 0 && limit < processes ? limit : processes;
}
