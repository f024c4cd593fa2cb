/*
 * checks.h - what the rest of smtpd asks of the check language
 *
 * How it works is told in check/check.h.
 */

#ifndef SMTPD_CHECKS_H
#define SMTPD_CHECKS_H

#include "smtpd/session.h"

/* ------------------------------------------------------------ check/checks.c */

enum verdict { VERDICT_NONE, VERDICT_PERMIT, VERDICT_REJECT, VERDICT_WAIT };

enum stage {
	STAGE_CLIENT, STAGE_HELO, STAGE_SENDER, STAGE_UNLISTED_SENDER,
	STAGE_RELAY, STAGE_RECIPIENT, STAGE_UNLISTED_RECIPIENT, STAGE_DATA,
	STAGE_END_OF_DATA, STAGE_ETRN, STAGE_COUNT
};

/* What is checked at RCPT, by default. */
#define STAGES_AT_RCPT	(STAGES_BEFORE_RCPT | \
			 1u << STAGE_RELAY | 1u << STAGE_RECIPIENT | \
			 1u << STAGE_UNLISTED_RECIPIENT)

/* Of these, what is checked earlier without smtpd_delay_reject. */
#define STAGES_BEFORE_RCPT \
			(1u << STAGE_CLIENT | 1u << STAGE_HELO | \
			 1u << STAGE_SENDER | 1u << STAGE_UNLISTED_SENDER)

/* Compile all restriction parameters. */
void	checks_compile(void);

/* True if strangers cannot relay; else *why says what to add. */
bool	checks_are_safe(const char **why);

/* Called with PERMIT (nobody objected) or REJECT (the client has its reply). */
typedef void checks_done(struct session *session, enum verdict verdict);

/* Run the stages whose bit (1 << stage) is set; done is called now or later. */
void	checks_run(struct session *session, unsigned stages,
	    checks_done *done);
void	checks_cancel(struct session *session);

/* What is checked: "" when it is not known yet. */
const char *session_sender(const struct session *session);
const char *session_recipient(const struct session *session);

/* ------------------------------------------------------------ check/listed.c */

/* Open the tables that say who is known here. */
void	listed_open(void);

/* Do our own probes and notices to the postmaster come from there? */
bool	listed_is_probe_sender(const char *address);

/* ------------------------------------------------------------ check/verified.c */

struct verify_question;

/* Called once, later. status is of delivery/verify.h; -1: nobody can be asked. text is borrowed. */
typedef void verify_done(int status, const char *text, void *argument);

/* Ask verify(8), again and again while it finds out, as long as address_verify_poll_count says. */
struct verify_question *verify_ask(const char *address, verify_done *done,
	    void *argument);

/* Never mind. Clears *question; NULL is fine. */
void	verify_forget(struct verify_question **question);

/* ------------------------------------------------------------ check/tables.c */

/* Nothing that was asked of tables is of interest any more. */
void	tables_end(struct session *session);

#endif
