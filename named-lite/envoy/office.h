/* office - what the files of the envoy share; nobody else includes it */

#ifndef NAMED_LITE_ENVOY_OFFICE_H
#define NAMED_LITE_ENVOY_OFFICE_H

#include <sys/queue.h>

#include <event2/event.h>

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "named-lite/control.h"
#include "named-lite/plan.h"

/* Something that the supervisor was asked for, or will be. */
typedef void errand_done(void *argument, const struct control_change *change,
	    bool went_well);

struct errand {
	TAILQ_ENTRY(errand) link;
	enum control_wish wish;
	struct control_change change;
	int	 parcel;
	bool	 is_sent;
	errand_done *done;		/* NULL: nobody waits any more */
	void	*argument;
};

struct office {
	struct event_base *events;
	int	 control;
	int	 notices;
	struct plan plan;
	struct image image;
	bool	 logs_questions;
	int64_t	 started_at;		/* seconds since 1970 */
	TAILQ_HEAD(, errand) errands;
};

extern struct office office;

/* envoy.c: ask the supervisor, when it has done what it was asked before. Takes *parcel, which may be NULL. */
void	errand_run(enum control_wish wish, const struct control_change *change,
	    int *parcel, errand_done *done, void *argument);

/* That argument is gone: its errands are done without a word. */
void	errand_forget(const void *argument);

/* Ask for something that is not answered. */
void	errand_order(enum control_wish wish, unsigned number);

/* channel.c */
void	channel_open(unsigned number, int fd);
void	channel_close(unsigned number);

/* One that has sent a command, until it hears what came of it. */
struct session;

/* commands.c: do what a command line says. session_reply() comes then or later. */
void	command_run(struct session *session, char *line, bool read_only);

/* channel.c: error NULL is success; either may be NULL. */
void	session_reply(struct session *session, const char *error,
	    const char *text);

#endif
