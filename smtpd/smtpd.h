/* What the files of smtpd share. */

#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include <event2/event_struct.h>

#include "base/base.h"
#include "ipc/channel.h"
#include "message/envelope.h"
#include "message/dot.h"
#include "resolve/resolve.h"
#include "smtp/smtp.h"

struct session;

/* Open what only a privileged process can open: tables, resolver. */
void	smtpd_start(void);

extern struct resolver *smtpd_resolver;
extern struct ipc_client *smtpd_cleanup, *smtpd_rewrite;

/* Is the client one of smtpd_client_event_limit_exceptions, or of mynetworks? */
bool	smtpd_is_exempt(const struct session *session);

/* smtpd_forbid_bare_newline = reject, and this client is no exception. */
bool	smtpd_refuses_bare_newline(const struct session *session);

/* Is it in debug_peer_list? */
bool	smtpd_is_traced(const struct session *session);

/* *failed: nobody knows, a table did not answer. */
bool	smtpd_is_mynetworks(const struct session *session, bool *failed);

/* ------------------------------------------------------------ a session */

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
	HELO, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, BDAT, RSET, NOOP, VRFY,
	ETRN, QUIT, HELP, UNKNOWN, VERB_COUNT
};

/*
 * One connection. An idle one costs this, its event in the loop, and the
 * kernel's buffers: input, output and transaction hold nothing then.
 */
struct session {
	TAILQ_ENTRY(session) link;
	struct event	 event;		/* what is waited for: see session.c */
	short		 watched;	/* EV_READ, EV_WRITE, EV_TIMEOUT or 0 */
	int		 fd;
	enum session_state state;
	bool		 busy;		/* waits for an answer; input waits with it */
	bool		 pausing;	/* made to wait for its errors */
	bool		 ending;
	bool		 esmtp;
	bool		 skipping;	/* an endless line: read past it */
	bool		 pipelined_badly;
	bool		 counted;	/* in the table of clients */
	bool		 has_reverse_name; /* whether or not that leads back */
	bool		 is_traced;	/* in debug_peer_list: its dialogue is logged */
	enum verb	 verb;		/* the command at hand */
	const char	*where;		/* its name in the log */
	const char	*refused;	/* 421 or 554 from now on: a reply, or NULL */

	union resolve_address address;
	const char	*peer;		/* "name[address]", owned */
	char		*client_name;	/* verified, or "unknown" */
	char		 client_address[INET6_ADDRSTRLEN];
	char		*helo_name;	/* NULL before HELO */
	struct resolve_query *lookup;
	char		*etrn_site;	/* while ETRN is at hand */
	uint64_t	 etrn_call;	/* the question to flush(8) */

	struct text	 input;		/* not yet a whole line */
	struct text	 output;	/* not yet sent */
	int64_t		 octets_to_skip;	/* of a chunk that was refused */
	int		 errors, junk;
	struct { uint16_t total, ok; } counts[VERB_COUNT];

	struct transaction *transaction;	/* from MAIL to its end */
	struct evaluation *evaluation;		/* while checks are under way */
};

/* A client: takes fd. */
void	session_start(int fd);
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

/* Close once what was said is sent. */
void	session_finish(struct session *session);

/* The answer that a busy session waited for has come and was acted upon: read on. */
void	session_go_on(struct session *session);

void	session_enter(struct session *session, enum session_state next,
	    const char *cause);

/* ------------------------------------------------------------ commands.c */

/* One line without its end; early is what the client said behind it without waiting for the reply. */
void	command_run(struct session *session, const char *line, size_t length,
	    const char *early, size_t early_length);
const char *verb_name(enum verb verb);

/* ------------------------------------------------------------ greet.c */

/* Find the client's name, then send the banner. */
void	greet_client(struct session *session);
void	greet_helo(struct session *session, const struct smtp_command *command);
void	greet_ehlo(struct session *session, const struct smtp_command *command);

/* ------------------------------------------------------------ transaction.c */

struct transaction {
	struct pool	*pool;
	struct envelope	*envelope;
	struct smtp_rcpt *rcpt;		/* the one that is being checked */
	int		 overshoot;	/* recipients beyond the limit */

	/* content.c */
	struct text	 content;	/* what is in memory */
	int		 file;		/* what is not; -1 */
	int64_t		 file_size;
	struct dot_reader reader;
	int64_t		 wire_bytes;
	int64_t		 chunk_left, chunk_size;
	bool		 chunk_is_last;
	bool		 is_bdat;
	const char	*failure;	/* the reply at the end, instead of acceptance */
	uint64_t	 call;		/* a question to cleanup that is not answered */

	/* submit.c */
	int64_t		 give_up_at_ms;
	int			 again_ms;	/* the last pause before it was handed over again */
	int64_t		 submitted_us;	/* handed over to cleanup, for the log */
	struct event	*again;
};

void	transaction_mail(struct session *session,
	    const struct smtp_command *command);
void	transaction_rcpt(struct session *session,
	    const struct smtp_command *command);
void	transaction_end(struct session *session);

/* ------------------------------------------------------------ content.c */

void	content_data(struct session *session,
	    const struct smtp_command *command);
void	content_bdat(struct session *session,
	    const struct smtp_command *command);

/* In IN_DATA and IN_CHUNK: gives the bytes read. */
size_t	content_read(struct session *session, const char *bytes,
	    size_t length);

/* ------------------------------------------------------------ submit.c */

/* The message is whole: hand it over, and reply when its fate is known. */
void	submit(struct session *session);

/* ------------------------------------------------------------ domain.c */

enum domain_state {
	DOMAIN_THERE,
	DOMAIN_NOT_FOUND,
	DOMAIN_NULL_MX,		/* it says that it takes no mail (RFC 7505) */
	DOMAIN_UNCERTAIN,	/* nobody knows just now */
};

struct domain_question;
typedef void domain_done(enum domain_state state, void *argument);

/* Ask the DNS; done is called once, later. */
struct domain_question *domain_ask(const char *domain, domain_done *done,
	    void *argument);

/* Never mind. Clears *question; NULL is fine. */
void	domain_forget(struct domain_question **question);

/* ------------------------------------------------------------ checks.c */

enum verdict { VERDICT_NONE, VERDICT_PERMIT, VERDICT_REJECT, VERDICT_WAIT };

enum stage {
	STAGE_CLIENT, STAGE_HELO, STAGE_SENDER, STAGE_RELAY, STAGE_RECIPIENT,
	STAGE_DATA, STAGE_END_OF_DATA, STAGE_ETRN, STAGE_UNLISTED_SENDER,
	STAGE_UNLISTED_RECIPIENT, STAGE_COUNT
};

struct check;
struct check_list;
struct table;

struct check_kind {
	const char	*name;
	unsigned	 needs;		/* NEEDS_..., REFUSES_RELAY */
	enum verdict	(*decide)(struct session *, const struct check *); /* NULL: not there yet */
};

enum {				/* without HELO, sender, recipient there is nothing to check */
	NEEDS_WORD		= 1 << 0,	/* an argument */
	NEEDS_TABLE		= 1 << 1,	/* an argument that names one */
	NEEDS_HELO		= 1 << 2,
	NEEDS_SENDER		= 1 << 3,
	NEEDS_SENDER_ROUTE	= 1 << 4,
	NEEDS_RECIPIENT		= 1 << 5,
	NEEDS_RECIPIENT_ROUTE	= 1 << 6,
	REFUSES_RELAY		= 1 << 7,	/* with this in the list strangers cannot relay */
};

struct check {
	const struct check_kind	*kind;		/* NULL: the list below */
	const struct check_list	*list;		/* a restriction class */
	struct table		*table;
	const char		*word;		/* as it was written */
	bool			 warn_only;	/* after warn_if_reject */
};

struct check_list {
	const char	*name;		/* the parameter, or the class */
	struct check	*checks;
	size_t		 count;
	bool		 is_safe;	/* can refuse to relay */
};

/* Compile all restriction parameters. */
void	checks_compile(void);
const struct check_kind *check_kind_find(const char *name);

/*
 * A list of restrictions. implied is the check that a lone "type:table"
 * stands for. Errors are logged, and are 451 when a client meets them.
 */
const struct check_list *check_list_compile(const char *name,
	    const char *words, const char *implied);

/* True if strangers cannot relay; else *why says what to add. */
bool	checks_are_safe(const char **why);

/* Called with PERMIT (nobody objected) or REJECT (the client has its reply). */
typedef void checks_done(struct session *session, enum verdict verdict);

/* Run the stages whose bit (1 << stage) is set; done is called now or later. */
void	checks_run(struct session *session, unsigned stages,
	    checks_done *done);
void	checks_cancel(struct session *session);

/* Go on with another list before the rest of this one (an access table said so). */
enum verdict checks_enter_list(struct session *session,
	    const struct check_list *list);

/* What a check may ask of the evaluation it is part of. */
const struct route *checks_sender_route(const struct session *session);
const struct route *checks_recipient_route(const struct session *session);

/* What the DNS says of a domain; false: asked, the check gives WAIT and is called again. */
bool	checks_domain(struct session *session, const char *domain,
	    enum domain_state *state);

/* What verify(8) says of an address, as verify_done has it; false: asked, the check gives WAIT and is called again. */
bool	checks_verify(struct session *session, const char *address,
	    int *status, const char **text);

/* Refuse: the reply is "code status text", the class of status made to fit. Gives REJECT, or NONE after warn_if_reject. */
enum verdict check_refuse(struct session *session, int code,
	    const char *status, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* The same for a mistake of the administrator's, which the log has. */
enum verdict check_misconfigured(struct session *session);

/* What the stage at hand is about, as replies name it: "<x>: Recipient address rejected". */
const char *check_subject(const struct session *session);
const char *check_subject_class(const struct session *session);

/* What is checked: "" when it is not known yet. */
const char *session_sender(const struct session *session);
const char *session_recipient(const struct session *session);

/* ------------------------------------------------------------ access.c */

enum verdict access_client(struct session *, const struct check *);
enum verdict access_helo(struct session *, const struct check *);
enum verdict access_sender(struct session *, const struct check *);
enum verdict access_recipient(struct session *, const struct check *);

/* ------------------------------------------------------------ listed.c */

void	listed_open(void);

/* Do our own probes and notices to the postmaster come from there? */
bool	listed_is_probe_sender(const char *address);
enum verdict listed_recipient(struct session *, const struct check *);
enum verdict listed_sender(struct session *, const struct check *);

/* ------------------------------------------------------------ verified.c */

struct verify_question;

/* Called once, later. status is of delivery/verify.h; -1: nobody can be asked. text is borrowed. */
typedef void verify_done(int status, const char *text, void *argument);

/* Ask verify(8), again and again while it finds out, as long as address_verify_poll_count says. */
struct verify_question *verify_ask(const char *address, verify_done *done,
	    void *argument);

/* Never mind. Clears *question; NULL is fine. */
void	verify_forget(struct verify_question **question);

enum verdict reject_unverified_sender(struct session *, const struct check *);
enum verdict reject_unverified_recipient(struct session *,
	    const struct check *);

/* ------------------------------------------------------------ etrn.c */

/* Try what waits for a site that can be reached now (RFC 1985). */
void	etrn(struct session *session, const struct smtp_command *command);
void	etrn_cancel(struct session *session);

/* ------------------------------------------------------------ route.c */

struct route {
	int	 error;			/* errno of the lookup; else 0 */
	int	 address_class;		/* CLASS_... of delivery/route.h */
	int	 flags;			/* ROUTE_... */
	bool	 is_known;		/* no list refused this address */
	char	*transport, *nexthop, *recipient;
};

/* A copy of what was learnt a moment ago; NULL if nothing was. Released with route_free(). */
struct route *route_remembered(const char *address);
void	route_free(struct route **route);

/* Remember as long as the route that the address is known. */
void	route_note_known(const char *address);

struct question;
typedef void route_done(struct route *route, void *argument);

/* Ask; done is called once, later, and takes the route, which has error set when nobody knows. */
struct question *route_ask(const char *address, route_done *done,
	    void *argument);

/* Never mind. Clears *question; NULL is fine. */
void	route_forget(struct question **question);

/* ------------------------------------------------------------ report.c */

/* "NOQUEUE: reject: RCPT from a[b]: 550 5.1.1 ...; from=<> to=<> proto=ESMTP helo=<x>" */
void	report_action(struct session *session, const char *action,
	    const char *text);
void	report_disconnect(struct session *session);
void	report_lost(struct session *session, const char *what);

#endif
