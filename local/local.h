/* local - what its files share */

#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/base.h"
#include "delivery/delivery.h"
#include "mailbox/mailbox.h"
#include "service/service.h"

/* user.c: who is who, and whose rights this process has */

#define USER_GROUPS_MAX	64

struct user {
	char	*name, *home, *shell;
	uid_t	 uid;
	gid_t	 gid;
	gid_t	 groups[USER_GROUPS_MAX];
	int	 group_count;
};

/* The user of the system; NULL with errno 0 if there is none, else with the trouble. Lives for a second at least. */
const struct user *user_find(const char *name);

/* Forget users that were looked up a while ago. Nobody may hold one. */
void	users_expire(void);

/* Take on the user's rights; NULL: root's again. Without root nothing changes. */
void	become(const struct user *user);

/* In a child: the same, for good. 0, or -1 with errno. */
int	become_for_good(const struct user *user);

/* In a child: the kernel sends it SIGTERM when its parent ends, whatever rights it takes. */
void	die_with_parent(void);

/* plan.c: what is to be done for a recipient */

enum target_kind { TARGET_MAILBOX, TARGET_FILE, TARGET_COMMAND };

struct target {
	STAILQ_ENTRY(target) next;
	enum target_kind kind;
	const struct user *user;	/* with whose rights */
	const char *what;		/* the file, the command */
};

/* A member of a list that gets nothing, for ever. */
struct refusal {
	STAILQ_ENTRY(refusal) next;
	const char *dsn, *text;
	const char *diagnostic;		/* of its command; or NULL */
};

struct plan {
	struct pool *pool;		/* the request's */
	const char *address;		/* of the recipient */
	const char *name, *extension;	/* its local part, folded, without and behind the delimiter */
	const char *domain;
	STAILQ_HEAD(, target) targets;
	size_t	 target_count;
	const char **forward;		/* addresses that get it as a new message */
	size_t	 forward_count;
	const char *owner;		/* the new message's sender; NULL: the same */
	const char *final;		/* the user whom an alias means, as address; NULL: no alias */
	struct map *seen;		/* aliases and addresses that are in it already */

	STAILQ_HEAD(, refusal) refusals;	/* all others get it, and then the first of these is the result */

	bool	 is_decided;		/* nothing to do but this */
	enum delivery_status status;
	const char *dsn, *text;
	const char *diagnostic;		/* what a command said, or its exit status means; NULL: none ran */
	enum delivery_action action;
};

/* Find out. The plan's members are set; nothing is delivered. */
void	plan_recipient(struct plan *plan, struct delivery_request *request,
	    const struct recipient *recipient);
void	plan_clear(struct plan *plan);

/* Decide: no delivery, but this. Only the first decision counts. */
void	plan_decide(struct plan *plan, enum delivery_status status,
	    const char *dsn, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* A member of a list may not have the mail: what the sender is told of it. The other members get theirs. */
void	plan_refuse(struct plan *plan, const char *dsn, const char *text);

/* It was decided for one member alone, who gets nothing: the others get theirs. */
void	plan_go_on(struct plan *plan);

/* True the first time that this plan meets the key. */
bool	plan_is_new(struct plan *plan, const char *key);

/* One thing more to be done, one address more; too many decide. */
void	plan_add_target(struct plan *plan, enum target_kind kind,
	    const struct user *user, const char *what);
void	plan_add_forward(struct plan *plan, const char *address);

/* expand.c: lists of members */

/* Open the tables; may exit with fatal(). */
void	expand_start(void);

/* Who wants to see which .forward and :include: files are read; NULL: nobody. For explain.c. */
extern void (*expand_witness)(const char *path);

/* Add what the alias means to the plan. False if the name, whole or without extension, is none. */
bool	expand_alias(struct plan *plan, const char *name);

/* Is there an alias of just this name? When nobody can tell, that decides. */
bool	expand_is_alias(struct plan *plan, const char *name);

/* Add what the user's .forward+extension or .forward means. False if there is none. */
bool	expand_forward(struct plan *plan, const struct user *user);

/* Add what a text in the form of an alias's value means; name is for the log. */
void	expand_text(struct plan *plan, const char *text, const char *name);

/* Is mail for the domain delivered here: the recipient's own, or one in mydestination? When nobody can tell, that decides. */
bool	expand_is_local_domain(struct plan *plan, const char *domain);

/* mailbox.c: Maildir, mbox, /file */

/* What stands in front of every delivered copy: Return-Path, X-Original-To, Delivered-To. */
void	delivery_headers(struct text *headers,
	    const struct delivery_request *request, const struct recipient *recipient);

/* The user's mailbox, as home_mailbox and mail_spool_directory say. */
struct mailbox_place {
	const char *root, *path;	/* in pool */
	bool	 is_maildir;
	bool	 is_spool;
};

void	mailbox_place(struct mailbox_place *place, const struct user *user,
	    struct pool *pool);

/* How a Maildir delivery ended, as a decision. */
void	maildir_decide(struct plan *plan, const struct mailbox_delivery *done);

/*
 * Deliver to a mailbox or file. Success decides nothing. False: a lock is
 * held by somebody else, and may_wait was false.
 */
bool	deliver_target(struct plan *plan, struct delivery_request *request,
	    const struct recipient *recipient, const struct target *target,
	    bool may_wait);

/* command.c */

/* Run the target's command with the message; decides, success included. Waits for it. */
void	deliver_command(struct plan *plan, struct delivery_request *request,
	    const struct recipient *recipient, const struct target *target);

/* In a child: SIGTERM ends it, and all processes of the command that it runs. */
void	command_obey_sigterm(void);

/* forward.c */

/* Submit the message to plan->forward; decides, success included. Waits for cleanup. */
void	deliver_forward(struct plan *plan, struct delivery_request *request,
	    const struct recipient *recipient);

/* The same without waiting. False: the delivery is to be put aside until *later is answered, and tried again. */
struct later;

bool	forward_later(struct plan *plan, struct delivery_request *request,
	    const struct recipient *recipient, struct later **later);

/* deliver.c: a batch of requests from qmgr */

/* One recipient of one request. */
struct job {
	struct plan plan;
	struct delivery_request *request;
	struct recipient *recipient;
	bool	 is_done;

	/* if it comes down to one Maildir */
	bool	 is_maildir;
	const struct user *user;
	struct mailbox_delivery delivery;
	struct iovec pieces[2];
	struct text headers;
	char	 name[MAILBOX_NAME_SIZE];
};

void	deliver_batch(struct service_request *requests, size_t count);

/* Answer qmgr. Clears the reply. */
void	deliver_answer(int connection, uint64_t number, struct ipc_packet *reply);

/* The same when there are no results: all of the request waits. */
void	deliver_answer_nothing(int connection, uint64_t number);

/* maildirs.c */

/* Does it come down to one Maildir? Then prepare that delivery. */
void	maildirs_prepare(struct job *job);

/* Deliver what was prepared, and report it. */
void	maildirs_deliver(struct job *jobs, size_t job_count);

/* recipient.c */

/* Everything that is planned for one recipient, and its report. False: it would have to wait, and may not. */
bool	recipient_deliver(struct job *job, bool may_wait);

/* What was decided, to the log and into the request's results. */
void	recipient_report(struct job *job);

/* Nothing is to be delivered, only said what would be. */
void	recipient_say_deliverable(struct plan *plan);

/* children.c */

/*
 * As fork(2), for a request whose answer the child owes: 1 here, 0 in the
 * child, -1 if there is none. Waits while there are too many.
 */
int	children_begin(int connection, uint64_t number);

/* The end of a child wakes the worker, which then looks for it at once: its mail must not wait for other mail. */
void	children_watch(void);
void	children_reap(void);

/* Before the process leaves: give its children a few seconds. They do not outlive it. */
void	children_wait(void);

/* explain.c: tell postroad explain what would be done. Gives the exit code. */
int	explain(int argc, char **argv);

#endif
