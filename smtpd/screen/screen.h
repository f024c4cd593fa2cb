/*
 * What the files of screening share: the tests of postscreen.
 *
 *	screen.c	who comes, and what is known of him
 *	tests.c	the tests, as main.cf has them
 *	access.c	who is tested at all: postscreen_access_list
 *	memory.c	who has passed, as this process and postscreen(8) know
 *	wait.c	what he must do before his greeting
 *	score.c	what lists in the DNS say of him
 *	talk.c	the tests in the dialogue, and who was refused
 *	report.c	log lines, as postscreen has them
 *
 *   1  A session that passes goes on by itself: nobody is sent away to come again.
 *   2  What postscreen(8) or a list in the DNS does not say costs a test or a
 *      score, never a session.
 */

#ifndef SMTPD_SCREEN_H
#define SMTPD_SCREEN_H

#include "ipc/channel.h"
#include "screen/screen.h"
#include "smtpd/screening.h"

struct score;

enum screen_action { SCREEN_IGNORE, SCREEN_ENFORCE, SCREEN_DROP };

/* While a client is tested, or once it was refused; then session->screening is NULL again. */
struct screening {
	enum { SCREEN_ASKING, SCREEN_WAITING, SCREEN_TALKING } phase;
	char		 client[INET6_ADDRSTRLEN];	/* XCLIENT may give the session another */
	struct screen_passes passes;	/* of before, and what is new */
	unsigned	 todo, passed;	/* BIT(enum screen_test) */
	unsigned	 over;		/* tests that he has failed, whatever came of it */
	bool		 is_new;	/* some test was never passed */
	bool		 is_denied;	/* by the access list */
	bool		 is_counted;	/* among those who wait for their greeting */
	bool		 spoke;		/* before his turn */
	bool		 is_dropped;
	bool		 is_served;	/* greeted as others are: smtpd has told of him */
	const char	*refusal;	/* what he hears at RCPT; NULL: nothing yet */
	char		*own_refusal;	/* the same, if it was made for him */
	int64_t		 since_ms;	/* of this phase's tests */
	struct event	 timer;
	uint64_t	 call;		/* the question to postscreen(8) */
	struct score	*score;
	int		 commands;
};

/* ------------------------------------------------------------ screen.c */

/* All is passed that he had to pass: tell, remember, and forget that he was tested. */
void	screen_conclude(struct session *session);

/* One last line, and no more. The second goes on with it: nobody else looks at the session any more. */
void	screen_drop(struct session *session, const char *reply);
void	screen_drop_now(struct session *session, const char *reply);

/* ------------------------------------------------------------ tests.c */

#define BIT(test)	(1u << (test))

void	screen_tests_open(void);
enum screen_action screen_action(enum screen_test test);
enum screen_action screen_action_of(const char *parameter, const char *word);
bool	screen_is_enabled(enum screen_test test);
int	screen_ttl(enum screen_test test);
void	screen_pass(struct screening *screening, enum screen_test test,
	    int seconds);

/* ------------------------------------------------------------ wait.c */

/* Until he is greeted, or gone. */
void	screen_wait(struct session *session);
void	screen_wait_stop(struct session *session);

/* The score is there. */
void	screen_scored(struct session *session);

/* ------------------------------------------------------------ access.c */

enum screen_access {
	ACCESS_NONE,		/* the list has nothing to say */
	ACCESS_DUNNO,
	ACCESS_ERROR,		/* logged; as if it had nothing to say */
	ACCESS_PERMIT,
	ACCESS_REJECT,
	ACCESS_WAIT,
};

void	screen_access_open(void);

/* WAIT: a far table was asked; screen_go_on() comes when it has answered. */
enum screen_access screen_access(struct session *session);

/* Can he pass at the address that he connected to? */
bool	screen_passes_here(struct session *session);

/* ------------------------------------------------------------ memory.c */

/* What this process knows itself. False: ask. */
bool	screen_recall(const char *client, struct screen_passes *passes);

/* What postscreen(8) knows. The reply is a screened message, or NULL; 0: it does not answer these days. */
uint64_t screen_ask(const char *client, ipc_reply_callback *done,
	    void *argument);
void	screen_answered(bool answered);
void	screen_ask_cancel(uint64_t call);

void	screen_learn(const char *client, const struct screen_passes *passes);

/* postscreen(8) said so: for the next time. */
void	screen_note(const char *client, const struct screen_passes *passes);

/* ------------------------------------------------------------ score.c */

void	screen_score_open(void);
bool	screen_has_sites(void);

/* What this answer of a domain, by its place among them, adds; the heaviest row of that counts against him with so much. */
int	screen_score_weigh(size_t domain,
	    const struct resolve_answer *answer, int *heaviest);

/* Ask all lists; screen_scored() comes once, when the last has answered. */
struct score *screen_score_ask(struct session *session);

/* So far. *list is the one that counts most against him; NULL: none. *ttl: how long it counts. */
int	screen_score_total(const struct score *score, const char **list,
	    int *ttl);
bool	screen_score_is_whole(const struct score *score);
void	screen_score_free(struct score **score);

/* ------------------------------------------------------------ report.c */

void	screen_report_open(void);

/* "PASS NEW [192.0.2.1]:4000" */
void	screen_tell(const struct session *session, const char *what);

/* "NON-SMTP COMMAND from [192.0.2.1]:4000 after CONNECT: GET / HTTP/1.0"; after and detail may be NULL. */
void	screen_tell_from(const struct session *session, const char *what,
	    const char *after, const char *detail);
void	screen_tell_connect(const struct session *session);
void	screen_tell_listed(const struct session *session, bool permitted);
void	screen_tell_stress(bool entering, int clients);
void	screen_tell_veto(const struct session *session);
void	screen_tell_hangup(const struct session *session);
void	screen_tell_answer(const char *client, const char *list,
	    const char *answer);
void	screen_tell_refusal(struct session *session, const char *recipient);

/* At most a hundred characters, with \r and its kin as escapes. Released with free(3). */
char	*screen_escape(const char *bytes, size_t length);

/* How long this phase has lasted: "0.34". A string that lives until the next call. */
const char *screen_elapsed(const struct session *session);

#endif
