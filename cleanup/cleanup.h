/* cleanup.h - what the files of cleanup share */

#ifndef CLEANUP_CLEANUP_H
#define CLEANUP_CLEANUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "message/envelope.h"
#include "service/service.h"
#include "spool/spool.h"
#include "table/maps.h"

/* One message of a batch, from its packet to its answer. */
struct submission {
	struct service_request	*request;
	struct pool		*pool;
	struct envelope		*envelope;
	const char		*head;		/* the content, or its beginning when it comes in a file */
	size_t			 head_length;
	int			 file;		/* borrowed from the packet; -1: all is in head */
	int64_t			 file_length;	/* of all the content in the file */
	struct text		 header;	/* the new header, with its empty line */
	size_t			 body;		/* where in head the body begins */
	char			 id[SPOOL_ID_SIZE];

	/* The answer, in SMTP's terms; 0: not known yet. */
	int			 status;
	const char		*dsn;
	const char		*reason;
	bool			 in_journal;	/* accepted when the batch is durable */
	bool			 in_file;	/* durable already: qmgr must hear its name */
};

/* Set the answer; the first one stays. */
void	submission_refuse(struct submission *submission, int status,
	    const char *dsn, const char *reason);

/* receive.c: a packet becomes a submission. */
void	receive(struct submission *submission, struct service_request *request);

/* expand.c: what is short is completed, virtual aliases become what they stand for. */
void	expand_open(void);
void	expand_envelope(struct submission *submission);

/* A table's value for an address, as maps_find_address() has it: released with free(3). */
enum table_answer expand_look_up(struct maps *maps, const char *address,
	    char **value, struct text *extension);

/* copies.c: who else gets the message because the administrator says so. */
void	copies_open(void);

/* A new message, not one of ours that goes on, and addresses may be changed. */
bool	copies_are_wanted(const struct envelope *envelope);

/* The addresses that get a copy, as in a header field, "" for none; released with free(3). TABLE_ERROR: nobody knows. */
enum table_answer copies_of_sender(const char *sender, char **copies);
enum table_answer copies_of_recipient(const char *recipient, char **copies);

/* An internal address in standard form, in out. 0, or -1: trivial-rewrite does not answer (logged). */
int	rewrite_internal(const char *context, const char *address,
	    struct text *out);

/* characters.c: refuse a message that has what message_reject_characters lists. */
void	characters_open(void);
void	characters_check(struct submission *submission);

/* header.c: the header is completed, rewritten, and stripped of what must not travel. */
void	begin_header(struct submission *submission);	/* Received, while the recipients are as the client gave them */
void	rewrite_header(struct submission *submission);

/* store.c: into the journal or a file; then the answers, then qmgr. */
void	store_open(void);
bool	store_has_room(void);
int	store_make_id(char id[SPOOL_ID_SIZE]);
void	store_add(struct submission *submission);
void	store_commit(struct submission *submissions, size_t count);

/* Tell qmgr what it has not heard yet. True if it still has no time. */
bool	store_has_untold(void);

/* Delivery lags so far behind that mail from outside must wait. */
bool	store_is_ahead(void);

/* The id of a message that a cleanup committed which died before its answer; "" if it did not. -1: qmgr does not answer. */
int	store_ask_fate(const char *token, char id[SPOOL_ID_SIZE]);

/* explain.c: tell postroad explain what would be done. Gives the exit code. */
int	explain(int argc, char **argv);

#endif
