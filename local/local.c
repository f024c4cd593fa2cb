/*
 * local - the last post: into the mailboxes of this machine's users
 *
 * In       delivery requests from qmgr, as many at once as there are
 * Out      results to qmgr; new messages, for what aliases lead elsewhere, to cleanup
 * Touches  what each recipient may touch, with that recipient's rights;
 *          alias tables, passwd, mail_spool_directory with root's
 * Trusts   the alias tables. Not the users: their homes and .forward files
 *          are read with their own rights
 * Killed   qmgr sends the requests again, flagged. A Maildir has the message
 *          once whatever happens, since its name says which it is; so has an
 *          mbox, which is searched; a command may run twice
 *
 * Deliveries to Maildirs share the flushes of a batch. What may take long, a
 * command or an mbox that somebody holds locked, is done in a child, which
 * answers qmgr itself: nobody waits for another user's filter. Nor for a table
 * that is far away, nor for cleanup: a delivery that needs their answer is put
 * aside meanwhile.
 *
 *	deliver.c	a batch of requests, and their answers
 *	plan.c		what is to be done for a recipient
 *	expand.c	aliases, .forward and lists of members
 *	user.c		who is who, and whose rights this process has
 *	maildirs.c	all Maildirs of a batch in common steps
 *	recipient.c	or one recipient after the other:
 *	mailbox.c	into Maildir, mbox or file
 *	command.c	into a command
 *	forward.c	or as a new message
 *	children.c	a process of its own for what must wait
 *	explain.c	what would be done, for postroad explain
 */

#include "local/local.h"

#include "config/config.h"
#include "delivery/filter.h"
#include "delivery/later.h"
#include "service/explain.h"

static void
start(void)
{
	delivery_filter_open("local_delivery_status_filter",
	    config.local_delivery_status_filter);
	expand_start();
	children_watch();
}

static bool
reap(void)
{
	children_reap();
	return false;	/* that was all */
}

static void
take_answers(void)
{
	later_receive(service_call_back);
}

int
main(int argc, char **argv)
{
	static const struct service local = {
		.name	    = "local",
		.start	    = start,
		.serve	    = deliver_batch,
		.has_more   = reap,
		.watch	    = later_fd,
		.watched    = take_answers,
		.drain	    = children_wait,
		.exclusive  = true,
		.rank	    = SERVICE_SECOND,
		.stays_root = true,
		.sandbox    = SANDBOX_EXEC,	/* it runs users' commands */
	};

	if (explain_is_wanted(argc, argv))
		return explain(argc, argv);
	return service_worker(&local, argc, argv);
}
