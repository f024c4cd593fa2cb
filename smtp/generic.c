/*
 * generic - addresses that only this host knows become some that others know
 *
 * smtp_generic_maps are asked once for each address: the envelope's, and
 * those in the header. The log and the queue go on with the old ones.
 */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "rewrite/rewrite.h"
#include "service/service.h"
#include "table/asker.h"

static struct maps *maps;
static bool propagates;

/* A job whose addresses proxymap is asked about. */
struct generic {
	struct table_asker	 asker;
	generic_done		*done;
};

void
generic_start(void)
{
	maps = maps_open("smtp_generic_maps", config.smtp_generic_maps);
	propagates = rewrite_propagates("generic");
	if (!maps_are_empty(maps))
		rewrite_open();
}

static int
complete(const char *address, struct text *out)
{
	rewrite_address(REWRITE_LOCAL, address, out);
	return 0;
}

int
generic_address(struct text *address)
{
	bool changed;

	return rewrite_map(maps, address, propagates, complete, &changed) ==
	    TABLE_ERROR ? -1 : 0;
}

static int
change(struct text *address, void *unused)
{
	(void)unused;
	return generic_address(address);
}

/* The address as it goes out, in the job's pool. NULL: nobody knows. */
static const char *
address_of(struct job *job, const char *address)
{
	struct text other = TEXT_EMPTY;
	const char *copy = address;

	text_puts(&other, address);
	if (*address != '\0' && generic_address(&other) == -1)
		copy = NULL;
	else if (strcmp(text_string(&other), address) != 0)
		copy = pool_strdup(job->request->pool, text_string(&other));
	text_clear(&other);
	return copy;
}

static int
rewrite_envelope(struct job *job)
{
	const struct envelope *envelope = job->request->envelope;
	size_t count = envelope->recipient_count;

	job->recipients = pool_alloc(job->request->pool,
	    (count + 1) * sizeof(*job->recipients));
	job->sender = address_of(job, envelope->sender);
	if (job->sender == NULL || job->recipients == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		job->recipients[i] = address_of(job,
		    envelope->recipients[i].address);
		if (job->recipients[i] == NULL)
			return -1;
	}
	return 0;
}

static int
rewrite_header(struct job *job)
{
	const struct delivery_request *request = job->request;
	struct header_walk walk = { .text = request->content,
	    .length = request->content_length };
	struct header_field field;
	struct text out = TEXT_EMPTY;
	const char *rest = request->content;
	int result = 0;

	while (result == 0 && header_next(&walk, &field)) {
		if (rewrite_field_class(&field) == 0)
			continue;
		text_append(&out, rest, (size_t)(field.raw - rest));
		rest = field.raw + field.raw_length;
		if (!rewrite_field(&out, &field, change, NULL))
			result = -1;
	}
	text_append(&out, rest, request->content_length -
	    (size_t)(rest - request->content));
	job->content_length = out.length;
	job->content = job->changed = text_take(&out);
	job->wire_size = content_wire_size(job->content, job->content_length);
	return result;
}

static void
try(void *argument)
{
	struct job *job = argument;
	struct generic *generic = job->generic;
	int result;

	free(job->changed);
	job->changed = NULL;
	table_ask_with(&generic->asker);
	result = rewrite_envelope(job);
	if (result == 0)
		result = rewrite_header(job);
	table_ask_with(NULL);
	if (generic->asker.pending > 0)
		return;

	generic_done *done = generic->done;

	if (result == -1)
		failure_set(&job->why, "4.3.0", "smtp_generic_maps lookup error");
	table_asker_clear(&generic->asker);
	free(generic);
	job->generic = NULL;
	done(job, result == 0);
}

bool
generic_is_wanted(const struct job *job)
{
	return !maps_are_empty(maps) && job->recipients == NULL;
}

void
generic_rewrite(struct job *job, generic_done *done)
{
	job->generic = mem_zalloc(1, sizeof(*job->generic));
	job->generic->done = done;
	job->generic->asker = (struct table_asker){
	    .ask = service_ask_table, .argument = job, .again = try };
	try(job);
}

const char *
generic_recipient(const struct job *job, size_t place)
{
	return job->recipients != NULL ? job->recipients[place] :
	    job->request->envelope->recipients[place].address;
}
