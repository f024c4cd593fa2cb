/*
 * recall - what was sent lately, for a qmgr that died before it knew
 *
 * A qmgr that is started again asks once more for every recipient whose mark
 * it does not find, flagged perhaps_delivered. What this process sent within
 * the last RECALL_MAX recipients is answered from memory, not sent twice.
 */

#include "client.h"

#include <stdlib.h>
#include <string.h>

enum { RECALL_MAX = 2048 };

struct sent {
	char	*key, *dsn, *relay, *host, *text;
};

static struct sent ring[RECALL_MAX];
static size_t next;

static char *
key_of(const struct envelope *envelope, const struct recipient *recipient)
{
	return mem_printf("%s %lld %s", *envelope->unique != '\0' ?
	    envelope->unique : envelope->queue_id,
	    (long long)recipient->number, recipient->address);
}

void
recall_note(const struct job *job, size_t place, const char *dsn,
    const char *text)
{
	const struct envelope *envelope = job->request->envelope;
	struct sent *sent = &ring[next++ % RECALL_MAX];

	free(sent->key);
	free(sent->dsn);
	free(sent->relay);
	free(sent->host);
	free(sent->text);
	*sent = (struct sent){
		.key = key_of(envelope, &envelope->recipients[place]),
		.dsn = mem_strdup(dsn), .text = mem_strdup(text),
		.relay = mem_strdup(job->session->relay),
		.host = mem_strdup(job->session->host),
	};
}

static const struct sent *
find(const char *key)
{
	for (size_t i = 0; i < RECALL_MAX && ring[i].key != NULL; i++) {
		if (strcmp(ring[i].key, key) == 0)
			return &ring[i];
	}
	return NULL;
}

void
recall_report(struct job *job)
{
	const struct envelope *envelope = job->request->envelope;

	for (size_t i = 0; i < envelope->recipient_count; i++) {
		char *key = key_of(envelope, &envelope->recipients[i]);
		const struct sent *sent = find(key);

		free(key);
		if (sent == NULL || job->marks[i] == MARK_DONE)
			continue;
		delivery_report_remote(job->request, &envelope->recipients[i],
		    DELIVERY_SENT, sent->dsn, sent->relay, sent->host,
		    sent->text, sent->text);
		job->marks[i] = MARK_DONE;
		job->left--;
	}
}
