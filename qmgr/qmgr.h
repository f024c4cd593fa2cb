/* qmgr.h - what the files of the queue manager share */

#ifndef QMGR_QMGR_H
#define QMGR_QMGR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "delivery/delivery.h"
#include "message/envelope.h"
#include "service/service.h"
#include "spool/change.h"
#include "spool/spool.h"

struct destination;
struct entry;
struct job;
struct journal_segment;

/* What becomes of a recipient in this round. Anything but DONE is tried again in a later one. */
enum recipient_state {
	RECIPIENT_PENDING,	/* not looked at yet */
	RECIPIENT_QUEUED,	/* waits for its turn, or is with an agent */
	RECIPIENT_DONE,		/* delivered, or its sender was told; marked in the spool */
	RECIPIENT_DEFERRED,
	RECIPIENT_BOUNCED,	/* final, but its sender was not told yet */
	RECIPIENT_OWED,		/* delivered, and marked so; its sender wants to hear it, and was not told yet */
};

/* Where one recipient goes, as trivial-rewrite said. */
struct route {
	const char	*transport;
	const char	*nexthop;
	const char	*address;
};

struct message {
	TAILQ_ENTRY(message) all;
	TAILQ_ENTRY(message) in_segment;
	char		 id[SPOOL_ID_SIZE];
	struct pool	*pool;
	struct envelope	*envelope;
	uint8_t		*states;	/* enum recipient_state, one each */
	struct route	*routes;
	struct text	 results;	/* of those that are deferred, bounced or owed, for bounce(8) and the file that waits */
	size_t		 unresolved;	/* answers that trivial-rewrite owes */
	size_t		 asked;		/* recipients before this place were asked for */
	struct event	*later;		/* NULL unless the spool refused it a file */
	bool		 waited;	/* it comes from deferred/ */
	bool		 by_hand;	/* somebody asked for this round: defer_transports holds nothing back */
	size_t		 underway;	/* recipients that are QUEUED */
	LIST_HEAD(, entry) waiting;	/* its deliveries that no agent has */
	LIST_HEAD(, job) jobs;		/* if it has many recipients */
	int64_t		 turn_us;	/* the first turn that was promised to recipients that are deferred; 0: none */
	size_t		 promised;	/* how many they are */
	int64_t		 active_us;
	bool		 perhaps_delivered;	/* found again after a stop: somebody may have delivered it */
	bool		 warned;	/* the sender knows that it waits */
	bool		 force_expired;	/* postsuper -e: what is deferred now is returned */
	const void	*telling;	/* notices.c: the question to bounce(8) that its round ends with */
	const char	*operation;	/* what postsuper wants of it once the agents are done, or NULL */

	/* In the journal... */
	struct journal_segment *segment;	/* NULL: in a file */
	int64_t		 offset;
	/* ...or in a file. */
	enum spool_queue queue;
	struct spool_record record;

	/* place.c: what the filer has been asked, and what is to be. */
	bool		 is_filing;	/* the filer has a question about it */
	int		 filing_to;	/* where it was to put it */
	bool		 filing_last;	/* with all that is to be said when its round is over */
	size_t		 marked, filed;	/* marks made; of these the filer was told */
	bool		 is_leaving;	/* its round is over: it goes to goal, and out of memory */
	bool		 is_patient;	/* and does not hurry: the filer was not asked yet */
	TAILQ_ENTRY(message) patient;
	int		 goal;		/* enum spool_queue, or SPOOL_NOWHERE */
	int64_t		 retry_at;
	bool		 wake;		/* somebody wants it tried as soon as it is there */
};

/* message.c: a message from the time it is read until it is finished. */

/*
 * Begin with a message whose front (header, marks, envelope) is at bytes;
 * waited: it comes from deferred/. NULL with errno: EEXIST if it is known
 * already, EALREADY if all its recipients are done, EBADMSG if the envelope
 * cannot be read.
 */
struct message *message_new(const struct spool_record *record,
	    const char *bytes, bool waited);
struct message *message_find(const char *id);

void	message_each(void (*visit)(struct message *message, void *context),
	    void *context);

/* Resolve the recipients and hand them to the scheduler. */
void	message_activate(struct message *message);

/* An agent's result, or one of our own. */
void	message_result(struct message *message,
	    const struct delivery_result *result);

/* Nothing can be done now: it stays in memory, and begins a new round in a while. */
void	message_try_later(struct message *message);

/* That while is over, if there is one: for message_each(). */
void	message_try_now(struct message *message, void *context);

/* A recipient got its result: look whether the message's round is over. */
void	message_check_finished(struct message *message);

/* A recipient's new state: marked in the spool, when it is one that the spool remembers. */
void	message_set_state(struct message *message, size_t recipient,
	    enum recipient_state state);
bool	message_has(const struct message *message, enum recipient_state state);

/* Read content: it is in the packet, or the packet has a descriptor, offset and length. 0, or -1 with errno. */
int	message_put_content(struct message *message, struct text *inline_content,
	    int *file, int64_t *offset);

/* It lies where it was to go, or is gone from the spool: the end of it, unless somebody wants something else of it. */
void	message_left(struct message *message, bool gone);

/* A copy in the journal of a message that has its file: finish the copy, forget it. */
void	message_forget_shadow(struct message *message);

/* We leave: if it was its turn to be tried, our successor tries it at once. */
void	message_leave_to_successor(const struct message *message);

/* postsuper's word on a message that is ours: gives true if it was obeyed (perhaps later). */
bool	message_operate(struct message *message, const char *operation);

/* room.c: how much may be in memory. */

/* May one more of this kind come into memory? */
bool	message_has_room(bool waited);

/* How much more of this kind may come; what is leaving counts as gone. */
struct room {
	size_t	messages, recipients;
};
struct room message_room(bool waited);

/* How much of all the room is taken; recipients may be somewhat more than there is room for. */
int	room_percent_used(void);

/* A message comes into memory, and leaves it. */
void	room_enter(const struct message *message);
void	room_leave(const struct message *message);

/* place.c: where a message lies, and what is marked there. */

/* The marks that the spool keeps for it, as they are now. */
void	place_marks(const struct message *message, struct text *marks);

/* How many messages are leaving. */
size_t	place_leaving(void);

/* Recipients have a new state, and so a new mark; in a file it is told the filer by place_update(). */
void	place_mark(struct message *message, size_t recipient);
void	place_mark_all(struct message *message);	/* those that are not done */
void	place_update(struct message *message);

/*
 * Its round is over: it goes to goal (a queue, or SPOOL_NOWHERE), to be tried
 * at retry_at, and then message_left() is called. When the spool refuses,
 * message_try_later().
 */
void	place_leave(struct message *message, int goal, int64_t retry_at);

/* Out of the journal into a file, while it goes on as it is. */
void	place_spill(struct message *message);

/* It is patient no longer: it goes now. */
void	place_go(struct message *message);

/* If it is patient, it stays, as if its round had not ended. */
void	place_stay(struct message *message);

/* patience.c: files that nobody waits for are made a few at a time. */

/* May the message wait a while with its file? Then place_go() is called for it, unless patience_end() was before. */
bool	patience_begin(struct message *message);
void	patience_end(struct message *message);
bool	patience_is_needed(void);	/* there are some that wait so */
void	patience_mail_came(void);

/* filing.c: questions to the filer (filer.c). */
typedef void filing_callback(struct ipc_packet *answer, void *context);

/* Fork it. lock is the open file whose lock says that we are the queue manager. */
void	filing_start(int lock);

/* done is called once, with the answer; never from inside this call. Takes packet. */
void	filing_ask(struct ipc_packet *packet, filing_callback *done, void *context);
size_t	filing_underway(void);

/* times.c: false while the clock cannot be believed: nothing expires by its jump. */
bool	times_may_expire(void);

/* routes.c: ask where each recipient goes, then hand them to the scheduler. */
void	routes_find(struct message *message);

/* arrivals.c: the journal's segments, and what cleanup tells. */
void	arrivals_start(void);
void	arrivals_packet(struct ipc_channel *channel, struct ipc_packet *packet);
void	arrivals_closed(struct ipc_channel *channel);
bool	arrivals_unread(void);		/* accepted mail waits for room in memory */
void	arrivals_look(void);		/* at what may have come that nobody told us of */
void	arrivals_pace(void);		/* there is room in memory */

/* journal.c: of a message that lies in the journal. */
int	journal_segment_number(const struct message *message);
int	journal_read(struct message *message, int64_t at, void *bytes,
	    size_t length);
void	journal_mark(struct message *message, size_t recipient, char mark);
void	journal_finished(struct message *message);

/* Call done when all marks that are made, and all that the filer was asked, are durable. */
void	journal_flush(void (*done)(void *context), void *context);

/* fates.c: was this submission committed? told: by cleanup, who also answered it. */
enum { FATE_SECONDS = 300 };	/* so long it may be asked */
void	fates_start(void);
void	fates_remember(const struct envelope *envelope, bool told);
void	fates_remember_record(const struct spool_record *record,
	    const char *bytes);
void	fates_tell(struct ipc_channel *channel, struct ipc_packet *packet,
	    const char *token);

/* deferred.c: the files that wait. */
void	deferred_start(void);
void	deferred_scan(bool all);	/* a queue run; all: also what is not due */
void	deferred_look_for_large(void);	/* a cleanup died that may not have told us of one */
void	deferred_arrived(const char *id);	/* a large message, in incoming/ */
void	deferred_wake(const char *id, bool by_hand);	/* try it now, or as soon as there is room for it */
void	deferred_pace(void);		/* there is room in memory */

/* We leave: what is left of a run that was asked for is our successor's. */
void	deferred_leave_to_successor(void);

/* postsuper spoke: a recipient that waited for its delivery is not tried in this round. */
void	message_drop_recipient(struct message *message, size_t recipient);

/* Recipients, so many, were deferred until their turn at a time: it begins its next round then. */
void	message_promise(struct message *message, size_t recipients,
	    int64_t turn_us);

/* schedule.h and what it lists: which recipients go next. */
void	schedule_message(struct message *message);

/* Why recipients wait here that a rate holds back, as results; nothing for the others. */
void	schedule_reasons(const struct message *message, struct text *reasons);

void	schedule_run(void);

/* An administrator wants all tried now (postqueue -f): no host and no transport counts as dead any more. */
void	schedule_forgive(void);
void	schedule_drop(struct message *message);

/* agents.c: connections to delivery agents. */
struct agent;

enum { AGENT_DEPTH = 32 };	/* requests that a worker may have before it answers */

/* Requests that agents have. */
size_t	agents_underway(void);

/* Read master.cf, while that can be opened. */
void	agents_start(void);

/* The agent of a transport; NULL if master.cf has no such service (logged). */
struct agent *agent_find(const char *transport);
bool	agent_is_worker(const struct agent *agent);

/*
 * It cannot be reached, dies with all that it gets, or nobody reads what it is
 * sent, for too long a time. After this was said it gets another chance.
 */
bool	agent_is_useless(struct agent *agent);

/* How many requests may be out at once over all; INT_MAX: as many as there are. */
int	agent_limit(const struct agent *agent);

/*
 * Hand entry to the agent. The deliveries to one mailbox are with one worker as
 * long as that works; at most spread workers have some at once. BUSY: nobody can
 * take it now, and schedule_run() is called when that may have changed.
 * UNREADABLE: the spool cannot give its content (logged).
 */
enum agent_answer { AGENT_BUSY, AGENT_TOOK, AGENT_UNREADABLE };
enum agent_answer agent_deliver(struct agent *agent, struct entry *entry,
	    int spread);

/* Some recipients of one message, to one destination, as one request. */
struct entry {
	TAILQ_ENTRY(entry) next;
	LIST_ENTRY(entry) of_message;	/* while no agent has it */
	struct destination *destination;
	struct message	*message;
	size_t		*recipients;	/* their places */
	size_t		 count;
	int		 deaths;	/* agents that died with it */
	bool		 is_large;	/* one of many deliveries of its message */
};

/* The agent died with it: it goes to the head of its destination's queue. Takes entry. */
void	schedule_again(struct entry *entry);

/* How it went. */
struct delivery_report {
	const struct delivery_result *results;	/* NULL: reason says why there are none */
	size_t		 count;
	const char	*reason;
	bool		 unreachable;	/* the destination as a whole is in trouble */
	bool		 alone;		/* it was not part of a batch */
};

/* schedule.c hears it. Takes entry. */
void	schedule_reported(struct entry *entry,
	    const struct delivery_report *report);

/* notices.c: bounce(8) and its defer and trace services. */

/*
 * A round is over: tell the sender of the failures, and of the successes if
 * he wants to hear of them. Who is told of becomes done; told is called at
 * the end, at once if there is nothing to tell.
 */
void	notices_send(struct message *message, bool expired,
	    void (*told)(struct message *message, bool ok));

/* What waits too long for its sender's peace is told, once; then message->warned. */
bool	notices_is_delay_due(const struct message *message);
void	notices_send_delay(struct message *message,
	    void (*told)(struct message *message, bool ok));

/* Does its sender want to hear that this recipient was served? */
bool	notices_owe(const struct message *message,
	    const struct delivery_result *result);

/* sites.c: what waits for a site, told to flush(8), and woken by it. */
void	sites_remember(const struct message *message);
void	sites_packet(struct ipc_channel *channel, struct ipc_packet *packet);

/* probes.c: what became of a probe's recipient, told to verify(8). */
void	probes_tell(const struct message *message,
	    const struct delivery_result *result);

/* operate.c: postqueue, postsuper, showq. A nudge is a user's word: "flush", "flush id X Y...". */
void	operate_nudge(const char *word);
void	operate_packet(struct ipc_channel *channel, struct ipc_packet *packet);
void	operate_closed(struct ipc_channel *channel);
void	operate_settled(const char *id);	/* the filer has no question about it any more */

#endif
