/* What the files of anvil share. */

#ifndef ANVIL_ANVIL_H
#define ANVIL_ANVIL_H

#include "ipc/channel.h"

/* clients.c: add what one process saw of a client; counted is what all have. */
void	clients_count(struct ipc_channel *from, const struct ipc_count *count,
	    struct ipc_counted *counted);

/* The process at the other end is gone, and its sessions with it. */
void	clients_forget(struct ipc_channel *from);

/* Release the clients that have no session, and whose rates are over. */
void	clients_expire(void);

/* statistics.c: the highest of each kind since the last report, for the log. */
enum peak { PEAK_CONNECTION_RATE, PEAK_CONNECTIONS, PEAK_MESSAGE_RATE,
    PEAK_RECIPIENT_RATE, PEAK_COUNT };

void	statistics_note(enum peak peak, int64_t value, const char *client);
void	statistics_note_size(size_t clients);
void	statistics_report(void);

#endif
