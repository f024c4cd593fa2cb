/*
 * A service of postscreen in master.cf: who comes, and what is known of him?
 *
 * A client that is not known gets the first line of a greeting of two, and
 * must be silent for some seconds until the second; meanwhile lists in the
 * DNS are asked. Honest ones wait. Who passed is remembered, each test for
 * its time. What is tested in the dialogue is in talk.c.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/event.h>

#include "config/config.h"
#include "service/service.h"
#include "smtpd/check/check.h"
#include "smtpd/screen/screen.h"

/* Sessions under test, by address. */
static struct map *clients;

void
screen_open(void)
{
	if (!config.smtpd_screening)
		return;
	clients = map_new();
	screen_tests_open();
	screen_report_open();
	screen_access_open();
	screen_score_open();
}

/* The end. */

static void
forget(struct session *s)
{
	struct screening *x = s->screening;
	intptr_t left = (intptr_t)map_get(clients, x->client) - 1;

	screen_wait_stop(s);
	screen_ask_cancel(x->call);
	screen_score_free(&x->score);
	if (left > 0)
		map_set(clients, x->client, (void *)left);
	else
		map_remove(clients, x->client);
	free(x->own_refusal);
	free(x);
	s->screening = NULL;
}

/* It goes on as if there were no tests. */
static void
let_in(struct session *s)
{
	forget(s);
	session_greet(s);
}

static void
remember(struct screening *x)
{
	if (x->passed == 0 || check_witness != NULL)	/* who only asks does not count */
		return;
	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		if (x->passes.until[i] == SCREEN_NEW &&
		    !screen_is_enabled((enum screen_test)i))
			x->passes.until[i] = SCREEN_DISABLED;
	screen_learn(x->client, &x->passes);
}

void
screen_conclude(struct session *s)
{
	struct screening *x = s->screening;

	if (x->passed != 0 && x->passed == x->todo)
		screen_tell(s, x->is_new ? "PASS NEW" : "PASS OLD");
	remember(x);
	forget(s);
	session_has_passed(s);
}

void
screen_drop(struct session *s, const char *reply)
{
	char unread[4096];

	/* Unread, it would reset the connection, and the reply be lost. */
	for (int i = 0; i < 16 && recv(s->fd, unread, sizeof(unread),
	    MSG_DONTWAIT) == (ssize_t)sizeof(unread); i++)
		continue;
	screen_wait_stop(s);
	s->screening->is_dropped = true;
	session_say(s, "%s", reply);
	session_finish(s);
}

void
screen_drop_now(struct session *s, const char *reply)
{
	screen_drop(s, reply);
	session_go_on(s);
}

void
screen_end(struct session *s)
{
	struct screening *x = s->screening;

	if (x == NULL)
		return;
	/* He did not come as far as RCPT, but need not wait again. */
	if (x->phase == SCREEN_TALKING && x->refusal == NULL && !x->is_dropped)
		remember(x);
	told_cancel(s);
	told_forget(s);
	forget(s);
}

/* Who comes? */

static void
plan_tests(struct session *s)
{
	struct screening *x = s->screening;
	int64_t now = time(NULL);

	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		if (screen_is_enabled((enum screen_test)i) &&
		    x->passes.until[i] <= now) {
			x->todo |= BIT(i);
			x->is_new |= x->passes.until[i] <= SCREEN_DISABLED;
		}
	if (x->todo != 0) {
		screen_wait(s);
		return;
	}
	screen_tell(s, "PASS OLD");
	let_in(s);
}

static void
on_recalled(struct ipc_packet *packet, void *argument)
{
	struct session *s = argument;
	struct screening *x = s->screening;
	struct ipc_screened answer;

	x->call = 0;
	evtimer_del(&x->timer);
	screen_answered(packet != NULL);
	if (packet != NULL && ipc_decode_screened(packet, &answer) == 0 &&
	    screen_passes_parse(answer.passes, &x->passes) == 0)
		screen_note(s->client_address, &x->passes);
	plan_tests(s);
}

static void
on_no_answer(evutil_socket_t fd, short what, void *argument)
{
	struct session *s = argument;

	log_warning("the postscreen service does not answer: [%s] is tested "
	    "as somebody new", s->client_address);
	screen_ask_cancel(s->screening->call);
	on_recalled(NULL, s);
}

static void
recall(struct session *s)
{
	const struct timeval patience = { config.postscreen_watchdog_timeout, 0 };
	struct screening *x = s->screening;

	if (x->is_denied || screen_recall(s->client_address, &x->passes)) {
		plan_tests(s);
		return;
	}
	x->call = screen_ask(s->client_address, on_recalled, s);
	if (x->call == 0) {
		plan_tests(s);
		return;
	}
	evtimer_assign(&x->timer, service_base, on_no_answer, s);
	evtimer_add(&x->timer, &patience);
}

static void
deny(struct session *s)
{
	struct screening *x = s->screening;
	enum screen_action action = screen_action_of("postscreen_denylist_action",
	    config.postscreen_denylist_action);

	screen_tell_listed(s, false);
	if (action == SCREEN_DROP) {
		screen_drop_now(s, "521 5.3.2 Service currently unavailable");
		return;
	}
	if (action == SCREEN_ENFORCE) {
		x->is_denied = true;
		x->refusal = "550 5.3.2 Service currently unavailable";
	}
	recall(s);
}

void
screen_go_on(struct session *s)
{
	enum screen_access access = screen_access(s);

	if (access == ACCESS_WAIT)
		return;
	told_forget(s);
	if (access == ACCESS_REJECT)
		deny(s);
	else if (access != ACCESS_PERMIT)
		recall(s);
	else {
		screen_tell_listed(s, true);
		let_in(s);
	}
}

void
screen_begin(struct session *s)
{
	struct screening *x;
	intptr_t count = (intptr_t)map_get(clients, s->client_address) + 1;

	if (s->address.any.sa_family == AF_UNSPEC) {	/* gone already */
		session_greet(s);
		return;
	}
	x = s->screening = mem_zalloc(1, sizeof(*x));
	s->busy = true;
	x->since_ms = clock_ms();
	strlcpy(x->client, s->client_address, sizeof(x->client));
	map_set(clients, x->client, (void *)count);
	screen_tell_connect(s);
	if (config.postscreen_client_connection_count_limit > 0 &&
	    count > config.postscreen_client_connection_count_limit) {
		screen_tell_from(s, "NOQUEUE: reject: CONNECT", NULL,
		    "too many connections");
		screen_drop_now(s, "421 4.7.0 Error: too many connections");
		return;
	}
	screen_go_on(s);
}
