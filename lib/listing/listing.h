/*
 * listing - what is in the queue, for people and programs
 *
 * collect.c   from the spool and qmgr: every message with its recipients
 *             that are left, and why they wait
 * protocol.c  over public/showq: Postfix's attributes, which monitoring
 *             programs read
 * print.c     mailq's rows, and JSON
 * select.c    which messages are meant (select.h)
 *
 * showq(8) collects and sends; postqueue(1) receives and prints. When the
 * system is down the superuser's postqueue collects by itself.
 */

#ifndef LISTING_LISTING_H
#define LISTING_LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/pool.h"
#include "base/text.h"
#include "spool/spool.h"

/* The queues by name, in the order of a message's life. */
#define LISTING_QUEUES	"maildrop incoming active deferred hold"

/* Addresses are in their external form. Strings are "" when absent, never NULL. */
struct listed_recipient {
	const char	*original;	/* as the client gave it, if that differs */
	const char	*address;
	const char	*reason;	/* why it waits */
};

struct listed_message {
	const char	*queue;		/* maildrop, incoming, active, deferred, hold */
	const char	*id;
	int64_t		 arrival;	/* seconds since 1970 */
	int64_t		 size;		/* bytes of content */
	bool		 forced_expire;
	const char	*sender;	/* MAILER-DAEMON for the null sender */
	const char	*login;		/* who submitted it: a local user or an authenticated name */
	struct listed_recipient *recipients;
	size_t		 recipient_count;
};

/* A message; all of it is borrowed for the call. */
typedef void listing_callback(const struct listed_message *message,
    void *context);

/* How to list: by or'ing these. */
enum {
	LISTING_DOWN = 1 << 0,	/* nobody answers: the journal is read, too */
	LISTING_BRIEF = 1 << 1,	/* queue and id alone, and nothing is read of a file */
};

/*
 * Call on_message for every message of the queue in the working directory,
 * as it is found; it may move or remove the message. What is on its way is
 * asked of qmgr. Memory is that of one message and of the ids on their way.
 * 0, or -1 if qmgr did not answer (logged): the rest was listed.
 */
int	listing_collect(unsigned int how, listing_callback *on_message,
	    void *context);

/* The same for one message, if the queue has it. */
int	listing_find(unsigned int how, const char *id,
	    listing_callback *on_message, void *context);

/*
 * Connect to showq's socket at path. -1 with errno. Postfix's postqueue, and
 * others that read the stream, give up at attributes which they do not know;
 * a client of ours has an address that says so, and gets them.
 */
int	listing_connect(const char *path);

/* Does the peer of this connection get what only ours know? */
bool	listing_peer_is_ours(int fd);

/* The stream of public/showq: its begin, each message, its end. ours: with what only our own clients know. */
void	listing_encode_begin(struct text *out);
void	listing_encode(struct text *out, const struct listed_message *message,
	    bool ours);
void	listing_encode_end(struct text *out);

/*
 * Read such a stream. 1 with the next message, whose strings live in pool; 0
 * at its end; -1 if it ends early or is none. Unknown attributes are skipped.
 */
int	listing_read_begin(FILE *in);
int	listing_read(FILE *in, struct pool *pool,
	    struct listed_message *message);

/* mailq's form. All zeros but for the first two to begin. */
struct listing_printer {
	FILE	*out;
	bool	 long_ids;	/* wider columns: enable_long_queue_ids */
	size_t	 messages;
	int64_t	 bytes;
};

void	listing_print(struct listing_printer *printer,
	    const struct listed_message *message);
void	listing_print_end(struct listing_printer *printer);

/* One string member of a JSON object, with what separates it from those before. What is not UTF-8 loses its high bytes. */
void	listing_print_member(FILE *out, const char *separator, const char *name,
	    const char *value);

/* One object; and as a line. */
void	listing_print_object(FILE *out, const struct listed_message *message);
void	listing_print_json(FILE *out, const struct listed_message *message);

#endif
