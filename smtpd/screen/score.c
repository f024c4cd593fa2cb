/*
 * postscreen_dnsbl_sites: lists in the DNS add up to a score.
 *
 *	list.example=127.0.0.[2..11]*3, other.example, allow.example*-2
 *
 * Rows with the same domain share one question, and all questions go out at
 * once. A list that has not answered in time counts nothing.
 */

#include "smtpd/screen/screen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "service/service.h"
#include "smtpd/check/check.h"
#include "smtpd/smtpd.h"
#include "table/table.h"

#define WEIGHT_MAX	1000000

struct site {
	const struct dnsbl *list;
	size_t		 domain;	/* which of these */
	int		 weight;
};

struct domain {
	const struct dnsbl *list;	/* some row with this domain */
	const char	*shown;		/* what clients hear of it */
};

static struct site *sites;
static struct domain *domains;
static size_t site_count, domain_count;

/* A question to one domain. */
struct question {
	struct score	*score;
	size_t		 domain;
	struct resolve_query *query;
};

struct score {
	struct session	*session;
	size_t		 unanswered;
	int		 total;
	int		 worst_weight;
	const char	*worst;
	unsigned	 ttl;		/* the smallest that was heard; 0: none */
	bool		 is_uncertain;	/* some list gave no answer that counts */
	struct event	*timer;
	struct question	 questions[];
};

/* What a refusal calls it: its domain may have a password in it. */
static const char *
shown_name(const char *domain)
{
	static struct table *names;
	const char *value;

	if (*config.postscreen_dnsbl_reply_map == '\0')
		return domain;
	if (names == NULL)
		names = table_open(config.postscreen_dnsbl_reply_map, 0);
	switch (table_get(names, domain, &value)) {
	case TABLE_FOUND:
		return mem_strdup(value);
	case TABLE_NONE:
		return domain;
	case TABLE_ERROR:
		break;
	}
	/* Better a refusal that does not help than a password that is told. */
	return "a list";
}

static size_t
domain_of(const struct dnsbl *list)
{
	for (size_t i = 0; i < domain_count; i++)
		if (text_equal_nocase(dnsbl_domain(domains[i].list),
		    dnsbl_domain(list)))
			return i;
	domains = mem_resize(domains, domain_count + 1, sizeof(*domains));
	domains[domain_count] = (struct domain){ list,
	    shown_name(dnsbl_domain(list)) };
	return domain_count++;
}

static void
add_site(char *word)
{
	char *star = strchr(word, '*');
	const char *why = NULL, *error = NULL;
	int weight = 1;

	if (star != NULL) {
		*star++ = '\0';
		weight = (int)strtonum(star, -WEIGHT_MAX, WEIGHT_MAX, &error);
	}

	const struct dnsbl *list = dnsbl_new(word, &why);

	if (list == NULL || error != NULL)
		fatal("postscreen_dnsbl_sites: %s%s%s: %s", word,
		    star != NULL ? "*" : "", star != NULL ? star : "",
		    list == NULL ? why : "expected a whole number behind the *");
	sites = mem_resize(sites, site_count + 1, sizeof(*sites));
	sites[site_count++] = (struct site){ list, domain_of(list), weight };
}

void
screen_score_open(void)
{
	char *words = mem_strdup(config.postscreen_dnsbl_sites);
	char *cursor = words, *word;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		add_site(word);
	free(words);
}

bool
screen_has_sites(void)
{
	return site_count > 0;
}

static bool
is_listed(const struct site *site, const struct resolve_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		uint32_t address = ntohl(
		    answer->addresses[i].v4.sin_addr.s_addr);

		if (dnsbl_is_verdict(domains[site->domain].list, address) &&
		    dnsbl_wants(site->list, address))
			return true;
	}
	return false;
}

int
screen_score_weigh(size_t domain, const struct resolve_answer *answer,
    int *heaviest)
{
	int total = 0;

	*heaviest = 0;
	for (size_t i = 0; i < site_count; i++) {
		if (sites[i].domain != domain || !is_listed(&sites[i], answer))
			continue;
		total += sites[i].weight;
		if (*heaviest < sites[i].weight)
			*heaviest = sites[i].weight;
	}
	return total;
}

static void
add_up(struct score *score, size_t domain, const struct resolve_answer *answer)
{
	int heaviest;

	score->total += screen_score_weigh(domain, answer, &heaviest);
	if (heaviest > score->worst_weight) {
		score->worst_weight = heaviest;
		score->worst = domains[domain].shown;
	}
}

static void
note_answers(const struct session *s, size_t domain,
    const struct resolve_answer *answer)
{
	char room[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < answer->count; i++)
		screen_tell_answer(s->client_address,
		    dnsbl_domain(domains[domain].list),
		    address_text(&answer->addresses[i], room));
}

static void
finish(struct score *score)
{
	if (score->timer != NULL)
		event_free(score->timer);
	score->timer = NULL;
	screen_scored(score->session);
}

static void
on_answer(const struct resolve_answer *answer, void *argument)
{
	struct question *question = argument;
	struct score *score = question->score;

	question->query = NULL;
	note_answers(score->session, question->domain, answer);
	add_up(score, question->domain, answer);
	if (answer->result == RESOLVE_TEMPORARY)
		score->is_uncertain = true;
	else if (answer->ttl > 0 &&
	    (score->ttl == 0 || answer->ttl < score->ttl))
		score->ttl = answer->ttl;
	if (--score->unanswered == 0)
		finish(score);
}

static void
stop_asking(struct score *score)
{
	for (size_t i = 0; i < domain_count; i++)
		resolve_cancel(&score->questions[i].query);
	score->unanswered = 0;
}

/* postscreen_dnsbl_timeout. */
static void
on_timeout(evutil_socket_t fd, short what, void *argument)
{
	struct score *score = argument;

	score->is_uncertain = true;
	stop_asking(score);
	finish(score);
}

struct score *
screen_score_ask(struct session *s)
{
	const struct timeval limit = { config.postscreen_dnsbl_timeout, 0 };
	struct score *score = mem_zalloc(1, sizeof(*score) +
	    domain_count * sizeof(score->questions[0]));

	score->session = s;
	score->unanswered = domain_count;
	for (size_t i = 0; i < domain_count; i++) {
		struct question *question = &score->questions[i];
		char *name = dnsbl_client_question(s, domains[i].list);

		question->score = score;
		question->domain = i;
		question->query = resolve_addresses(smtpd_resolver, name,
		    RESOLVE_V4, on_answer, question);
		free(name);
	}
	if (config.postscreen_dnsbl_timeout <
	    screen_config()->postscreen_greet_wait) {
		score->timer = evtimer_new(service_base, on_timeout, score);
		evtimer_add(score->timer, &limit);
	}
	return score;
}

int
screen_score_total(const struct score *score, const char **list, int *ttl)
{
	int seconds = config.postscreen_dnsbl_max_ttl;

	/* What was not heard is asked again soon. */
	if (score->is_uncertain || score->unanswered > 0)
		seconds = 0;
	else if (score->ttl > 0 && score->ttl < (unsigned)seconds)
		seconds = (int)score->ttl;
	if (seconds < config.postscreen_dnsbl_min_ttl)
		seconds = config.postscreen_dnsbl_min_ttl;
	*ttl = seconds;
	*list = score->worst;
	return score->total;
}

bool
screen_score_is_whole(const struct score *score)
{
	return score->unanswered == 0;
}

void
screen_score_free(struct score **argument)
{
	struct score *score = *argument;

	*argument = NULL;
	if (score == NULL)
		return;
	stop_asking(score);
	if (score->timer != NULL)
		event_free(score->timer);
	free(score);
}
