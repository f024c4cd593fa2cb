/* cleanup.h - what the files of cleanup share */

#ifndef CLEANUP_CLEANUP_H
#define CLEANUP_CLEANUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "message/envelope.h"
#include "message/mime.h"
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
	struct text		 changed;	/* what head points to, when it is not as it came */
	int			 changed_file;	/* the same of file; else -1 */
	struct mime_reader	 mime;		/* knows what the header said of the body */

	/* What header and body checks say of it. */
	struct text		 said;		/* what the log is to hear of that, a line each */
	bool			 unchecked;	/* it has none, or no more */
	const char		*last_recipient; /* as the client gave it; for the log */
	const char		*redirect;	/* the only recipient then */
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

/* It came from outside or from a local user: not one of ours that goes on. */
bool	submission_is_new(const struct envelope *envelope);

/* receive.c: a packet becomes a submission. */
void	receive(struct submission *submission, struct service_request *request);

/* Read the beginning of the content from its file, as head. 0, or -1 with errno. */
int	receive_head(struct submission *submission);

/* expand.c: what is short is completed, virtual aliases become what they stand for. */
void	expand_open(void);
void	expand_envelope(struct submission *submission);

/* A blind copy for one more, whatever was expanded before; and who gets a message that was redirected. */
void	expand_copy(struct submission *submission, const char *address);
void	expand_redirect(struct submission *submission);

/*
 * canonical.c: canonical tables and masquerading. class is one of REWRITE_ENVELOPE_SENDER and
 * its like (rewrite/rewrite.h). The address in place. -1: a table does not answer, and the message is refused.
 */
void	canonical_open(void);
int	canonical_rewrite(struct submission *submission, int class,
	    struct text *address);

/* masquerade.c. TABLE_FOUND: the address is another. */
void	masquerade_open(void);
enum table_answer masquerade(int class, struct text *address);

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

/*
 * characters.c: what message_strip_characters lists goes; a message that has
 * what message_reject_characters lists is refused.
 */
void	characters_open(void);
void	characters_check(struct submission *submission);

/* convert.c: with force_mime_input_conversion, bodies that say 8bit become quoted-printable. */
void	convert_content(struct submission *submission);

/* checks.c: header_checks, body_checks and their kin. */
enum check_table { CHECK_HEADER, CHECK_MIME_HEADER, CHECK_NESTED_HEADER,
    CHECK_BODY, CHECK_TABLES };

/* What becomes of the text: as it is; a line of out before it; out in its place; nothing. */
enum check_result { CHECK_KEEP, CHECK_PREPEND, CHECK_REPLACE, CHECK_DROP };

void	checks_open(void);
bool	checks_are_wanted(const struct submission *submission,
	    enum check_table table);
enum check_table checks_table_of(enum mime_header of,
	    const struct header_field *field);

/* Look content up, and do what is said there. */
enum check_result checks_ask(struct submission *submission,
	    enum check_table table, const char *content, struct text *out);

/* Parts that must not be so, in the log; and the refusal of a message for what is in it. */
void	checks_tell_wrong(struct submission *submission, const char *words);

/* What was found goes into the log. */
void	checks_tell(struct submission *submission);
void	checks_refuse(struct submission *submission, const char *status,
	    const char *text);

/* parts.c: the parts of the message, their headers and bodies, are checked and changed. */
void	parts_begin(struct submission *submission);	/* before the header */
void	parts_check(struct submission *submission);	/* the header was read */

/* edit.c: changes of the content behind the header, made at once. All zeros to begin. */
struct edits {
	struct edit	*list;
	size_t		 count;
	struct text	 text;
};

/* In place of the bytes of the body from..to. In ascending order. */
void	edits_add(struct edits *edits, int64_t from, int64_t to,
	    const char *text, size_t length);
/* Do all. 0, or -1 with errno. */
int	edits_apply(struct edits *edits, struct submission *submission);
void	edits_clear(struct edits *edits);

/* Read on in the content, from offset in it: borrowed until the next call. 0 at the end, -1 with errno. */
ssize_t	content_read(const struct submission *submission, int64_t offset,
	    const char **bytes);
/* The content is another from now on: takes what is in memory, or the file. */
int	content_replace(struct submission *submission, struct text *bytes,
	    int *file);

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
