#include "named-lite/envoy/envoy.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/report.h"
#include "named-lite/envoy/office.h"
#include "named-lite/envoy/secondary.h"
#include "named-lite/envoy/notify.h"
#include "sandbox/sandbox.h"

struct office office;

/* Errands */

static void
finish(struct errand *errand, bool went_well)
{
	TAILQ_REMOVE(&office.errands, errand, link);
	if (errand->done != NULL)
		errand->done(errand->argument, &errand->change, went_well);
	fd_close(&errand->parcel);
	free(errand);
}

/* One packet: a wish, or all changes that wait in a row. */
static void
send_next(void)
{
	static struct control_request request;
	struct errand *errand = TAILQ_FIRST(&office.errands);
	int fds[CONTROL_FDS_MAX], fd_count = 0;

	if (errand == NULL || errand->is_sent)
		return;
	request.wish = errand->wish;
	request.count = 0;
	do {
		errand->is_sent = true;
		if (errand->wish != CONTROL_CHANGE)
			break;
		request.changes[request.count++] = errand->change;
		if (errand->parcel != -1)
			fds[fd_count++] = errand->parcel;
		errand = TAILQ_NEXT(errand, link);
	} while (errand != NULL && errand->wish == CONTROL_CHANGE &&
	    request.count < CONTROL_CHANGES_MAX);
	if (control_send(office.control, &request, sizeof(request), fds,
	    fd_count) == -1)
		log_error("cannot reach the supervisor: %m");
}

static void
on_done(bool went_well)
{
	struct errand *errand, *next;

	for (errand = TAILQ_FIRST(&office.errands); errand != NULL &&
	    errand->is_sent; errand = next) {
		next = TAILQ_NEXT(errand, link);
		finish(errand, went_well);
	}
	send_next();
}

void
errand_run(enum control_wish wish, const struct control_change *change,
    int *parcel, errand_done *done, void *argument)
{
	struct errand *errand = mem_zalloc(1, sizeof(*errand));

	errand->wish = wish;
	if (change != NULL)
		errand->change = *change;
	errand->parcel = -1;
	if (parcel != NULL) {
		errand->parcel = *parcel;
		*parcel = -1;
	}
	errand->done = done;
	errand->argument = argument;
	TAILQ_INSERT_TAIL(&office.errands, errand, link);
	if (errand == TAILQ_FIRST(&office.errands))
		send_next();
}

void
errand_forget(const void *argument)
{
	struct errand *errand;

	TAILQ_FOREACH(errand, &office.errands, link)
		if (errand->argument == argument)
			errand->done = NULL;
}

void
errand_order(enum control_wish wish, unsigned number)
{
	static struct control_request request;

	request.wish = wish;
	request.count = number;
	if (control_send(office.control, &request, sizeof(request), NULL,
	    0) == -1)
		log_error("cannot reach the supervisor: %m");
}

/* Orders */

/* Whoever has a row of the old plan in hand hears of the new one before that is gone. */
static void
use_files(int fds[CONTROL_FDS_MAX])
{
	struct plan old_plan = office.plan;
	struct image old_image = office.image;

	if (image_map(&office.image, fds[CONTROL_FILE_IMAGE]) == -1 ||
	    plan_map(&office.plan, fds[CONTROL_FILE_PLAN]) == -1)
		fatal("cannot map the plan of the zones: %m");
	for (int i = 0; i < CONTROL_FILES; i++)
		fd_close(&fds[i]);
	if (old_plan.header == NULL || old_plan.header->configured_us !=
	    office.plan.header->configured_us) {
		office.logs_questions = office.plan.header->querylog;
		errand_order(CONTROL_SET_QUERYLOG, office.logs_questions);
	}
	secondary_use_plan();
	notify_use_plan(&old_plan);
	image_unmap(&old_image);
	plan_unmap(&old_plan);
}

static void
on_control(evutil_socket_t fd, short events, void *argument)
{
	static const int order_fds[CONTROL_KINDS] = {
		[CONTROL_IMAGE] = CONTROL_FILES, [CONTROL_CHANNEL] = 1 };
	struct control_order order = { CONTROL_KINDS, 0 };
	int fds[CONTROL_FDS_MAX], fd_count;
	ssize_t length = control_receive(fd, &order, sizeof(order), fds,
	    &fd_count);

	if (length == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (!control_is_good(length, sizeof(order), fds, fd_count,
	    order.kind < CONTROL_KINDS ? order_fds[order.kind] : 0)) {
		event_base_loopbreak(office.events);
		return;
	}
	switch (order.kind) {
	case CONTROL_IMAGE:
		use_files(fds);
		break;
	case CONTROL_CHANNEL:
		channel_open(order.number, fds[0]);
		break;
	case CONTROL_FORGET_CHANNEL:
		channel_close(order.number);
		break;
	case CONTROL_LOG:
		report_begin();
		break;
	case CONTROL_DONE:
		on_done(order.number != 0);
		break;
	default:
		break;
	}
}

static void
on_notice(evutil_socket_t fd, short events, void *argument)
{
	struct control_notice notice;

	while (recv(fd, &notice, sizeof(notice), MSG_DONTWAIT) ==
	    sizeof(notice))
		secondary_notified(&notice);
}

static int
enter_sandbox(int empty_root, const char *user)
{
	const char *why;

	if (empty_root != -1 && fchdir(empty_root) == -1) {
		log_error("cannot enter an empty directory: %m");
		return -1;
	}
	fd_close(&empty_root);
	if (sandbox_become(user, ".", &why) == -1) {
		log_error("cannot %s (%s): %m", why, user);
		return -1;
	}
	sandbox_enter("named-lite", SANDBOX_NETWORK, NULL);
	return 0;
}

int
envoy_run(int control, int notices, int empty_root, const char *user)
{
	struct event *orders, *told;

	setproctitle("envoy");
	tzset();
	office.control = control;
	office.notices = notices;
	office.started_at = time(NULL);
	TAILQ_INIT(&office.errands);
	office.events = event_base_new();
	if (office.events == NULL || notify_start() == -1 ||
	    enter_sandbox(empty_root, user) == -1)
		return EXIT_FAILURE;
	orders = event_new(office.events, control, EV_READ | EV_PERSIST,
	    on_control, NULL);
	told = event_new(office.events, notices, EV_READ | EV_PERSIST,
	    on_notice, NULL);
	event_add(orders, NULL);
	if (notices != -1)
		event_add(told, NULL);
	while (!event_base_got_break(office.events)) {
		log_flush();
		event_base_loop(office.events, EVLOOP_ONCE);
	}
	log_flush();
	return EXIT_SUCCESS;
}
