/*
 * What a check asks of the DNS. Each thing is asked once in a transaction. A
 * session waits for one at a time, while others go on; what is likely to come
 * next may be asked ahead. Tables that only proxymap can read are in tables.c.
 */

#include "smtpd/check/check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "service/service.h"
#include "smtpd/smtpd.h"

#define TOLD_MAX	4000	/* answers that one transaction remembers */

/* A question under way. */
struct asking {
	struct asking		*next;
	struct session		*session;
	char			*key;
	bool			 is_awaited;	/* else it was asked ahead */
	struct resolve_query	*query;
};

static void
told_free(void *argument)
{
	struct told *told = argument;

	for (size_t i = 0; told->names != NULL && i < told->count; i++)
		free(told->names[i]);
	free(told->names);
	free(told->preferences);
	free(told->addresses);
	free(told);
}

void
told_forget(struct session *s)
{
	map_free(&s->told, told_free);
	tables_forget(s);
}

static void
forget(struct asking *asking)
{
	struct asking **place = &asking->session->asking;

	while (*place != asking)
		place = &(*place)->next;
	*place = asking->next;
	resolve_cancel(&asking->query);
	free(asking->key);
	free(asking);
}

void
told_cancel(struct session *s)
{
	while (s->asking != NULL)
		forget(s->asking);
	tables_cancel(s);
}

static const struct told *
remembered(const struct session *s, const char *key)
{
	return s->told == NULL ? NULL : map_get(s->told, key);
}

static struct asking *
under_way(const struct session *s, const char *key)
{
	struct asking *asking = s->asking;

	while (asking != NULL && strcmp(asking->key, key) != 0)
		asking = asking->next;
	return asking;
}

/* A new question; NULL if it was asked ahead and is awaited from now on. Takes key. */
static struct asking *
begin(struct session *s, char *key)
{
	struct asking *asking = under_way(s, key);

	if (asking != NULL) {
		asking->is_awaited = true;
		free(key);
		return NULL;
	}
	asking = mem_zalloc(1, sizeof(*asking));
	asking->next = s->asking;
	asking->session = s;
	asking->key = key;
	asking->is_awaited = true;
	s->asking = asking;
	return asking;
}

static void
finish(struct asking *asking, struct told *told)
{
	struct session *s = asking->session;
	bool is_awaited = asking->is_awaited;
	struct told *before;

	if (s->told != NULL && map_count(s->told) >= TOLD_MAX)
		told_forget(s);
	if (s->told == NULL)
		s->told = map_new();
	before = map_set(s->told, asking->key, told);
	if (before != NULL)
		told_free(before);
	forget(asking);
	if (is_awaited)
		checks_go_on(s);
}

static void
copy_names(struct told *told, const struct resolve_answer *answer)
{
	told->names = mem_zalloc(answer->count + 1, sizeof(*told->names));
	if (answer->mx != NULL)
		told->preferences = mem_zalloc(answer->count + 1,
		    sizeof(*told->preferences));
	for (size_t i = 0; i < answer->count; i++) {
		told->names[i] = mem_strdup(answer->mx != NULL
		    ? answer->mx[i].host : answer->names[i]);
		if (answer->mx != NULL)
			told->preferences[i] = answer->mx[i].preference;
	}
}

static void
on_answer(const struct resolve_answer *answer, void *argument)
{
	struct asking *asking = argument;
	struct told *told = mem_zalloc(1, sizeof(*told));

	asking->query = NULL;
	told->result = answer->result;
	told->count = answer->count;
	if (answer->mx != NULL || answer->names != NULL)
		copy_names(told, answer);
	else if (answer->count > 0) {
		told->addresses = mem_zalloc(answer->count,
		    sizeof(*told->addresses));
		memcpy(told->addresses, answer->addresses,
		    answer->count * sizeof(*told->addresses));
	}
	finish(asking, told);
}

static const struct told *
ask_addresses(struct session *s, const char *host, unsigned from,
    const char *kind)
{
	char *key = mem_printf("%s %s", kind, host);
	const struct told *told = remembered(s, key);
	struct asking *asking;

	if (told != NULL)
		free(key);
	else if ((asking = begin(s, key)) != NULL)
		asking->query = resolve_addresses(smtpd_resolver, host, from,
		    on_answer, asking);
	return told;
}

const struct told *
told_addresses(struct session *s, const char *host)
{
	return ask_addresses(s, host, RESOLVE_V4 | RESOLVE_V6, "host");
}

const struct told *
told_v4_addresses(struct session *s, const char *host)
{
	return ask_addresses(s, host, RESOLVE_V4, "A");
}

void
told_ahead_v4_addresses(struct session *s, const char *host)
{
	char *key = mem_printf("A %s", host);

	if (remembered(s, key) == NULL && under_way(s, key) == NULL) {
		told_v4_addresses(s, host);
		s->asking->is_awaited = false;
	}
	free(key);
}

typedef struct resolve_query *ask_function(struct resolver *, const char *,
    resolve_done *, void *);

static const struct told *
ask_names(struct session *s, const char *domain, const char *kind,
    ask_function *ask)
{
	char *key = mem_printf("%s %s", kind, domain);
	const struct told *told = remembered(s, key);
	struct asking *asking;

	if (told != NULL)
		free(key);
	else if ((asking = begin(s, key)) != NULL)
		asking->query = ask(smtpd_resolver, domain, on_answer, asking);
	return told;
}

const struct told *
told_mx(struct session *s, const char *domain)
{
	return ask_names(s, domain, "MX", resolve_mx);
}

const struct told *
told_ns(struct session *s, const char *domain)
{
	return ask_names(s, domain, "NS", resolve_ns);
}

const struct told *
told_text(struct session *s, const char *domain)
{
	return ask_names(s, domain, "TXT", resolve_text);
}

bool
told_is_asking(const struct session *s)
{
	for (const struct asking *a = s->asking; a != NULL; a = a->next) {
		if (a->is_awaited)
			return true;
	}
	return tables_are_asked(s);
}

const char *
address_text(const union resolve_address *address,
    char room[INET6_ADDRSTRLEN])
{
	if (address->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->v4.sin_addr, room,
		    INET6_ADDRSTRLEN);
	else if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
		inet_ntop(AF_INET, address->v6.sin6_addr.s6_addr + 12, room,
		    INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &address->v6.sin6_addr, room,
		    INET6_ADDRSTRLEN);
	return room;
}
