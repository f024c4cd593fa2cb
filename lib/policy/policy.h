/*
 * policy - ask a policy service what becomes of a client's request
 *
 * Postfix's protocol: lines "name=value" and an empty one; back come
 * "action=..." and an empty line. Connections stay open for the next
 * question. Nobody waits: answers come from the event loop.
 *
 *	inet:host:port		the host is looked up by policy_open()
 *	unix:path		relative to the queue directory
 *
 * A path that a confined daemon cannot see is opened by proxymap(8), which
 * hands the connection over.
 *
 *   1  done is called once, never from inside policy_ask(), and never after
 *      policy_cancel().
 */

#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/text.h"

struct event_base;
struct policy_service;
struct policy_request;

struct policy_settings {
	int	timeout;	/* seconds for a connection, and for an answer */
	int	max_idle;	/* seconds a connection may wait for the next question */
	int	max_ttl;	/* seconds a connection may be used */
	int	request_limit;	/* questions a connection may serve; 0 is no limit */
	int	try_limit;	/* how often a question is tried */
	int	retry_delay;	/* seconds before the next try */
};

/* NULL with *why. Keeps base. Lives for ever. */
struct policy_service *policy_open(struct event_base *base,
	    const char *endpoint, const struct policy_settings *settings,
	    const char **why);

/* action is what the service said, or NULL when it could not be asked (logged). Borrowed. */
typedef void policy_done(const char *action, void *argument);

/* Takes the lines of attributes, without the empty one; each ends in a new line. Gives a request to cancel until done was called. */
struct policy_request *policy_ask(struct policy_service *service,
	    struct text *attributes, policy_done *done, void *argument);

/* Never mind. Clears *request; NULL is fine. */
void	policy_cancel(struct policy_request **request);

/* Append "name=value\n"; what would end the line is left out of the value. */
void	policy_attribute(struct text *attributes, const char *name,
	    const char *value);

#endif
