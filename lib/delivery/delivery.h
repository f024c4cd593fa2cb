/*
 * delivery - what qmgr asks of an agent, and what the agent reports
 *
 * An agent decodes a request, delivers, calls delivery_report() once for
 * each recipient, which also writes the log line, and sends back
 * delivery_encode_reply(). A recipient that it forgot counts as deferred.
 * With ENVELOPE_VERIFY it delivers nothing, and reports what it would do.
 */

#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/pool.h"
#include "base/text.h"
#include "ipc/ipc.h"
#include "message/envelope.h"

enum delivery_status { DELIVERY_DEFERRED, DELIVERY_SENT, DELIVERY_BOUNCED };

/* How a recipient that is sent was served (RFC 3464 section 2.3.3). */
enum delivery_action {
	ACTION_DELIVERED,	/* into a mailbox, or by an agent that knows no more */
	ACTION_RELAYED,		/* to a host that will not report success */
	ACTION_EXPANDED,	/* to all that an alias means */
	ACTION_PASSED_ON,	/* to a host that now owes the report of success */
};

/*
 * Kinds of the notice message to bounce(8). TRACE and VERIFY are the reports
 * for an envelope with ENVELOPE_TRACE and ENVELOPE_VERIFY; they and SUCCESS
 * go to the trace service, and tell of all results.
 */
enum notice_kind { NOTICE_FAILURE = 1, NOTICE_DELAY, NOTICE_SUCCESS,
    NOTICE_TRACE, NOTICE_VERIFY };

/* Flags of a notice. */
enum {
	NOTICE_EXPIRED	= 1 << 0,	/* what was deferred is returned now, too */
	NOTICE_AGAIN	= 1 << 1,	/* perhaps it was sent before a stop */
};

#define DELIVERY_STRING	const char *
#define DELIVERY_INT	int64_t

struct delivery_result {
	int64_t	number;			/* of the recipient, as in its envelope */
#define RESULT(letter, type, field)	DELIVERY_##type field;
#include "delivery/results.def"
#undef RESULT
};

struct delivery_request {
	struct pool	*pool;
	const char	*transport;
	const char	*nexthop;
	bool		 perhaps_delivered;	/* somebody who died had it: look before you deliver */
	struct envelope	*envelope;		/* with the recipients of this request only */
	const char	*content;		/* LF line ends; mapped or in the packet */
	size_t		 content_length;

	/* For the log's delays= */
	int64_t		 active_us;		/* qmgr took it up */
	int64_t		 started_us;		/* the agent got it */
	int64_t		 connected_us;		/* set by the agent when it can begin to transmit; 0: at once */
	enum delivery_action action;		/* set by the agent before it reports a success; for all reports from then on */
	unsigned	 conn_use;		/* set by the agent: deliveries over this connection, this one included */

	bool		 alone;			/* set by the agent: a process of its own did it, so each more is one more at a time */
	bool		 unreachable;		/* set by the agent: nobody there spoke with it, so the next message fares no better */

	struct ipc_packet packet;		/* owns what the strings borrow */
	struct text	 results;
	bool		*reported;		/* one for each recipient */
	void		*mapping;
	size_t		 mapping_length;
};

/*
 * Take a deliver packet (whose contents move into the request). NULL if it is
 * not one; the reason is logged. Released with delivery_request_free().
 */
struct delivery_request *delivery_request_decode(struct ipc_packet *packet);
void	delivery_request_free(struct delivery_request **request);

/*
 * The outcome for one recipient of the request, once each. dsn is the
 * enhanced status code; its class is made to fit the status. relay as the log has it.
 */
void	delivery_report(struct delivery_request *request,
	    const struct recipient *recipient, enum delivery_status status,
	    const char *dsn, const char *relay, const char *format, ...)
	    __attribute__((format(printf, 6, 7)));

/* A line of the log for one member of what the recipient stands for: the report says what became of all. */
void	delivery_log_member(const struct delivery_request *request,
	    const struct recipient *recipient, enum delivery_status status,
	    const char *dsn, const char *relay, const char *text);

/* The same when a remote host said so: remote_mta and its reply go into the notice. */
void	delivery_report_remote(struct delivery_request *request,
	    const struct recipient *recipient, enum delivery_status status,
	    const char *dsn, const char *relay, const char *remote_mta,
	    const char *diagnostic, const char *text);

/* The packet for qmgr; recipients without a report are deferred, with a log line. */
void	delivery_encode_reply(struct delivery_request *request,
	    struct ipc_packet *reply);

/* Results as text, for bounce and back. Decoded strings live in pool; NULL with errno. */
void	delivery_result_encode(struct text *text,
	    const struct delivery_result *result);
struct delivery_result *delivery_results_decode(struct pool *pool,
	    const char *bytes, size_t length, size_t *count);

/* "sent", "bounced", "deferred" */
const char *delivery_status_name(enum delivery_status status);

/* Seconds as Postfix logs them: two significant digits below ten, "0.04", "1.2", "35". */
const char *delivery_delay(char room[24], int64_t us);

#endif
