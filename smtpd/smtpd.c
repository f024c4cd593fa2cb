/*
 * smtpd - take mail in from the network
 *
 * In       SMTP clients; tables and the configuration, read before the sandbox closes
 * Out      each message to cleanup, in one hand-over; 250 only when cleanup says that it is durable
 * Asks     trivial-rewrite where an address leads, DNS what a client is called
 * Touches  sockets, and files that cleanup lends it as descriptors; no path at all
 * Trusts   nobody: every byte is a stranger's
 * Killed   clients see a lost connection and come again; what was answered 250 is in cleanup's journal
 *
 *	session.c	a connection: what it waits for, its deadlines, its end
 *	input.c		bytes to commands and content
 *	commands.c	the verbs: what may come when
 *	greet.c		who is it: connect, HELO, EHLO
 *	client.c	what lists say of him
 *	xclient.c	who is it that a proxy speaks for
 *	replies.c	what is said
 *	stress.c	too many sessions: less patience with each
 *	address.c	where it comes from, behind a balancer too
 *	screen/		who may talk at all, for a service of postscreen
 *	limits.c	how many, how often, how much: by anvil(8)
 *	reword.c	commands and replies that the administrator changes
 *	transaction.c	MAIL, RCPT, RSET
 *	content.c	DATA and BDAT: the message
 *	submit.c	the hand-over to cleanup
 *	proxy-filter.c	or to a filter that is asked before
 *	check/		the check language
 *	route.c		where an address leads
 *	start.c		what is opened before the sandbox closes
 *	explain/	a session for somebody who asks why
 *	alone.c		sendmail -bs: one user on standard input
 *	report.c	log lines, as log readers know them
 *
 * What they share is told in smtpd.h, with a header for each subject.
 */

#include <string.h>

#include "service/explain.h"
#include "service/service.h"
#include "smtpd/session.h"
#include "smtpd/smtpd.h"

int
main(int argc, char **argv)
{
	static const struct service smtpd = {
		.name	   = "smtpd",
		.sandbox   = SANDBOX_SOCKETS | SANDBOX_NETWORK,
		.chroot	   = true,
		.start	   = smtpd_start,	/* tables, resolver: the last look at files */
		.connected = session_start,
		.drain	   = session_drain,
		.busy	   = session_any,
	};

	if (explain_is_wanted(argc, argv))
		return explain(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "-S") == 0)
		return alone();
	if (argc > 1 && strcmp(argv[1], "--check") == 0)
		return audit(argc - 1, argv + 1);
	return service_events(&smtpd, argc, argv);
}
