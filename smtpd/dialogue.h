/* dialogue.h - what a client says, what it hears, and what is told of it to log and postmaster */

#ifndef SMTPD_DIALOGUE_H
#define SMTPD_DIALOGUE_H

#include "smtp/smtp.h"
#include "smtpd/session.h"

/* ------------------------------------------------------------ commands.c */

/*
 * One line without its end; early is what the client said behind it without
 * waiting for the reply. False: not now, a table was asked; the same again
 * when the session goes on.
 */
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

/* ------------------------------------------------------------ etrn.c */

/* Try what waits for a site that can be reached now (RFC 1985). */
void	etrn(struct session *session, const struct smtp_command *command);
void	etrn_cancel(struct session *session);

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

/* With soft_bounce a refusal is none for ever: its code and status become those of "try again". */
void	reply_soften(char *reply);

/* What a template of a reply may name: $client_address and its kin; NULL if there is no such name. */
const char *reword_value(const struct session *session, const char *name);

/* ------------------------------------------------------------ report.c */

/* "NOQUEUE: reject: RCPT from a[b]: 550 5.1.1 ...; from=<> to=<> proto=ESMTP helo=<x>" */
void	report_action(struct session *session, const char *action,
	    const char *text);

/* What smtpd_proxy_filter made of the message. */
void	report_proxy(struct session *session, bool is_accepted,
	    const char *text);
void	report_disconnect(struct session *session);
void	report_lost(struct session *session, const char *what);

/* ------------------------------------------------------------ trouble.c */

/* The dialogue as it goes by; at the end the postmaster is told, if he wants to hear of such trouble. */
void	trouble_said(struct session *session, const char *reply,
	    size_t length);
void	trouble_heard(struct session *session, const char *line,
	    size_t length);
void	trouble_end(struct session *session);

#endif
