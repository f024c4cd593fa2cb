/*
 * far - questions of askers (asker.h) are carried to proxymap(8)
 *
 * A daemon with an event loop has service_ask_table(), or sends
 * table_question_encode() by an ipc_client of its own. A worker has far_ask() as the ask of its askers, waits for
 * far_fd() together with its other descriptors, and calls far_receive().
 */

#ifndef TABLE_FAR_H
#define TABLE_FAR_H

#include "ipc/ipc.h"
#include "table/asker.h"

void	table_question_encode(const struct table_question *question,
	    struct ipc_packet *packet);

/* Note what proxymap said; packet is NULL when it does not answer (logged). */
void	table_question_answered(struct table_question *question,
	    const struct ipc_packet *packet);

/* Ask for a worker. If proxymap is not there, the answer is noted at once. */
void	far_ask(struct table_question *question, void *unused);

/* Readable when there are answers; -1: nobody waits for one. */
int	far_fd(void);

/* Note the answers that are there. If proxymap is gone, all that is awaited is TABLE_ERROR. */
void	far_receive(void);

/* The asker's questions are of no interest any more: before table_asker_clear(). */
void	far_forget(const struct table_asker *asker);

#endif
