#include "named-lite/counters.h"

#include <sys/mman.h>

#include <stdatomic.h>
#include <string.h>

#include "base/base.h"

static struct {
	unsigned processes;
	_Atomic unsigned most_clients;
	struct counters of[];
} *shared;

struct counters *counters;

void
counters_share(unsigned processes)
{
	shared = mmap(NULL, sizeof(*shared) + processes * sizeof(shared->of[0]),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fatal("no memory: %m");
	shared->processes = processes;
	counters = &shared->of[0];
}

void
counters_begin(unsigned number)
{
	counters = &shared->of[number];
	counters->tcp_clients = 0;	/* whoever had the place before has left his clients */
}

struct counters
counters_sum(void)
{
	struct counters sum;
	uint64_t *to = (uint64_t *)&sum;

	memset(&sum, 0, sizeof(sum));
	for (unsigned i = 0; i < shared->processes; i++) {
		const uint64_t *from = (const uint64_t *)&shared->of[i];

		for (size_t n = 0; n < sizeof(sum) / sizeof(*to); n++)
			to[n] += from[n];
	}
	return sum;
}

void
counters_note_client(int change)
{
	unsigned now, most = atomic_load(&shared->most_clients);

	counters->tcp_clients += change;
	counters->connections += change > 0;
	if (change < 0)
		return;
	now = counters_sum().tcp_clients;
	while (now > most && !atomic_compare_exchange_weak(
	    &shared->most_clients, &most, now))
		continue;
}

unsigned
counters_most_clients(void)
{
	return atomic_load(&shared->most_clients);
}

unsigned
counters_processes(void)
{
	return shared->processes;
}
