/*
 * sendmail -bs: a mail reader of this host speaks SMTP on standard input.
 *
 * The dialogue is everybody's, its ends are others: the process runs as the
 * user who calls, in no sandbox, asks nobody whether he may, and hands his
 * messages over as sendmail does.
 */


#include "smtpd/smtpd.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "handover/handover.h"
#include "service/service.h"
#include "smtpd/dialogue.h"
#include "smtpd/transaction.h"

bool smtpd_is_alone;

/* pickup tells the administrator of the message; what went wrong, the user hears. */
static void
tell(enum log_level level, const char *line)
{
	if (level >= LOG_LEVEL_WARNING || log_verbose > 0)
		fprintf(stderr, "sendmail: %s\n", line);
}

/* Standard input may be a file, which epoll does not take. */
static struct event_base *
new_loop(void)
{
	struct event_config *wanted = event_config_new();
	struct event_base *base = NULL;

	if (wanted != NULL &&
	    event_config_avoid_method(wanted, "epoll") == 0)
		base = event_base_new_with_config(wanted);
	if (wanted != NULL)
		event_config_free(wanted);
	if (base == NULL)
		fatal("cannot make an event loop: %m");
	return base;
}

int
alone(void)
{
	smtpd_is_alone = true;
	log_open_stderr("sendmail");
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	if (config_load(NULL, NULL) == -1)
		return EX_CONFIG;
	log_open_function(tell);
	service_base = new_loop();
	reword_open();
	session_start_alone(STDIN_FILENO, STDOUT_FILENO);
	while (session_any() &&
	    event_base_loop(service_base, EVLOOP_ONCE) == 0)
		;
	return EX_OK;
}

void
alone_submit(struct session *s)
{
	struct transaction *t = s->transaction;
	struct envelope *e = t->envelope;
	char id[HANDOVER_ID_SIZE];
	int code;

	/* It came from a user, not from an address: pickup says which. */
	e->client_name = e->client_address = e->helo_name = "";
	e->protocol_name = e->token = "";
	e->client_port = 0;
	e->flags |= ENVELOPE_LOCAL_ORIGIN;
	code = handover(e, &t->content, id);
	if (code == EX_OK)
		session_reply(s, "250 2.0.0 Ok: queued as %s", id);
	else if (code == EX_NOPERM)
		session_reply(s, "550 5.7.0 Error: not permitted to submit mail");
	else
		session_reply(s, "451 4.3.0 Error: queue file write error");
	transaction_end(s);
}
