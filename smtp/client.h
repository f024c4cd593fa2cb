/*
 * client - what the files of smtp/ share
 *
 * A job is one request of qmgr: a message for some recipients at one nexthop.
 * A route is where a nexthop leads: hosts and their addresses. A session is
 * a connection to one of them. A job has at most one session and a session
 * at most one job; whichever ends first clears the other's pointer.
 *
 *   1  Every recipient of a job gets one result, and then no other.
 *   2  From the final dot until its answer the outcome is in doubt: if the
 *      line breaks there, the recipients are deferred and no other host is
 *      tried with them in this round.
 *   3  What this process sent, neither it nor the one that takes its place
 *      sends again for a qmgr that died before it heard of it.
 *   4  A session that ended is not touched again: whatever may end it says so
 *      in its contract, and its caller returns at once.
 */

#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/base.h"
#include "delivery/delivery.h"
#include "message/dot.h"
#include "resolve/resolve.h"
#include "smtp/reply.h"

/* Why something did not work: an enhanced status code, and words for the log and the notice. */
struct failure {
	char	 dsn[SMTP_STATUS_SIZE];	/* "" if nothing failed yet */
	char	*text;
	char	*diagnostic;		/* the remote host's own reply; NULL if it said nothing */
};

void	failure_set(struct failure *failure, const char *dsn,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));
void	failure_copy(struct failure *to, const struct failure *from);
void	failure_clear(struct failure *failure);

/* nexthop.c: where a message is to go, as transport_maps and relayhost say it. */

struct nexthop {
	char			host[256];	/* without brackets */
	bool			wants_mx;	/* no brackets: ask for its mail exchangers */
	bool			is_address;
	union resolve_address	address;
	in_port_t		port;		/* host order */
};

/* Read "domain", "[host]", "host:port", "[host]:port", "[address]". 0, or -1 with *why. */
int	nexthop_parse(const char *text, in_port_t default_port,
	    struct nexthop *nexthop, const char **why);

/* A port by number or by one of the names that mail uses; 0 if it is neither. */
in_port_t nexthop_port(const char *text);

/* An address in text, also as "IPv6:..."; false if it is none. */
bool	nexthop_address(const char *text, union resolve_address *address);

/* route.c: where a nexthop leads. */

struct target {
	const char		*host;
	union resolve_address	 address;	/* with its port */
	unsigned		 preference;
	bool			 is_best;	/* none is preferred to it */
};

struct route {
	size_t		 count;		/* 0: see why */
	struct target	*targets;	/* by preference */
	struct failure	 why;
	bool		 has_self;	/* this host is one of its mail exchangers */
};

/* Who waits for a route; embedded, and kept until done() was called. */
struct route_waiter {
	STAILQ_ENTRY(route_waiter) link;
	void	(*done)(const struct route *route, void *argument);
	void	*argument;
};

/* Before the sandbox closes: reads resolv.conf and /etc/hosts. */
void	route_start(void);

/* Ask for a route. done() is called once, perhaps before this returns. */
void	route_ask(const struct nexthop *nexthop, struct route_waiter *waiter);

/*
 * The addresses to try, in their order: equals shuffled, families as
 * smtp_address_preference says, at most smtp_mx_address_limit. In pool;
 * the count, 0 past the pool's limit.
 */
size_t	route_choose(const struct route *route, struct pool *pool,
	    struct target **targets);

/* job.c: one request, from its packet to its report. */

enum mark {
	MARK_WAITING,
	MARK_ACCEPTED,	/* by RCPT, in the transaction that is under way */
	MARK_KEPT,	/* not now, not here: the next host may take it */
	MARK_DONE,	/* has its result */
};

struct job {
	TAILQ_ENTRY(job)	 link;
	struct ipc_channel	*channel;	/* NULL: qmgr went away */
	struct delivery_request	*request;
	unsigned char		*marks;		/* enum mark, one a recipient */
	size_t			 left;		/* recipients that are not done */
	const char		*sender;	/* as it goes out; recipients: generic_recipient() */
	const char		**recipients;	/* NULL: as they are in the envelope */
	const char		*content;	/* the request's, or changed */
	size_t			 content_length;
	char			*changed;	/* by smtp_generic_maps */
	struct generic		*generic;	/* while these are asked */
	int64_t			 wire_size;	/* of the content, with CRLF */
	char			*sites;		/* the rest of the list of nexthops, fallbacks last */
	const char		*fallbacks;	/* where in it they begin */
	int			 site_number;	/* 1 is the first */
	bool			 on_fallback;
	struct route_waiter	 waiter;
	struct target		*targets;
	size_t			 target_count, next_target;
	int			 sessions;	/* with this site, that were greeted */
	struct session		*session;
	struct destination	*destination;
	struct failure		 why;		/* the latest */
	bool			 is_held;	/* until an orphan or a predecessor knows what became of the same message */
	bool			 is_announced;	/* our successor knows that it is in doubt */
};

void	job_start(struct ipc_channel *channel, struct ipc_packet *packet);

/* Its session ended, or never began: try the next host, or report. Takes the job. */
void	job_go_on(struct job *job);

/* Is there another host to try, should this session fail? */
bool	job_has_more(const struct job *job);

/* qmgr closed this channel: nobody wants these reports. */
void	job_orphan(const struct ipc_channel *channel);

/* Leaving: tell our successor of what is in doubt. */
void	jobs_announce(void);

/* Some doubt was settled: jobs that were held for it begin. */
void	job_release_held(void);

size_t	job_count(void);

/* outcome.c: what becomes of the recipients. Each logs, and reports or keeps. */

/* The reply to RCPT refused this recipient. */
void	outcome_refused(struct job *job, size_t place);

/*
 * All recipients that are neither done nor kept share the fate in job->why:
 * kept for the next host if that may help, else reported. final: not kept.
 */
void	outcome_rest(struct job *job, bool final);

/* The answer to the final dot was good. */
void	outcome_sent(struct job *job);

/* The answer to RCPT was good, and that is all that was to be found out. */
void	outcome_deliverable(struct job *job, size_t place);

/* The reply that came becomes job->why: "host h[a] said: 450 ... (in reply to RCPT TO command)". */
void	outcome_said(struct job *job);

/* generic.c: smtp_generic_maps, for the addresses of a job. */

void	generic_start(void);		/* before the sandbox closes */

/* There are such tables, and they were not asked yet. */
bool	generic_is_wanted(const struct job *job);

/* Ask them. done is called once, perhaps before this returns; not worked: job->why says why. */
typedef void generic_done(struct job *job, bool worked);
void	generic_rewrite(struct job *job, generic_done *done);

/* An address as it goes out, in its place. -1: nobody knows. */
int	generic_address(struct text *address);

/* explain.c: tell postroad explain what would be done. Gives the exit code. */
int	explain(int argc, char **argv);

/* The address of a recipient as it goes out. */
const char *generic_recipient(const struct job *job, size_t place);

/* recall.c: what was sent lately. */

struct sent {
	const char	*key;		/* message and recipient */
	const char	*dsn, *relay, *host, *text;
	enum delivery_action action;
};

void	recall_add(const struct sent *sent);

/* This recipient of the job was sent, by its session. */
void	recall_note(const struct job *job, size_t place, const char *dsn,
	    const char *text);

/* Report recipients that were sent before, from memory. */
void	recall_report(struct job *job);

/* succession.c: what a process that leaves tells the one that takes its place. */

/* Leaving: this job is in doubt. Say what was sent of it, and that it is over, later. */
void	succession_announce(struct job *job);
void	succession_sent(const struct sent *sent);
void	succession_settle(const struct job *job);

/* A predecessor speaks, or has no more to say. False: that was not for here. */
bool	succession_packet(struct ipc_channel *channel,
	    struct ipc_packet *packet);
void	succession_closed(const struct ipc_channel *channel);

/* Does a predecessor have this message in doubt? */
bool	succession_has_doubt(const char *queue_id);

/* session.c: a connection. */

enum stage {
	STAGE_CONNECT, STAGE_GREETING, STAGE_EHLO, STAGE_HELO, STAGE_RSET,
	STAGE_XFORWARD, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_BODY, STAGE_DOT, STAGE_IDLE,
	STAGE_QUIT,
};

enum {			/* what the server offers */
	OFFERS_PIPELINING	= 1 << 0,
	OFFERS_SIZE		= 1 << 1,
	OFFERS_8BITMIME		= 1 << 2,
	OFFERS_DSN		= 1 << 3,
	OFFERS_SMTPUTF8		= 1 << 4,
};

/* content.c: the message on its way to the wire. */
struct content {
	const char	 *next, *end;
	size_t		  in_line;	/* bytes of the line so far */
	bool		  finished;	/* the final dot was written */
	struct dot_writer writer;
};

void	content_start(struct content *content, const char *bytes,
	    size_t length);

/* Append the next piece, some 32 KiB: lines cut at smtp_line_length_limit, dots stuffed, CRLF; at the end the dot. */
void	content_write(struct content *content, struct text *out);

/* Bytes on the wire, before dots are stuffed. */
int64_t	content_wire_size(const char *bytes, size_t length);

struct session {
	LIST_ENTRY(session)	 idle;		/* while it is a destination's */
	struct destination	*destination;	/* while idle */
	struct job		*job;
	int			 fd;
	enum stage		 stage;		/* whose reply is awaited */
	struct event		 readable, writable, deadline;
	struct text		 out;		/* not yet sent */
	struct smtp_reply	 reply;
	struct transcript	*transcript;	/* for the postmaster, or NULL */
	bool			 is_odd;	/* a reply said that somebody broke the protocol */
	bool			 deaf;		/* he no longer takes what we send */
	bool			 closing;	/* he said 421 */

	char			*host;		/* name */
	char			*peer;		/* name[address] */
	char			*relay;		/* name[address]:port */
	bool			 is_best;
	bool			 is_first_site;
	bool			 is_debugged;	/* in debug_peer_list */
	bool			 expects_loop;	/* its name may turn out to be ours */
	unsigned		 offers;
	int64_t			 size_limit;	/* 0: none */
	unsigned		 xforward;	/* what he wants to know by XFORWARD: xforward.c */
	int64_t			 opened_ms;
	unsigned		 uses;

	/* The transaction. */
	int			 xforward_next;	/* the XFORWARD command to be said next */
	int			 xforward_awaited; /* replies to it */
	size_t			 next_rcpt;	/* the recipient whose reply is awaited */
	size_t			 skip;		/* replies that no longer matter */
	size_t			 accepted;
	struct content		 content;
	struct text		 shaped;	/* the content, if it does not go as it came */
	bool			 is_shaped;
};

/* Before the sandbox closes: opens the tables of debug_peer_list. */
void	sessions_start(void);

/* Connect for this job. NULL if that failed at once: job->why says why. */
struct session *session_open(struct job *job, const struct target *target);

/* An idle session takes up a job. Either may be gone when this returns. */
void	session_take(struct session *session, struct job *job);

/* Close it, whatever it was at; its job is not told. Clears *session. */
void	session_end(struct session **session);

/* Say goodbye. Takes the session, which has no job any more. */
void	session_quit(struct session *session);

/* For dialogue.c. */
void	session_enter(struct session *session, enum stage stage);
void	session_say(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
void	session_flush(struct session *session);

/* The job is told that this session is of no use: "lost connection with %s while %s". Ends the session. */
void	session_broken(struct session *session, const char *dsn,
	    const char *format);

/* trouble.c: what the postmaster wants to hear of (notify_classes = protocol). */
void	trouble_said(struct session *session);		/* what is in out, not yet sent */
void	trouble_heard(struct session *session, int code, const char *text);
void	trouble_end(struct session *session);

/* reword.c: smtp_reply_filter. False if what is left is no reply. */
void	reword_start(void);		/* before the sandbox closes */

/* shape.c: the content as this host is to get it, in session->shaped unless it stays as it is. False: a table cannot be read. */
void	shape_start(void);		/* before the sandbox closes */
bool	shape_content(struct session *session);

bool	reword_reply(const struct session *session, struct smtp_reply *reply);

/* dialogue.c: what is said, and what replies mean. */

struct stage_fact {
	const char	*name;
	const char	*doing;		/* "while sending MAIL FROM" */
	const char	*in_reply_to;	/* NULL: before there is a transaction */
	const int	*limit;		/* seconds */
	bool		(*replied)(struct session *session);	/* false: the session ended */
};

extern const struct stage_fact stage_facts[];

/* The session is ready and has a job: begin its transaction. False: it took no more than a look, and both may be gone. */
bool	dialogue_begin(struct session *session);

/* offers.c: what he offers, as the reply to EHLO that came says; or nothing, after HELO. */
void	offers_note(struct session *session);
void	offers_forget(struct session *session);

/* xforward.c: who the client was. */

/* The words behind XFORWARD in the reply to EHLO. */
void	xforward_note_offer(struct session *session, const char *words,
	    size_t length);

/* A transaction begins: say the next command of it. False: there is no more to say. */
void	xforward_begin(struct session *session);
bool	xforward_say_next(struct session *session);

/* idle.c: who else goes there, and connections that may be used again. */

struct destination {
	char			*key;
	size_t			 jobs;
	bool			 is_always_kept;
	LIST_HEAD(, session)	 idle;
};

/* Before the sandbox closes: opens the tables of smtp_connection_cache_destinations. */
void	destinations_start(void);

struct destination *destination_join(const char *nexthop);
void	destination_leave(struct destination **destination);

/* Take an idle session; NULL if there is none. */
struct session *destination_take(struct destination *destination);

/* Keep the session, which has no job, until somebody takes it. Ends it later by itself. */
void	destination_keep(struct destination *destination,
	    struct session *session);

/* An idle session goes. */
void	destination_drop(struct session *session);

/* Does it pay to keep this session? */
bool	destination_wants(const struct destination *destination,
	    const struct session *session);

/* Say goodbye to every idle session; to one, if descriptors are scarce. */
void	destinations_close_idle(bool only_one);

/* smtp_tcp_port, looked up. */
extern in_port_t smtp_port;

#endif
