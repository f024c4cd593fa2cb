/* client.h - who is at the other end, what lists say of him, and how much he may ask for */

#ifndef SMTPD_CLIENT_H
#define SMTPD_CLIENT_H

#include "smtp/smtp.h"
#include "smtpd/session.h"

/* ------------------------------------------------------------ address.c */

/* session->address is known: the texts that follow from it. */
void	address_note(struct session *session);

/* "haproxy", or "". */
const char *address_proxy_protocol(void);

/* The header of a load balancer. Gives the bytes used, 0 while there is more to come; the session is busy once it was whole. */
size_t	address_take_header(struct session *session, const char *bytes,
	    size_t length);

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

/* ------------------------------------------------------------ limits.c */

/* A client that is not exempt came, begins a message, names a recipient: may it? */
void	limit_connect(struct session *session, limit_done *done);
void	limit_message(struct session *session, limit_done *done);
void	limit_recipient(struct session *session, limit_done *done);

/* It is gone. */
void	limit_end(struct session *session);

#endif
