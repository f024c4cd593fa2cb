/* stand_back - who is waited for less gives way to those who are waited for more */

#include "service/service.h"

#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Beside one who has not stepped back, such a process gets a third of a
 * processor, or a tenth, and that in long turns: who has a shorter turn
 * interrupts it at once. By the share alone it would first end the turn that
 * it has begun, which may take as long as all the rest of a message's way.
 */
static const struct {
	int	 nice;
	uint64_t turn_ns;
} steps[] = {
	[SERVICE_FIRST]	 = {  0, 0 },
	[SERVICE_SECOND] = {  5, 20000000 },
	[SERVICE_LAST]	 = { 10, 100000000 },
};

void
service_stand_back(enum service_rank rank)
{
	struct sched_attr turn = {
		.size = sizeof(turn),
		.sched_nice = steps[rank].nice,
		.sched_runtime = steps[rank].turn_ns,
	};

	/* A kernel that knows of no turns takes the share all the same. */
	if (rank != SERVICE_FIRST &&
	    syscall(SYS_sched_setattr, 0, &turn, 0) == -1)
		setpriority(PRIO_PROCESS, 0, steps[rank].nice);
}
