/*
 * session.h - a connection, and all that is known of it
 *
 *   1  A session ends in session.c alone, when nothing of it is on the stack:
 *      others say session_finish(). What was asked for it is cancelled, and its
 *      events are gone, before its memory goes.
 *   2  While it is busy it reads nothing: what the client says meanwhile waits,
 *      until session_go_on(), which may end it: who calls that returns at once.
 */

#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <netinet/in.h>
#include <sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "base/base.h"
#include "resolve/resolve.h"

struct session;

enum session_state {
	CONNECTED	= 1 << 0,	/* no HELO yet */
	GREETED		= 1 << 1,
	IN_MAIL		= 1 << 2,	/* a sender, no recipient yet */
	IN_RCPT		= 1 << 3,
	IN_DATA		= 1 << 4,	/* what comes is content, up to the dot */
	IN_CHUNK	= 1 << 5,	/* content of known length */
	BETWEEN_CHUNKS	= 1 << 6,	/* BDAT began; another, or RSET */
	ANY		= (1 << 7) - 1,
};

enum verb {
	HELO, EHLO, XCLIENT, XFORWARD, STARTTLS, AUTH, MAIL, RCPT, DATA, BDAT,
	RSET, NOOP, VRFY, ETRN, QUIT, HELP, UNKNOWN, VERB_COUNT
};

enum limit { LIMIT_SESSIONS, LIMIT_CONNECTS, LIMIT_MESSAGES, LIMIT_RECIPIENTS };

/* Called when tables have answered. */
typedef void tables_done(struct session *session);

/* Called once, now or later; beyond the limit the client has its reply. */
typedef void limit_done(struct session *session, bool is_within);

/*
 * One connection. An idle one costs this, its event in the loop, and the
 * kernel's buffers: input, output and transaction hold nothing then.
 */
struct session {
	TAILQ_ENTRY(session) link;
	struct event	 event;		/* what is waited for: see session.c */
	short		 watched;	/* EV_READ, EV_WRITE, EV_TIMEOUT or 0 */
	int		 fd;
	int		 out;		/* where replies go: fd, but for a user on standard input */
	enum session_state state;
	bool		 busy;		/* waits for an answer; input waits with it */
	bool		 pausing;	/* made to wait for its errors */
	bool		 ending;
	bool		 esmtp;
	bool		 awaits_proxy;	/* the load balancer's header comes first */
	bool		 skipping;	/* an endless line: read past it */
	bool		 pipelined_badly;
	bool		 reverse_is_uncertain;	/* nobody knew just now */
	bool		 name_is_uncertain;
	enum verb	 verb;		/* the command at hand */
	const char	*where;		/* its name in the log */
	bool		 noted_bare_newline;
	/* client.c: what lists say of it. */
	bool		 is_exempt;	/* from limits: smtpd_client_event_limit_exceptions */
	bool		 is_traced;	/* debug_peer_list: its dialogue is logged */
	bool		 is_rewritten;	/* local_header_rewrite_clients: its mail is completed as if it came from here */
	bool		 refuses_bare_newline;	/* smtpd_forbid_bare_newline = reject, and it is no exception */
	bool		 may_xclient, may_xforward, may_xverp;
	bool		 was_xclient;	/* not offered again */
	bool		 is_screening;	/* must not speak yet: screen.c */
	bool		 is_refused;	/* at connect: nothing but QUIT helps */

	union resolve_address address;
	union resolve_address server;	/* where the client connected to; AF_UNSPEC: to this socket */
	const char	*peer;		/* "name[address]", owned */
	const char	*said_name;	/* session_start_as() */
	char		*client_name;	/* verified, or "unknown" */
	char		*reverse_name;	/* whether or not it leads back; NULL: none */
	char		 client_address[INET6_ADDRSTRLEN];
	char		*helo_name;	/* NULL before HELO */
	char		*forwarded_name, *forwarded_address, *forwarded_ident;
	struct resolve_query *lookup;
	char		*etrn_site;	/* while ETRN is at hand */
	uint64_t	 etrn_call;	/* the question to flush(8) */

	char		*limited_as;	/* its name in counts; NULL: nobody counts it */
	uint64_t	 limit_call;
	limit_done	*limit_done;
	enum limit	 limit_asked;
	uint32_t	 sessions_then;	/* of this client in this process, when it came */
	uint32_t	 untold_messages, untold_recipients;

	int64_t		 deadline_ms;	/* of the request or reply under way; 0: none yet */
	struct text	 input;		/* not yet a whole line */
	struct text	 output;	/* not yet sent */
	int64_t		 octets_to_skip;	/* of a chunk that was refused */
	int		 errors, junk;
	struct { uint16_t total, ok; } counts[VERB_COUNT];

	struct screening *screening;	/* while it is tested, or was refused: screen.h */
	struct transcript *transcript;		/* for the postmaster, or NULL */
	unsigned int trouble;			/* NOTIFY_... of the replies so far */
	const char	*aborted;		/* why it ended early, or NULL */

	struct transaction *transaction;	/* from MAIL to its end */
	struct evaluation *evaluation;		/* while checks are under way */
	struct asking	*asking;		/* what they ask the DNS or proxymap */
	struct delegation *delegation;		/* what they ask a policy service */
	struct map	*told;			/* what they were told */
	struct far_tables *far_tables;		/* what tables told */
	struct text	 unsaid;		/* refusals whose words a table must tell first, a NUL behind each */
	char		*owed[3];		/* defer_if_permit of client, HELO, sender */
};

/* A client, come from peer. Takes fd. */
void	session_start(int fd, const struct sockaddr_storage *peer);

/* The same for one of which it is said who it is, and where it came; name NULL: it is looked up. Keeps name. For explain.c. */
struct session *session_start_as(int fd,
	    const union resolve_address *address,
	    const union resolve_address *server, const char *name);

/* A user of this host: takes both. */
void	session_start_alone(int in, int out);

bool	session_any(void);

/* The process must end, or the service was reloaded. */
void	session_drain(void);

/*
 * Reply: text begins with its code; a 4xx or 5xx counts as an error of this
 * client, a 2xx as a success of its command. With soft_bounce 5xx becomes 4xx.
 */
void	session_reply(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* The same, but neither error nor success. */
void	session_say(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* A line of the dialogue, for clients whose trouble is being looked at. */
void	session_trace(const struct session *session, char direction,
	    const char *line, size_t length);

/* input.c: bytes that came, behind those that had to wait. True if some of them could be used now. */
bool	session_feed(struct session *session, const char *bytes,
	    size_t length);

/* It is known whose session it is: find his name, and greet him. */
void	session_greet(struct session *session);

/* It is tested no more: it has as much time as others. */
void	session_has_passed(struct session *session);

/* Close once what was said is sent. */
void	session_finish(struct session *session);

/* The answer that a busy session waited for has come and was acted upon: read on. */
void	session_go_on(struct session *session);

void	session_enter(struct session *session, enum session_state next,
	    const char *cause);

#endif
