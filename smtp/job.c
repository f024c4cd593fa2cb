/* job - one request of qmgr: which hosts to try, in which order, and the report */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "service/service.h"

static TAILQ_HEAD(, job) jobs = TAILQ_HEAD_INITIALIZER(jobs);
static size_t count;

static void	begin(struct job *job);

size_t
job_count(void)
{
	return count;
}

static void
job_free(struct job *job)
{
	if (job->session != NULL)
		session_end(&job->session);
	destination_leave(&job->destination);
	failure_clear(&job->why);
	free(job->marks);
	free(job->changed);
	delivery_request_free(&job->request);
	TAILQ_REMOVE(&jobs, job, link);
	count--;
	free(job);
	service_check_idle();
}

/* Is there an orphan, here or with a predecessor, whose outcome decides about this job? */
static bool
has_orphan(const struct job *job)
{
	const struct job *other;

	if (succession_has_doubt(job->request->envelope->queue_id))
		return true;
	TAILQ_FOREACH(other, &jobs, link) {
		if (other != job && other->channel == NULL &&
		    strcmp(other->request->envelope->queue_id,
		    job->request->envelope->queue_id) == 0)
			return true;
	}
	return false;
}

static struct job *
find_releasable(void)
{
	struct job *job;

	TAILQ_FOREACH(job, &jobs, link) {
		if (job->is_held && !has_orphan(job))
			break;
	}
	return job;
}

/* An orphan is gone: whoever was held for it may begin. */
void
job_release_held(void)
{
	struct job *job;

	while ((job = find_releasable()) != NULL) {
		job->is_held = false;
		begin(job);
	}
}

/* The final dot is on its way: the message may be accepted already. */
static bool
is_in_doubt(const struct session *session)
{
	return session != NULL && (session->stage == STAGE_DOT ||
	    (session->stage == STAGE_BODY && session->content.finished));
}

void
jobs_announce(void)
{
	struct job *job;

	TAILQ_FOREACH(job, &jobs, link) {
		if (is_in_doubt(job->session))
			succession_announce(job);
	}
}

void
job_orphan(const struct ipc_channel *channel)
{
	struct job *job, *next;

	TAILQ_FOREACH_SAFE(job, &jobs, link, next) {
		if (job->channel != channel)
			continue;
		job->channel = NULL;
		if (is_in_doubt(job->session)) {
			if (service_is_leaving())
				succession_announce(job);
		} else if (job->session != NULL) {
			job_free(job);
		}
	}
	job_release_held();
}

static void
job_end(struct job *job)
{
	bool was_orphan = job->channel == NULL;

	if (job->is_announced)
		succession_settle(job);
	job_free(job);
	if (was_orphan)
		job_release_held();
}

/* All recipients have their result. */
static void
finish(struct job *job)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	delivery_encode_reply(job->request, &reply);
	if (job->channel != NULL)
		ipc_channel_send(job->channel, &reply);
	ipc_packet_clear(&reply);
	job_end(job);
}

bool
job_has_more(const struct job *job)
{
	int limit = config.smtp_mx_session_limit;

	return *job->sites != '\0' || (job->next_target < job->target_count &&
	    (limit == 0 || job->sessions < limit));
}

/* The list of sites is used up. What looks like our own mistake does not cost mail. */
static void
give_up(struct job *job)
{
	const char *parameter = job->on_fallback ? "smtp_fallback_relay" :
	    strcmp(job->request->nexthop, config.relayhost) == 0 ?
	    "relayhost" : NULL;

	if (job->why.dsn[0] == '\0') {
		failure_set(&job->why, "4.3.0",
		    "server unavailable or unable to receive mail");
	} else if (job->why.dsn[0] == '5' && parameter != NULL) {
		log_warning("%s configuration problem: %s", parameter,
		    job->why.text);
		strlcpy(job->why.dsn, "4.3.5", sizeof(job->why.dsn));
	}
	outcome_rest(job, true);
}

static void
on_route(const struct route *route, void *argument)
{
	struct job *job = argument;

	job->target_count = job->next_target = 0;
	job->sessions = 0;
	if (route->count == 0)
		failure_copy(&job->why, &route->why);
	else
		job->target_count = route_choose(route, job->request->pool,
		    &job->targets);
	/* Among the mail exchangers of this domain: whoever is left, it is not the fallback. */
	if (route->has_self)
		job->sites = strchr(job->sites, '\0');
	job_go_on(job);
}

/* Ask where the next nexthop of the list leads. False if there is none. */
static bool
next_site(struct job *job)
{
	struct nexthop nexthop;
	const char *why;
	char *site;

	while ((site = word_next(&job->sites, LIST_SEPARATORS)) != NULL) {
		job->sites += strspn(job->sites, LIST_SEPARATORS);
		job->site_number++;
		job->on_fallback = site >= job->fallbacks;
		if (nexthop_parse(site, smtp_port, &nexthop, &why) == 0) {
			route_ask(&nexthop, &job->waiter);
			return true;
		}
		failure_set(&job->why, "5.4.4",
		    "bad nexthop \"%s\": %s", site, why);
	}
	return false;
}

static bool
next_target(struct job *job)
{
	int limit = config.smtp_mx_session_limit;

	while (job->next_target < job->target_count &&
	    (limit == 0 || job->sessions < limit)) {
		job->session = session_open(job,
		    &job->targets[job->next_target++]);
		if (job->session != NULL)
			return true;
	}
	return false;
}

void
job_go_on(struct job *job)
{
	for (size_t i = 0; i < job->request->envelope->recipient_count; i++) {
		if (job->marks[i] != MARK_DONE)
			job->marks[i] = MARK_WAITING;
	}
	if (job->channel == NULL) {
		job_end(job);
		return;
	}
	if (job->left > 0 && (next_target(job) || next_site(job)))
		return;
	if (job->left > 0)
		give_up(job);
	finish(job);
}

static void begin(struct job *job);

static void
on_rewritten(struct job *job, bool worked)
{
	if (job->channel == NULL) {
		job_go_on(job);
	} else if (worked) {
		begin(job);
	} else {
		outcome_rest(job, true);
		finish(job);
	}
}

static void
begin(struct job *job)
{
	if (generic_is_wanted(job)) {
		generic_rewrite(job, on_rewritten);
		return;
	}
	if (job->request->perhaps_delivered)
		recall_report(job);
	if (job->left > 0)
		job->session = destination_take(job->destination);
	if (job->session != NULL)
		session_take(job->session, job);
	else
		job_go_on(job);
}

/* LMTP has its own transports, and its own issue. */
static bool
is_lmtp(const struct delivery_request *request)
{
	return strcmp(request->transport, "lmtp") == 0 ||
	    strcmp(service_name, "lmtp") == 0 ||
	    text_starts_with(request->nexthop, "inet:") ||
	    text_starts_with(request->nexthop, "unix:");
}

/* The request was decoded; its strings are well formed, no more. */
static struct job *
job_new(struct ipc_channel *channel, struct delivery_request *request)
{
	struct job *job = mem_zalloc(1, sizeof(*job));

	job->channel = channel;
	job->request = request;
	job->left = request->envelope->recipient_count;
	job->marks = mem_zalloc(job->left + 1, sizeof(*job->marks));
	job->sender = request->envelope->sender;
	job->content = request->content;
	job->content_length = request->content_length;
	job->wire_size = content_wire_size(job->content, job->content_length);
	job->waiter.done = on_route;
	job->waiter.argument = job;
	job->destination = destination_join(request->nexthop);
	job->sites = pool_printf(request->pool, "%s %s", request->nexthop,
	    config.smtp_fallback_relay);
	if (job->sites != NULL)
		job->fallbacks = job->sites + strlen(request->nexthop) + 1;
	TAILQ_INSERT_TAIL(&jobs, job, link);
	count++;
	return job;
}

void
job_start(struct ipc_channel *channel, struct ipc_packet *packet)
{
	uint64_t number = ipc_packet_request(packet);
	struct delivery_request *request = delivery_request_decode(packet);

	if (request == NULL) {
		/* An answer all the same, so that nobody waits for ever. */
		struct ipc_packet reply = IPC_PACKET_EMPTY;

		ipc_encode_delivered(&reply, number,
		    &(struct ipc_delivered){ .results = { "", 0 } });
		ipc_channel_send(channel, &reply);
		ipc_packet_clear(&reply);
		return;
	}

	struct job *job = job_new(channel, request);

	if (job->sites == NULL || is_lmtp(request)) {
		failure_set(&job->why, "4.3.5", "delivery over LMTP is not "
		    "implemented yet; use smtp or local for this transport");
		outcome_rest(job, true);
		finish(job);
		return;
	}
	job->is_held = request->perhaps_delivered && has_orphan(job);
	if (!job->is_held)
		begin(job);
}
