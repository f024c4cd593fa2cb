/*
 * channel - ipc for event-driven daemons: packets as callbacks, never a wait
 *
 * A channel is one connection. A client is a standing connection to one
 * service that matches replies to requests and connects again when the
 * service was restarted.
 */

#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "ipc/ipc.h"

struct event_base;
struct ipc_channel;
struct ipc_client;

/* A packet came. The callback may take its fd, and may free the channel. */
typedef void ipc_packet_callback(struct ipc_channel *channel,
    struct ipc_packet *packet, void *context);

/* The peer went away, or broke the protocol (already logged). The callback frees the channel. */
typedef void ipc_closed_callback(struct ipc_channel *channel, void *context);

/* Watch fd, which the channel takes. Released with ipc_channel_free(). */
struct ipc_channel *ipc_channel_new(struct event_base *base, int *fd,
	    ipc_packet_callback *on_packet, ipc_closed_callback *on_closed,
	    void *context);

/* Close it and forget what was not yet sent. Clears *channel; NULL is fine. */
void	ipc_channel_free(struct ipc_channel **channel);

/* Send packet, now or when there is room. Takes its contents. */
void	ipc_channel_send(struct ipc_channel *channel, struct ipc_packet *packet);

/* Answer a request that wants to hear no more than that it was obeyed: 0, or an errno for one that makes no sense. */
void	ipc_channel_answer(struct ipc_channel *channel,
	    const struct ipc_packet *request, int error);

/* Packets that wait for room at the other end. */
size_t	ipc_channel_unsent(const struct ipc_channel *channel);

/* The other end has read all that was sent: somebody is there. */
bool	ipc_channel_is_read(const struct ipc_channel *channel);

/* Stop and start reading: back-pressure on the peer. */
void	ipc_channel_pause(struct ipc_channel *channel);
void	ipc_channel_resume(struct ipc_channel *channel);

/* Whose process is at the other end; -1 if that is not known. */
uid_t	ipc_channel_peer(const struct ipc_channel *channel);

/* The pointer that the owner gave to ipc_channel_new(). */
void	*ipc_channel_context(const struct ipc_channel *channel);

/* The answer; NULL if the service died before it gave one, or is not there. Called once for each request. */
typedef void ipc_reply_callback(struct ipc_packet *reply, void *context);

/* Keeps service. Connects at the first call. Released with ipc_client_free(). */
struct ipc_client *ipc_client_new(struct event_base *base, const char *service);
void	ipc_client_free(struct ipc_client **client);

/*
 * Send a request (its request number is set here; takes its contents).
 * on_reply is never called from inside this call. Gives a number for ipc_client_cancel().
 */
uint64_t ipc_client_call(struct ipc_client *client, struct ipc_packet *packet,
	    ipc_reply_callback *on_reply, void *context);

/* The owner of this request is gone: its answer will be dropped. 0 and unknown numbers are fine. */
void	ipc_client_cancel(struct ipc_client *client, uint64_t number);

#endif
