/* receive - a packet becomes a notice */

#include "bounce/bounce.h"

#include <sys/mman.h>
#include <sys/stat.h>

/* Results count from 0 to the last recipient; what does not is nobody's. */
static void
keep_known(struct notice *notice)
{
	size_t kept = 0;

	for (size_t i = 0; i < notice->count; i++) {
		if ((size_t)notice->results[i].number <
		    notice->envelope->recipient_count)
			notice->results[kept++] = notice->results[i];
	}
	notice->count = kept;
}

/* A message that has its own file is read there; if that fails the notice goes without it. */
static void
map_content(struct notice *notice, const struct ipc_notice *asked)
{
	struct stat st;
	void *mapping;

	notice->content = "";
	notice->content_length = 0;
	if (fstat(asked->file, &st) == -1 || asked->offset > st.st_size ||
	    asked->length > st.st_size - asked->offset)
		return;
	notice->mapping_length = (size_t)(asked->offset + asked->length);
	mapping = mmap(NULL, notice->mapping_length, PROT_READ, MAP_PRIVATE,
	    asked->file, 0);
	if (mapping == MAP_FAILED) {
		log_warning("%s: cannot read the message for its notice: %m",
		    notice->envelope->queue_id);
		return;
	}
	notice->mapping = mapping;
	notice->content = (const char *)mapping + asked->offset;
	notice->content_length = (size_t)asked->length;
}

int
notice_receive(struct notice *notice, struct ipc_packet *packet)
{
	struct ipc_notice asked;

	*notice = (struct notice){ .pool = pool_new(0) };
	if (ipc_decode_notice(packet, &asked) == -1 ||
	    asked.kind < NOTICE_FAILURE || asked.kind > NOTICE_VERIFY ||
	    asked.offset < 0 || asked.length < 0) {
		log_warning("a notice that cannot be read");
		return -1;
	}
	notice->kind = (enum notice_kind)asked.kind;
	notice->is_expired = asked.flags & NOTICE_EXPIRED;
	notice->again = asked.flags & NOTICE_AGAIN;
	notice->envelope = envelope_decode(notice->pool, asked.envelope.bytes,
	    asked.envelope.length);
	notice->results = delivery_results_decode(notice->pool,
	    asked.results.bytes, asked.results.length, &notice->count);
	notice->content = asked.content.bytes;
	notice->content_length = asked.content.length;
	if (notice->envelope == NULL || notice->results == NULL) {
		log_warning("a notice that cannot be read: %m");
		return -1;
	}
	keep_known(notice);
	if (asked.file != -1 && asked.length > 0)
		map_content(notice, &asked);
	return 0;
}

void
notice_clear(struct notice *notice)
{
	if (notice->mapping != NULL)
		munmap(notice->mapping, notice->mapping_length);
	notice->mapping = NULL;
	pool_free(&notice->pool);
}
