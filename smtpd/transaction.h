/*
 * transaction.h - one message, from MAIL to its end: envelope, content, hand-over
 *
 * It owns a pool, its content, a file that cleanup lent, and what it has asked
 * cleanup or a filter: transaction_end() gives back all of it.
 */

#ifndef SMTPD_TRANSACTION_H
#define SMTPD_TRANSACTION_H

#include "message/dot.h"
#include "message/envelope.h"
#include "smtp/smtp.h"
#include "smtpd/session.h"

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

	/* check/actions.c */
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
	int		 again_ms;	/* the last pause before it was handed over again */
	int64_t		 submitted_us;	/* handed over to cleanup, for the log */
	struct event	*again;
};

/* ------------------------------------------------------------ transaction.c */

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

/* ------------------------------------------------------------ alone.c */

/* The message is whole: hand it over as sendmail does, and reply. */
void	alone_submit(struct session *session);

/* ------------------------------------------------------------ proxy-filter.c */

/* While hosts can still be looked up. */
void	proxy_filter_open(void);

/* The message is whole: the filter gets it, and the client its reply. */
void	proxy_filter_submit(struct session *session);
void	proxy_filter_cancel(struct session *session);

#endif
