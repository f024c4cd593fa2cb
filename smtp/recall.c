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

static struct {
	char	*key, *dsn, *relay, *host, *text;
	enum delivery_action action;
} ring[RECALL_MAX];
static size_t next;

static char *
key_of(const struct envelope *envelope, const struct recipient *recipient)
{
	return mem_printf("%s %lld %s", *envelope->unique != '\0' ?
	    envelope->unique : envelope->queue_id,
	    (long long)recipient->number, recipient->address);
}

void
recall_add(const struct sent *sent)
{
	size_t place = next++ % RECALL_MAX;

	free(ring[place].key);
	free(ring[place].dsn);
	free(ring[place].relay);
	free(ring[place].host);
	free(ring[place].text);
	ring[place].key = mem_strdup(sent->key);
	ring[place].dsn = mem_strdup(sent->dsn);
	ring[place].relay = mem_strdup(sent->relay);
	ring[place].host = mem_strdup(sent->host);
	ring[place].text = mem_strdup(sent->text);
	ring[place].action = sent->action;
}

void
recall_note(const struct job *job, size_t place, const char *dsn,
    const char *text)
{
	const struct envelope *envelope = job->request->envelope;
	char *key = key_of(envelope, &envelope->recipients[place]);
	const struct sent sent = { key, dsn, job->session->relay,
	    job->session->host, text, job->request->action };

	recall_add(&sent);
	if (job->is_announced)
		succession_sent(&sent);
	free(key);
}

static bool
find(const char *key, struct sent *sent)
{
	for (size_t i = 0; i < RECALL_MAX && ring[i].key != NULL; i++) {
		if (strcmp(ring[i].key, key) != 0)
			continue;
		*sent = (struct sent){ ring[i].key, ring[i].dsn,
		    ring[i].relay, ring[i].host, ring[i].text,
		    ring[i].action };
		return true;
	}
	return false;
}

void
recall_report(struct job *job)
{
	const struct envelope *envelope = job->request->envelope;

	for (size_t i = 0; i < envelope->recipient_count; i++) {
		char *key = key_of(envelope, &envelope->recipients[i]);
		struct sent sent;
		bool found = find(key, &sent);

		free(key);
		if (!found || job->marks[i] == MARK_DONE)
			continue;
		job->request->action = sent.action;
		delivery_report_remote(job->request, &envelope->recipients[i],
		    DELIVERY_SENT, sent.dsn, sent.relay, sent.host,
		    sent.text, sent.text);
		job->marks[i] = MARK_DONE;
		job->left--;
	}
}
