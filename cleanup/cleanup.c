/*
 * cleanup - a submission becomes a message that survives
 *
 * In       whole messages of smtpd, pickup, bounce and local, envelope and content
 * Out      the answer to each, once it is durable; the news to qmgr
 * Touches  journal/ (append), incoming/ and hold/ (create); lookup tables
 * Trusts   nobody: what smtpd hands on comes from strangers
 * Killed   before the commit: nothing was accepted, and who submitted asks a
 *          successor; after it: qmgr finds the batch in the journal
 *
 * All submissions that wait are one batch: each is looked at (characters.c),
 * made 7 bits wide where that is wanted (convert.c), completed, rewritten,
 * expanded and checked (canonical.c, expand.c, header.c, checks.c,
 * parts.c), then one flush makes all of them durable
 * (store.c), then all are answered. What arrives meanwhile is the next batch.
 * One that needs a table's server to answer waits for that outside of any batch.
 */

#include "cleanup/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include "service/explain.h"
#include "table/asker.h"

static void
lend_content_file(struct service_request *request)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	int file = -1;

	errno = ENOSPC;
	if (store_has_room())
		file = spool_content_file();

	ipc_encode_content_file_lent(&reply, 0, &(struct ipc_content_file_lent){
	    .error = file == -1 ? errno : 0, .file = file });
	service_reply(request, &reply);
}

static bool
is_asked_again(const struct ipc_packet *packet)
{
	struct ipc_submit submit;

	return ipc_decode_submit(packet, &submit) == 0 && submit.again;
}

static void
submission_clear(struct submission *submission)
{
	text_clear(&submission->header);
	text_clear(&submission->changed);
	text_clear(&submission->said);
	fd_close(&submission->changed_file);
	pool_free(&submission->pool);
	*submission = (struct submission){ .file = -1, .changed_file = -1 };
}

/* All but the writing. False: a table's server must answer first, and the request comes again. */
static bool
prepare(struct submission *submission, struct service_request *request)
{
	service_begin_tables(request);
	receive(submission, request);
	characters_check(submission);
	convert_content(submission);
	begin_header(submission);
	expand_envelope(submission);
	if (!table_is_asking())
		rewrite_header(submission);
	return service_end_tables(request);
}

/* The submissions that are asked for the first time, or again, as one batch. How many were of the other kind. */
static size_t
serve_submissions(struct service_request *requests, size_t count, bool again)
{
	struct submission *submissions = mem_zalloc(count, sizeof(*submissions));
	size_t n = 0, others = 0;

	for (size_t i = 0; i < count; i++) {
		struct ipc_packet *packet = &requests[i].packet;

		if (ipc_packet_kind(packet) != IPC_submit)
			continue;
		if (is_asked_again(packet) != again) {
			others++;
			continue;
		}
		if (prepare(&submissions[n], &requests[i])) {
			checks_tell(&submissions[n]);
			store_add(&submissions[n]);
			n++;
		} else
			submission_clear(&submissions[n]);
	}
	store_commit(submissions, n);
	for (size_t i = 0; i < n; i++)
		submission_clear(&submissions[i]);
	free(submissions);
	return others;
}

static void
serve(struct service_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ipc_packet *packet = &requests[i].packet;

		if (ipc_packet_kind(packet) == IPC_content_file)
			lend_content_file(&requests[i]);
		else if (ipc_packet_kind(packet) != IPC_submit)
			log_warning("unexpected %s packet",
			    ipc_kind_name(ipc_packet_kind(packet)));
	}
	/* The first asking of one who died may lie beside the second of his successor: it must be committed before. */
	if (serve_submissions(requests, count, false) > 0)
		serve_submissions(requests, count, true);
}

static void
start(void)
{
	expand_open();
	characters_open();
	checks_open();
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = {
		{ "journal", true }, { "incoming", true }, { "hold", true },
		{ NULL, false },
	};
	static const struct service cleanup = {
		.name	 = "cleanup",
		.start	 = start,
		.ready	 = store_open,
		.serve	 = serve,
		.has_more = store_has_untold,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK,
		.paths	 = paths,
	};

	if (explain_is_wanted(argc, argv))
		return explain(argc, argv);
	return service_worker(&cleanup, argc, argv);
}
