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

struct config;
struct session;

/* Open what only a privileged process can open: tables, resolver. */
void	smtpd_start(void);

extern struct resolver *smtpd_resolver;
extern struct ipc_client *smtpd_cleanup, *smtpd_rewrite;

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

/* A client: takes fd. */
void	session_start(int fd);

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

/* ------------------------------------------------------------ commands.c */

/* One line without its end; early is what the client said behind it without waiting for the reply. */
/* False: not now, a table was asked; the same again when the session goes on. */
bool	command_run(struct session *session, const char *line, size_t length,
	    const char *early, size_t early_length);
const char *verb_name(enum verb verb);

/* ------------------------------------------------------------ greet.c */

/* Find the client's name, then send the banner. */
void	greet_client(struct session *session);

/* Nobody asks who the user is: send the banner. */
void	greet_alone(struct session *session);

/* The client is another now: XCLIENT said so. */
void	greet_again(struct session *session);
void	greet_helo(struct session *session, const struct smtp_command *command);
void	greet_ehlo(struct session *session, const struct smtp_command *command);

/* ------------------------------------------------------------ transaction.c */

struct transaction {
	struct pool	*pool;
	struct envelope	*envelope;
	struct smtp_rcpt *rcpt;		/* the one that is being checked */
	int64_t		 said_size;	/* SIZE= of MAIL */
	int		 overshoot;	/* recipients beyond the limit */

	/* content.c */
	struct text	 content;	/* what is in memory */
	size_t		 held;		/* of that, what is counted */
	int		 file;		/* what is not; -1 */
	bool		 wants_file;	/* was asked for, or is there */
	int64_t		 file_size;
	struct dot_reader reader;
	int64_t		 wire_bytes;
	int64_t		 chunk_left, chunk_size;
	bool		 chunk_is_last;
	bool		 is_bdat;
	/* actions.c */
	struct text	 prepend;	/* headers to put before the others */
	const char	*redirect;	/* the recipient in place of all others; NULL */
	const char	*filter;	/* transport:nexthop in place of content_filter; NULL */
	const char	**copies;	/* recipients that nobody named */
	size_t		 copy_count;
	bool		 discards;	/* recipients need not exist */
	char		 instance[40];	/* its name for policy services */

	const char	*failure;	/* the reply at the end, instead of acceptance */
	uint64_t	 call;		/* a question to cleanup that is not answered */

	struct proxied	*proxied;	/* with smtpd_proxy_filter: proxy-filter.c */

	/* submit.c */
	int64_t		 give_up_at_ms;
	int			 again_ms;	/* the last pause before it was handed over again */
	int64_t		 submitted_us;	/* handed over to cleanup, for the log */
	struct event	*again;
};

/* A sender was named. False without memory: end the transaction. */
bool	transaction_begin(struct session *session,
	    const struct smtp_mail *mail);

/* What the parsers say of a command: reply, and tell of an address that is none. */
void	transaction_complain(struct session *session, const char *complaint,
	    const struct smtp_command *command);
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

/* Who wants to know that content comes now; NULL: nobody. For explain.c. */
extern void (*content_witness)(struct session *session);

/* At start: how many files may there be? */
void	content_open(void);

/* Give back what it has. */
void	content_end(struct transaction *transaction);

/* In IN_DATA and IN_CHUNK: gives the bytes read. */
size_t	content_read(struct session *session, const char *bytes,
	    size_t length);

/* ------------------------------------------------------------ submit.c */

/* The message is whole: hand it over, and reply when its fate is known. */
void	submit(struct session *session);

/* Who takes it instead, and replies; NULL: nobody. For explain.c. */
extern void (*submit_witness)(struct session *session);

/* ------------------------------------------------------------ proxy-filter.c */

/* While hosts can still be looked up. */
void	proxy_filter_open(void);

/* The message is whole: the filter gets it, and the client its reply. */
void	proxy_filter_submit(struct session *session);
void	proxy_filter_cancel(struct session *session);

/* ------------------------------------------------------------ trouble.c */

/* The dialogue as it goes by; at the end the postmaster is told, if he wants to hear of such trouble. */
void	trouble_said(struct session *session, const char *reply,
	    size_t length);
void	trouble_heard(struct session *session, const char *line,
	    size_t length);
void	trouble_end(struct session *session);

/* ------------------------------------------------------------ checks.c */

enum verdict { VERDICT_NONE, VERDICT_PERMIT, VERDICT_REJECT, VERDICT_WAIT };

enum stage {
	STAGE_CLIENT, STAGE_HELO, STAGE_SENDER, STAGE_UNLISTED_SENDER,
	STAGE_RELAY, STAGE_RECIPIENT, STAGE_UNLISTED_RECIPIENT, STAGE_DATA,
	STAGE_END_OF_DATA, STAGE_ETRN, STAGE_COUNT
};

/* What is checked at RCPT, by default. */
#define STAGES_AT_RCPT	(STAGES_BEFORE_RCPT | \
			 1u << STAGE_RELAY | 1u << STAGE_RECIPIENT | \
			 1u << STAGE_UNLISTED_RECIPIENT)

/* Of these, what is checked earlier without smtpd_delay_reject. */
#define STAGES_BEFORE_RCPT \
			(1u << STAGE_CLIENT | 1u << STAGE_HELO | \
			 1u << STAGE_SENDER | 1u << STAGE_UNLISTED_SENDER)

/* Compile all restriction parameters. */
void	checks_compile(void);

/* True if strangers cannot relay; else *why says what to add. */
bool	checks_are_safe(const char **why);

/* Called with PERMIT (nobody objected) or REJECT (the client has its reply). */
typedef void checks_done(struct session *session, enum verdict verdict);

/* Run the stages whose bit (1 << stage) is set; done is called now or later. */
void	checks_run(struct session *session, unsigned stages,
	    checks_done *done);
void	checks_cancel(struct session *session);

/* What is checked: "" when it is not known yet. */
const char *session_sender(const struct session *session);
const char *session_recipient(const struct session *session);

/* ------------------------------------------------------------ listed.c */

/* Open the tables that say who is known here. */
void	listed_open(void);

/* Do our own probes and notices to the postmaster come from there? */
bool	listed_is_probe_sender(const char *address);

/* ------------------------------------------------------------ limits.c */

/* A client that is not exempt came, begins a message, names a recipient: may it? */
void	limit_connect(struct session *session, limit_done *done);
void	limit_message(struct session *session, limit_done *done);
void	limit_recipient(struct session *session, limit_done *done);

/* It is gone. */
void	limit_end(struct session *session);

/* ------------------------------------------------------------ address.c */

/* session->address is known: the texts that follow from it. */
void	address_note(struct session *session);

/* "haproxy", or "". */
const char *address_proxy_protocol(void);

/* The header of a load balancer. Gives the bytes used, 0 while there is more to come; the session is busy once it was whole. */
size_t	address_take_header(struct session *session, const char *bytes,
	    size_t length);

/* ------------------------------------------------------------ screen.h: who comes to a service of postscreen */

void	screen_open(void);

/* postroad check: log what its access list will not do. */
void	screen_audit(void);

/* Test him, or let him in; session_greet() comes in the end, unless the session ends. */
void	screen_begin(struct session *session);

/* The settings of those who are tested: those for stress, when there is hardly room for more of them. */
const struct config *screen_config(void);

/* A far table has answered. */
void	screen_go_on(struct session *session);

/* He must be silent, and was not, or is gone. */
void	screen_heard(struct session *session);

void	screen_end(struct session *session);

struct screen_line {
	const char	*bytes;
	size_t		 length;
	const char	*early;		/* what he said behind it without waiting for the reply */
	size_t		 early_length;
};

/*
 * A command, a line that ends in a bare newline, a line without end: true if
 * the session ends for it. before is the last command; is_none: it is no
 * command of SMTP at all.
 */
bool	screen_command(struct session *session, const char *before,
	    bool is_none, const struct screen_line *line);
bool	screen_bare_newline(struct session *session, const char *line,
	    size_t length);
bool	screen_long_line(struct session *session);

/* Was he refused? Then he only hears so at RCPT: true, with a reply. */
bool	screen_has_refused(const struct session *session);
bool	screen_refuses(struct session *session, const char *recipient);

/* He spoke before his turn and is refused for it: he does not get the rest of the greeting. */
bool	screen_withholds_greeting(const struct session *session);

/* PIPELINING is not offered to who is tested for it, or was refused. */
bool	screen_hides_pipelining(const struct session *session);

/* Tell how it ended: true if nothing else is to be said of it. */
bool	screen_tells_lost(struct session *session, const char *what);
bool	screen_tells_end(struct session *session);

/* ------------------------------------------------------------ stress.c */

/* After main.cf is there, before the first session. */
void	stress_prepare(void);

/* What it would be under stress. */
const struct config *stress_config(void);

/* So many are there now. True if config has changed for it. */
bool	stress_note_sessions(size_t sessions);

/* ------------------------------------------------------------ verified.c */

struct verify_question;

/* Called once, later. status is of delivery/verify.h; -1: nobody can be asked. text is borrowed. */
typedef void verify_done(int status, const char *text, void *argument);

/* Ask verify(8), again and again while it finds out, as long as address_verify_poll_count says. */
struct verify_question *verify_ask(const char *address, verify_done *done,
	    void *argument);

/* Never mind. Clears *question; NULL is fine. */
void	verify_forget(struct verify_question **question);

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

/* Nothing that was asked of tables is of interest any more: check/tables.c. */
void	tables_end(struct session *session);

/* ------------------------------------------------------------ client.c */

void	client_open(void);

/* Learn what lists say of the client. False: tables are asked, the session is busy, and again is called when they have answered. */
bool	client_learn(struct session *session, tables_done *again);

/* smtpd_forbid_bare_newline = note: tell of the first in a session. */
void	client_note_bare_newline(struct session *session);

/* *failed: nobody knows, a table did not answer. */
bool	client_is_mynetworks(const struct session *session, bool *failed);

/* ------------------------------------------------------------ xclient.c */

void	xclient_open(void);

/* May this client say XVERP? */
bool	xclient_may_verp(const struct session *session);
void	xclient_authorize(struct session *session);
void	xclient(struct session *session, const struct smtp_command *command);
void	xforward(struct session *session, const struct smtp_command *command);
void	xforward_forget(struct session *session);

/* Append what XFORWARD told, as the log has it. */
void	xforward_describe(const struct session *session, struct text *line);

/* ------------------------------------------------------------ reword.c */

void	reword_open(void);

/*
 * Those that give false have asked a table: the session is busy, and the same
 * is to be asked again when it has answered.
 */

/* What smtpd_command_filter has in place of the line; NULL: nothing. Borrowed for the moment. May end the session. */
bool	reword_command(struct session *session, const char *line,
	    size_t length, const char **other);

/* Does smtpd_forbidden_commands have the first word of this line? */
bool	reword_forbids(struct session *session, const char *line,
	    size_t length, bool *is_forbidden);

/* The EHLO keywords that this client is not offered. */
bool	reword_discarded_keywords(struct session *session,
	    tables_done *again, const char **keywords);

/* What smtpd_reject_filter_maps has in its place, with smtpd_reject_footer. */
bool	reword_refusal(struct session *session, struct text *reply,
	    tables_done *again);

/* What a template of a reply may name: $client_address and its kin; NULL if there is no such name. */
const char *reword_value(const struct session *session, const char *name);

/* -------------------------------------------------------------- audit.c */

/* postroad check: tell what is wrong with the restrictions, on standard output. Gives the exit code. */
int	audit(int argc, char **argv);

/* ------------------------------------------------------------ alone.c */

/* For sendmail -bs. Gives the exit code. */
int	alone(void);

/* Is this process a user's: no checks, no limits but his message's, no brother daemons? */
extern bool smtpd_is_alone;

/* The message is whole: hand it over as sendmail does, and reply. */
void	alone_submit(struct session *session);

/* ------------------------------------------------------------ explain.c */

/* postroad explain: tell what would happen to a client, and why. Gives the exit code. */
int	explain(int argc, char **argv);

/* ------------------------------------------------------------ report.c */

/* "NOQUEUE: reject: RCPT from a[b]: 550 5.1.1 ...; from=<> to=<> proto=ESMTP helo=<x>" */
void	report_action(struct session *session, const char *action,
	    const char *text);

/* What smtpd_proxy_filter made of the message. */
void	report_proxy(struct session *session, bool is_accepted,
	    const char *text);
void	report_disconnect(struct session *session);
void	report_lost(struct session *session, const char *what);

#endif
