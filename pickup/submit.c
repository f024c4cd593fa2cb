/*
 * submit - the hand-over to cleanup
 *
 * What cleanup refuses for now waits in maildrop; what it refuses for good
 * goes back to its sender, through bounce(8).
 *
 * Large content goes into a file that cleanup lends, so that nobody who may
 * still have the one in maildrop open can change it behind cleanup's back.
 */

#include "pickup/pickup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "message/dot.h"

/* Messages under way: enough for cleanup to make batches. */
#define UNDERWAY_MAX	32

/* And with those that came by the socket, each of which has its sendmail waiting. */
#define DIRECT_MAX	256

#define COPY_SIZE	(64 << 10)

static struct ipc_client *cleanup, *bounce;
static struct map *underway;	/* by name */
static struct map *tokens;	/* of the same */

bool
submit_is_underway(const char *name)
{
	return underway != NULL && map_get(underway, name) != NULL;
}

bool
submit_has_room(void)
{
	return underway == NULL || map_count(underway) < UNDERWAY_MAX;
}

bool
submit_takes_direct(void)
{
	return underway == NULL || map_count(underway) < DIRECT_MAX;
}

bool
submit_is_busy(void)
{
	return underway != NULL && map_count(underway) > 0;
}

void
drop_free(struct drop **argument)
{
	struct drop *drop = *argument;

	if (drop == NULL)
		return;
	fd_close(&drop->fd);
	text_clear(&drop->content);
	pool_free(&drop->pool);
	free(drop);
	*argument = NULL;
}

/* sendmail did not wait for its answer. */
void
submit_forget_channel(struct ipc_channel *channel)
{
	size_t position = 0;
	void *value;

	while (underway != NULL &&
	    map_next(underway, &position, &value) != NULL) {
		struct drop *drop = value;

		if (drop->channel == channel)
			drop->channel = NULL;
	}
}

static void
end(struct drop *drop)
{
	map_remove(underway, drop->name);
	map_remove(tokens, drop->envelope->token);
	drop_free(&drop);
	maildrop_go_on();
	service_check_idle();
}

static void
put_off(struct drop *drop, const char *why)
{
	log_debug("maildrop/%s: %s: it waits", drop->name, why);
	if (drop->fd != -1)
		maildrop_try_later();
	else
		direct_answer(drop, 450, "");
	end(drop);
}

/* It is somebody else's now: the file goes, or sendmail hears it. */
static void
let_go(const struct drop *drop, const char *queue_id)
{
	char path[64];

	if (drop->fd == -1) {
		direct_answer(drop, 250, queue_id);
		return;
	}
	snprintf(path, sizeof(path), "maildrop/%s", drop->name);
	if (unlink(path) == -1 && errno != ENOENT)
		log_warning("cannot remove %s: %m; it will be sent again", path);
}

static void
log_accepted(const struct drop *drop, const char *queue_id)
{
	char sender[ADDRESS_EXTERNAL_SIZE];

	/* It came before cleanup and qmgr spoke of it; log readers count on that. */
	log_info_at(drop->submitted_us, "%s: uid=%ld from=<%s>%s%s", queue_id,
	    (long)drop->uid,
	    address_external(sender, drop->envelope->sender),
	    *drop->old_id != '\0' ? " orig_id=" : "", drop->old_id);
}

static void	hand_over(struct drop *drop, int file);

static void
on_sender_told(struct ipc_packet *reply, void *context)
{
	struct drop *drop = context;
	struct ipc_done done;

	if (reply == NULL || ipc_decode_done(reply, &done) == -1 ||
	    done.error != 0) {
		put_off(drop, "its sender could not be told");
		return;
	}
	let_go(drop, drop->name);
	end(drop);
}

/* It will never be taken: who sent it gets it back. */
static void
bounce_drop(struct drop *drop, const struct ipc_submit_result *refusal)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY, results = TEXT_EMPTY;
	bool small = drop->content_length <= IPC_INLINE_MAX;

	drop->envelope->queue_id = drop->name;
	/* Its notice is known by this, as that of a queued message by the queue id. */
	drop->envelope->unique = pool_printf(drop->pool, "%lld.D%s",
	    (long long)(drop->envelope->arrival_us / 1000000), drop->name);
	if (drop->envelope->unique == NULL)
		drop->envelope->unique = drop->name;
	envelope_encode(drop->envelope, &envelope);
	for (size_t i = 0; i < drop->envelope->recipient_count; i++) {
		char to[ADDRESS_EXTERNAL_SIZE];

		log_info("%s: to=<%s>, relay=none, delay=0, delays=0/0/0/0, "
		    "dsn=%s, status=bounced (%s)", drop->name,
		    address_external(to, drop->envelope->recipients[i].address),
		    refusal->dsn, refusal->reason);
		delivery_result_encode(&results, &(struct delivery_result){
		    .number = (int64_t)i, .status = DELIVERY_BOUNCED,
		    .dsn = refusal->dsn, .text = refusal->reason,
		    .relay = "none", .remote_mta = "", .diagnostic = "" });
	}
	ipc_encode_notice(&packet, 0, &(struct ipc_notice){
	    .kind = NOTICE_FAILURE,
	    .envelope = { envelope.bytes, envelope.length },
	    .results = { results.bytes, results.length },
	    .content = { text_string(&drop->content), drop->content.length },
	    .file = small ? -1 : dup(drop->fd),
	    .offset = drop->content_offset,
	    .length = small ? 0 : drop->content_length });
	text_clear(&envelope);
	text_clear(&results);
	ipc_client_call(bounce, &packet, on_sender_told, drop);
}

static void
on_answer(struct ipc_packet *reply, void *context)
{
	struct drop *drop = context;
	struct ipc_submit_result result;

	if (reply == NULL || ipc_decode_submit_result(reply, &result) == -1) {
		maildrop_doubt();	/* it may have been taken all the same */
		if (drop->fd == -1 && !drop->again) {
			drop->again = true;
			hand_over(drop, -1);
			return;
		}
		if (drop->fd == -1) {
			direct_answer(drop, 0, "");
			drop->channel = NULL;
		}
		put_off(drop, "cleanup went away");
		return;
	}
	if (result.status / 100 == 2) {
		log_accepted(drop, result.queue_id);
		let_go(drop, result.queue_id);
		end(drop);
		return;
	}
	if (result.status / 100 == 5 && !config.soft_bounce) {
		bounce_drop(drop, &result);
		return;
	}
	log_warning("%s%s: not taken: %lld %s %s",
	    drop->fd != -1 ? "maildrop/" : "", drop->name,
	    (long long)result.status, result.dsn, result.reason);
	put_off(drop, result.reason);
}

/* A copy in the file that cleanup lent, without CRs. */
static int
copy_content(const struct drop *drop, int file)
{
	struct dot_reader reader = { 0 };
	struct text text = TEXT_EMPTY;
	int64_t at = drop->content_offset, left = drop->content_length;
	char *room = mem_alloc(COPY_SIZE);
	int result = 0;

	dot_read_start(&reader, true);
	while (left > 0 && result == 0) {
		size_t part = left > COPY_SIZE ? COPY_SIZE : (size_t)left;

		if (fd_pread_full(drop->fd, room, part, at) != (ssize_t)part) {
			result = -1;
			break;
		}
		text_truncate(&text, 0);
		dot_read(&reader, room, part, &text);
		at += (int64_t)part;
		left -= (int64_t)part;
		if (left == 0)
			dot_read_finish(&reader, &text);
		result = fd_write_all(file, text.bytes, text.length);
	}
	free(room);
	text_clear(&text);
	return result;
}

static void
on_lent(struct ipc_packet *reply, void *context)
{
	struct drop *drop = context;
	struct ipc_content_file_lent lent;

	if (reply == NULL || ipc_decode_content_file_lent(reply, &lent) == -1 ||
	    lent.file == -1) {
		put_off(drop, "cleanup lends no file");
		return;
	}

	int file = ipc_packet_take_fd(reply);

	if (copy_content(drop, file) == -1) {
		log_warning("maildrop/%s: cannot copy it: %m", drop->name);
		fd_close(&file);
		put_off(drop, "no copy");
		return;
	}
	hand_over(drop, file);
}

/* Takes file, which is -1 when the content is small. */
static void
hand_over(struct drop *drop, int file)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY;

	drop->submitted_us = clock_wall_us();
	envelope_encode(drop->envelope, &envelope);
	ipc_encode_submit(&packet, 0, &(struct ipc_submit){
	    .again = drop->again,
	    .envelope = { envelope.bytes, envelope.length },
	    .content = { text_string(&drop->content), drop->content.length },
	    .file = file });
	text_clear(&envelope);
	ipc_client_call(cleanup, &packet, on_answer, drop);
}

void
submit_drop(struct drop *drop)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (cleanup == NULL) {
		cleanup = ipc_client_new(service_base,
		    config.cleanup_service_name);
		bounce = ipc_client_new(service_base,
		    config.bounce_service_name);
		underway = map_new();
		tokens = map_new();
	}
	map_set(underway, drop->name, drop);
	/* Its sendmail lost patience while we had it in hand, and left it in maildrop, too: one after the other. */
	if (map_get(tokens, drop->envelope->token) != NULL) {
		map_remove(underway, drop->name);
		drop_free(&drop);
		maildrop_try_later();
		return;
	}
	map_set(tokens, drop->envelope->token, drop);
	if (drop->content_length <= IPC_INLINE_MAX) {
		hand_over(drop, -1);
		return;
	}
	ipc_encode_content_file(&packet, 0, &(struct ipc_content_file){ 0 });
	ipc_client_call(cleanup, &packet, on_lent, drop);
}
