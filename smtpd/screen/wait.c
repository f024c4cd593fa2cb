/* Before the greeting: a client must be silent, and lists in the DNS are asked. */

#include "smtpd/screen/screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "config/config.h"
#include "service/service.h"
#include "smtpd/smtpd.h"

#define BEFORE_GREETING	(BIT(SCREEN_PREGREET) | BIT(SCREEN_DNSBL))

/* Clients that wait for their greeting; nine tenths of the places, until seven tenths: stress. */
static int waiting;
static bool is_stressed;

static const char protocol_error[] = "550 5.5.1 Protocol error";
static const char not_here[] = "450 4.3.2 Service currently unavailable";

const struct config *
screen_config(void)
{
	return is_stressed ? stress_config() : &config;
}

static void
count_waiting(int change)
{
	int64_t tenths = waiting += change, limit =
	    config.postscreen_pre_queue_limit;

	tenths *= 10;
	if (is_stressed ? tenths > limit * 7 : tenths < limit * 9)
		return;
	is_stressed = !is_stressed;
	screen_tell_stress(is_stressed, waiting);
}

void
screen_wait_stop(struct session *s)
{
	struct screening *x = s->screening;

	s->is_screening = false;
	if (x->is_counted)
		count_waiting(-1);
	x->is_counted = false;
	if (event_initialized(&x->timer))
		event_del(&x->timer);
}

/* True if the session ends for it. */
static bool
judge_score(struct session *s)
{
	struct screening *x = s->screening;
	const char *list;
	int ttl, total = screen_score_total(x->score, &list, &ttl);
	enum screen_action action = screen_action(SCREEN_DNSBL);
	char what[40];

	if (total < config.postscreen_dnsbl_threshold) {
		screen_pass(x, SCREEN_DNSBL, ttl);
		return false;
	}
	snprintf(what, sizeof(what), "DNSBL rank %d for", total);
	screen_tell(s, what);
	if (action == SCREEN_IGNORE)
		return false;
	x->own_refusal = mem_printf("%d 5.7.1 Service unavailable; client [%s] "
	    "blocked using %s", action == SCREEN_DROP ? 521 : 550,
	    s->client_address, list);
	if (action == SCREEN_DROP) {
		screen_drop_now(s, x->own_refusal);
		return true;
	}
	if (x->refusal == NULL)
		x->refusal = x->own_refusal;
	return false;
}

/* He is greeted now: for what remains to be tested, to be refused, or to be served. */
static void
finish(struct session *s)
{
	struct screening *x = s->screening;

	screen_wait_stop(s);
	if ((x->todo & ~x->passed & BIT(SCREEN_PREGREET)) && !x->spoke)
		screen_pass(x, SCREEN_PREGREET,
		    screen_ttl(SCREEN_PREGREET));
	if ((x->todo & BIT(SCREEN_DNSBL)) && judge_score(s))
		return;
	screen_score_free(&x->score);
	x->phase = SCREEN_TALKING;
	x->since_ms = clock_ms();
	x->is_served = x->refusal == NULL;
	if (x->is_served && (x->todo & ~x->passed & ~BEFORE_GREETING) == 0)
		screen_conclude(s);
	session_greet(s);
}

/* postscreen_dnsbl_allowlist_threshold: so good a score spares all else. */
static bool
is_spared(struct screening *x)
{
	const char *list;
	int ttl, total = screen_score_total(x->score, &list, &ttl);

	if (config.postscreen_dnsbl_allowlist_threshold == 0 ||
	    total > config.postscreen_dnsbl_allowlist_threshold ||
	    x->refusal != NULL)
		return false;
	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		if (i != SCREEN_DNSBL)
			screen_pass(x, (enum screen_test)i, ttl);
	x->passed &= x->todo;
	return true;
}

void
screen_scored(struct session *s)
{
	struct screening *x = s->screening;

	if (is_spared(x) || x->spoke || !(x->todo & BIT(SCREEN_PREGREET)))
		finish(s);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	finish(argument);
}

static void
judge_early_words(struct session *s, const char *words, size_t length)
{
	struct screening *x = s->screening;
	char what[60], *shown;

	snprintf(what, sizeof(what), "PREGREET %zu after %s", length,
	    screen_elapsed(s));
	shown = screen_escape(words, length);
	screen_tell_from(s, what, NULL, shown);
	free(shown);
	x->spoke = true;
	s->is_screening = false;
	if (screen_action(SCREEN_PREGREET) == SCREEN_DROP) {
		screen_drop_now(s, "521 5.5.1 Protocol error");
		return;
	}
	if (screen_action(SCREEN_PREGREET) == SCREEN_ENFORCE &&
	    x->refusal == NULL)
		x->refusal = protocol_error;
	if (x->score == NULL || screen_score_is_whole(x->score))
		finish(s);
	else
		s->busy = true;
}

bool
screen_withholds_greeting(const struct session *s)
{
	return s->screening != NULL && s->screening->spoke &&
	    screen_action(SCREEN_PREGREET) == SCREEN_ENFORCE;
}

void
screen_heard(struct session *s)
{
	char words[4096];
	ssize_t length = recv(s->fd, words, sizeof(words), MSG_PEEK);

	if (length > 0)
		judge_early_words(s, words, (size_t)length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
		screen_tell_hangup(s);
		screen_wait_stop(s);
		session_finish(s);
		session_go_on(s);
	}
}

static void
wait_for_words(struct session *s)
{
	s->is_screening = true;
	if (*config.postscreen_greet_banner != '\0')
		text_printf(&s->output, "220-%s\r\n",
		    config.postscreen_greet_banner);
	s->busy = false;
	if (s->input.length > 0)	/* behind a balancer's header */
		judge_early_words(s, s->input.bytes, s->input.length);
	else
		session_go_on(s);
}

void
screen_wait(struct session *s)
{
	struct timeval wait = { 0, 0 };
	struct screening *x = s->screening;

	x->phase = SCREEN_WAITING;
	x->since_ms = clock_ms();
	if (!screen_passes_here(s)) {
		screen_tell_veto(s);
		if (x->refusal == NULL)
			x->refusal = not_here;
	}
	if (!(x->todo & BEFORE_GREETING)) {
		finish(s);
		return;
	}
	if (waiting >= config.postscreen_pre_queue_limit) {
		screen_tell_from(s, "reject: connect", NULL,
		    "all screening ports busy");
		screen_drop_now(s, "421 4.3.2 All screening ports are busy");
		return;
	}
	count_waiting(1);
	x->is_counted = true;
	wait.tv_sec = screen_config()->postscreen_greet_wait;
	evtimer_assign(&x->timer, service_base, on_timer, s);
	evtimer_add(&x->timer, &wait);
	if (x->todo & BIT(SCREEN_DNSBL))
		x->score = screen_score_ask(s);
	if (x->todo & BIT(SCREEN_PREGREET))
		wait_for_words(s);
}
