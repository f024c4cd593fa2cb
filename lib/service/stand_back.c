/* stand_back - who works for nobody that waits gives way to those who do */

#include "service/service.h"

#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Beside one who has not stepped back, such a process gets a tenth of a
 * processor, and that in long turns: who has a shorter turn interrupts it at
 * once. By the share alone it would first end the turn that it has begun,
 * which may take as long as all the rest of a message's way.
 */
enum { BACK_NICE = 10, BACK_TURN_NS = 100000000 };

void
service_stand_back(void)
{
	struct sched_attr turn = {
		.size = sizeof(turn),
		.sched_nice = BACK_NICE,
		.sched_runtime = BACK_TURN_NS,
	};

	/* A kernel that knows of no turns takes the share all the same. */
	if (syscall(SYS_sched_setattr, 0, &turn, 0) == -1)
		setpriority(PRIO_PROCESS, 0, BACK_NICE);
}
