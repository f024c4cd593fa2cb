/* An evaluation of checks, as the files that run it see it: checks.c, verdict.c, provide.c. */

#ifndef SMTPD_CHECK_EVALUATION_H
#define SMTPD_CHECK_EVALUATION_H

#include <event2/event.h>

#include "smtpd/check/check.h"

#define DEPTH_MAX	8	/* restriction classes within one another */

struct frame {
	const struct check_list	*list;
	size_t			 at;
	bool			 warn_only;
	char			*subject;	/* what the table that led here was asked for, or NULL */
	const char		*subject_class;
};

struct evaluation {
	unsigned	 stages;	/* those still to come, as bits */
	unsigned	 all_stages;
	enum stage	 stage;
	struct frame	 frames[DEPTH_MAX];
	size_t		 depth;
	checks_done	*done;
	struct route	*sender_route, *recipient_route;
	bool		 asks_for_sender;
	struct question	*question;
	struct verify_question *verify_question;
	bool		 verify_answered;	/* for the check at hand */
	int		 verify_status;
	char		*verify_text;
	char		*if_permit, *if_reject;	/* replies to put off with */
	struct event	*pause;
	bool		 paused;
};

/* provide.c: is what the check looks at there? PERMIT: yes; NONE: no, pass it over; WAIT: asked for. */
enum verdict checks_provide(struct session *session, unsigned needs);

/* verdict.c: the client hears reply, or what stands in its way; takes it. */
enum verdict checks_send_refusal(struct session *session, char *reply);

/* After warn_if_reject? */
bool	checks_warn_only(const struct evaluation *evaluation);

#endif
