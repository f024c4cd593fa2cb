/*
 * What the files of the check language share.
 *
 *	compile.c	words of main.cf become lists of checks
 *	checks.c	stages and lists
 *	provide.c	what a check needs before it can be made
 *	verdict.c	what the client hears
 *	kinds.c		the table of names, and the plain checks
 *	told.c		what a check asks of the DNS
 *	tables.c	and of tables
 *	access.c	access(5) tables: what is looked up
 *	actions.c	what the answer means
 *	permits.c	what permitted, in the log
 *	servers.c	the same for the servers of a domain
 *	dnsbl.c		block lists and allow lists in the DNS
 *	delegate.c	policy services
 *	listed.c	is there such a recipient, such a sender
 *	domain.c	does a domain take mail
 *	verified.c	can mail be delivered there
 *	owner.c		whose address is it
 *	backup.c	are we the backup of his domain
 *	audit.c		can all of it be obeyed: for postroad check
 *
 * A check is a function that may be called several times: what it does not
 * know yet it asks for, gives WAIT, and is called again with the answer. So
 * it has no effects before it knows all.
 */

#ifndef SMTPD_CHECK_H
#define SMTPD_CHECK_H

#include "smtpd/checks.h"
#include "smtpd/route.h"
#include "table/table.h"

struct check;
struct check_list;
struct dnsbl;
struct maps;
struct policy;

struct check_kind {
	const char	*name;
	unsigned	 needs;		/* NEEDS_..., REFUSES_RELAY */
	enum verdict	(*decide)(struct session *, const struct check *); /* NULL: not there yet */
};

enum {				/* without HELO, sender, recipient there is nothing to check */
	NEEDS_WORD		= 1 << 0,	/* an argument */
	NEEDS_TABLE		= 1 << 1,	/* an argument that names one */
	NEEDS_DNSBL		= 1 << 2,	/* an argument that names one */
	NEEDS_POLICY		= 1 << 3,	/* an argument that names a policy service */
	NEEDS_HELO		= 1 << 4,
	NEEDS_MAIL		= 1 << 5,	/* the MAIL command, perhaps from <> */
	NEEDS_SENDER		= 1 << 6,	/* that is not null */
	NEEDS_SENDER_ROUTE	= 1 << 7,	/* of a sender that is not null */
	NEEDS_RECIPIENT		= 1 << 8,
	NEEDS_RECIPIENT_ROUTE	= 1 << 9,
	NEEDS_SITE		= 1 << 10,	/* of ETRN */
	REFUSES_RELAY		= 1 << 11,	/* with this in the list strangers cannot relay */

	NEEDS_ARGUMENT		= NEEDS_WORD | NEEDS_TABLE | NEEDS_DNSBL |
				    NEEDS_POLICY,
};

struct check {
	const struct check_kind	*kind;		/* NULL: the list below */
	const struct check_list	*list;		/* a restriction class */
	struct table		*table;
	const struct dnsbl	*dnsbl;
	struct policy		*policy;
	const char		*word;		/* as it was written */
	const char		*argument;
	bool			 warn_only;	/* after warn_if_reject */
};

struct check_list {
	const char	*name;		/* the parameter, or the class */
	struct check	*checks;
	size_t		 count;
	bool		 is_safe;	/* can refuse to relay */
};

const struct check_kind *check_kind_find(const char *name);

/*
 * A list of restrictions. implied is the check that a lone "type:table"
 * stands for. Errors are logged, and are 451 when a client meets them.
 */
const struct check_list *check_list_compile(const char *name,
	    const char *words, const char *implied);

/* Who wants to see what is decided; NULL: nobody. For explain.c. */
struct check_witness {
	void	(*begins)(enum stage stage, const struct check_list *list);
	void	(*asked)(const struct check *check);	/* again after each wait */
	void	(*decided)(const struct check *check, enum verdict verdict);
};

extern const struct check_witness *check_witness;

/* The list of a stage; NULL if it has none. */
const struct check_list *checks_of_stage(enum stage stage);

struct subject;

/* Go on with another list before the rest of this one. With a subject a table said so, and what is refused there is that. */
enum verdict checks_enter_list(struct session *session,
	    const struct check_list *list, const struct subject *subject);

/* The check that a lone "type:table" stands for in the list at hand; NULL: none. */
const char *checks_implied(const struct session *session);

/* What a check may ask of the evaluation it is part of. */
enum stage check_stage(const struct session *session);
const struct route *checks_sender_route(const struct session *session);
const struct route *checks_recipient_route(const struct session *session);

/*
 * Verdicts. The reply is "code status text", with the class of status made
 * to fit the code.
 */

/* Refuse. Gives REJECT, or NONE after warn_if_reject. */
enum verdict check_refuse(struct session *session, int code,
	    const char *status, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* Something here is broken, and the log says what: put off, even after warn_if_reject. */
enum verdict check_fail(struct session *session, const char *status,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "451 4.3.5 Server configuration error" */
enum verdict check_misconfigured(struct session *session);

/*
 * Go on, but should nobody refuse, the client hears this: we could not find
 * out whether to refuse. action is a *_tempfail_action: "defer" refuses now.
 */
enum verdict check_defer_if_permit(struct session *session,
	    const char *action, int code, const char *status,
	    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Go on, but should somebody refuse, the client hears this: perhaps he was to be permitted. */
enum verdict check_defer_if_reject(struct session *session, int code,
	    const char *status, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* What the stage at hand is about, as replies name it: "<x>: Recipient address rejected". */
const char *check_subject(const struct session *session);
const char *check_subject_class(const struct session *session);

/* Call the check again after that time; true once it has passed. */
bool	check_pause(struct session *session, int seconds);

/* The words in which log and replies name what a check is about. */
struct subject {
	const char	*name;		/* "<x>" */
	const char	*class;		/* "Sender address" */
	const char	*source;	/* the table or service that spoke */
};

/* Tell what permitted, if the administrator wants to know. Gives PERMIT, or WAIT; a subject without source is not from a table. */
void	permits_open(void);
enum verdict permits_tell(struct session *session, const char *action,
	    const struct subject *subject);
enum verdict permits_tell_check(struct session *session,
	    const struct check *check);

/* Do what an access table or a policy service says: actions.c. */
enum verdict act(struct session *session, const struct subject *subject,
	    const char *action);

/*
 * A status of an address (x.1.y) as it is for this class: what is said of a
 * recipient is another number for a sender, and none for anything else.
 * Gives status, perhaps changed, or a constant.
 */
const char *status_for_class(const char *class, const char *status);

/* Look a name with its parents, or an address with its networks, up: NONE goes on. *found: some key was there. */
enum verdict access_name(struct session *session, const struct check *check,
	    const struct subject *subject, const char *name, bool *found);
enum verdict access_address(struct session *session,
	    const struct check *check, const struct subject *subject,
	    const char *address, bool *found);

/* ------------------------------------------------------------ told.c */

/*
 * What a check asks of the world. NULL: asked, the check gives WAIT and is
 * called again. An answer is remembered as long as the transaction.
 */
struct told {
	enum resolve_result	 result;
	size_t			 count;
	union resolve_address	*addresses;	/* of these, one kind is set */
	char			**names;	/* MX by preference, "" for the null MX; name servers; texts */
	unsigned		*preferences;	/* of MX */
};

const struct told *told_addresses(struct session *session, const char *host);
const struct told *told_v4_addresses(struct session *session,
	    const char *host);
/* The same for what may be wanted soon: nobody waits for it, and the answer is remembered. */
void	told_ahead_v4_addresses(struct session *session, const char *host);

const struct told *told_mx(struct session *session, const char *domain);
const struct told *told_ns(struct session *session, const char *domain);
const struct told *told_text(struct session *session, const char *domain);

/*
 * Look-ups between these two that only proxymap can make are asked. End gives
 * false then: what they gave is no answer, and the check gives WAIT.
 */
void	told_begin_tables(struct session *session);
bool	told_end_tables(struct session *session);

/* The same where no check is under way: false makes the session busy until again is called, after which it goes on. */
bool	told_end_tables_or(struct session *session, tables_done *again);

/* One such look-up. False: asked. */
bool	told_table(struct session *session, struct table *table,
	    const char *key, enum table_answer *answer, const char **value);

/*
 * Maps that checks look up in, in the same way: when one gives TABLE_ERROR
 * and told_is_asking(), the check gives WAIT.
 */
struct maps *told_open_maps(const char *parameter, const char *list);
bool	told_is_asking(const struct session *session);

/* checks.c, before each check: whom is it about? */
void	told_asks(struct session *session);

/* tables.c: of these, what is asked of tables. */
void	tables_forget_unasked(struct session *session);	/* an idle session has nothing */
bool	tables_are_asked(const struct session *session);
void	tables_cancel(struct session *session);
void	tables_forget(struct session *session);

/* Stop asking; forget what was told. */
void	told_cancel(struct session *session);
void	told_forget(struct session *session);

/* checks.c: the answer has come. */
void	checks_go_on(struct session *session);

/* The text of an address. */
const char *address_text(const union resolve_address *address,
	    char room[INET6_ADDRSTRLEN]);

/* ------------------------------------------------------------ dnsbl.c, delegate.c */

/* "list.example=127.0.0.[2..4]"; NULL with *why. Lives for ever. */
const struct dnsbl *dnsbl_new(const char *words, const char **why);
void	dnsbl_open(void);

/* Ask for a check on a list that may come next, so that lists are not waited for one after another. */
void	dnsbl_ask_ahead(struct session *session, const struct check *check);

/* The 32 bits of an answer, in host order: does the list's filter want it? */
bool	dnsbl_wants(const struct dnsbl *list, uint32_t address);

/* Does it say anything of who was asked for? An answer that does not is told of once in a while. */
bool	dnsbl_is_verdict(const struct dnsbl *list, uint32_t address);

const char *dnsbl_domain(const struct dnsbl *list);

/* "1.2.0.192.list.example", nibbles for IPv6. Released with free(3). */
char	*dnsbl_client_question(const struct session *session,
	    const struct dnsbl *list);

/* "inet:host:port", "unix:path", or "{ service, name = value... }"; NULL with *why. */
struct policy *delegate_open(const char *words, const char **why);

/* ------------------------------------------------------------ the checks of other files */

enum verdict access_client(struct session *, const struct check *);
enum verdict access_reverse_client(struct session *, const struct check *);
enum verdict access_helo(struct session *, const struct check *);
enum verdict access_sender(struct session *, const struct check *);
enum verdict access_recipient(struct session *, const struct check *);
enum verdict access_etrn(struct session *, const struct check *);

enum verdict servers_check(struct session *, const struct check *);

enum verdict dnsbl_reject_client(struct session *, const struct check *);
enum verdict dnsbl_permit_client(struct session *, const struct check *);
enum verdict dnsbl_name(struct session *, const struct check *);

enum verdict domain_helo(struct session *, const struct check *);
enum verdict domain_sender(struct session *, const struct check *);
enum verdict domain_recipient(struct session *, const struct check *);

enum verdict delegate(struct session *, const struct check *);
void	delegate_cancel(struct session *);

enum verdict permit_mx_backup(struct session *, const struct check *);
void	backup_open(void);

/* What verify(8) says of an address, as verify_done has it; false: asked, the check gives WAIT and is called again. */
bool	checks_verify(struct session *session, const char *address,
	    int *status, const char **text);

enum verdict reject_unverified_sender(struct session *, const struct check *);
enum verdict reject_unverified_recipient(struct session *,
	    const struct check *);

enum verdict listed_recipient(struct session *, const struct check *);
enum verdict listed_sender(struct session *, const struct check *);

enum verdict owner_check(struct session *, const struct check *);
void	owner_open(void);

#endif
