/* check_policy_service: what another program says of the client and its request. */

#include "smtpd/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "config/config.h"
#include "config/values.h"
#include "policy/policy.h"
#include "service/service.h"
#include "smtpd/transaction.h"

struct policy {
	struct policy_service	*service;
	char			*name;		/* "inet:host:port" */
	const char		*default_action;
	const char		*context;
};

/* What a session asks, or has been told. */
struct delegation {
	struct policy_request	*request;	/* NULL: answered */
	char			*action;	/* NULL: nobody could be asked */
};

/* "{ service, name = value, ... }": settings of this one alone. */
static const struct {
	const char	*name;
	bool		 is_time;
	size_t		 offset;
} options[] = {
	{ "timeout", true, offsetof(struct policy_settings, timeout) },
	{ "max_idle", true, offsetof(struct policy_settings, max_idle) },
	{ "max_ttl", true, offsetof(struct policy_settings, max_ttl) },
	{ "request_limit", false,
	    offsetof(struct policy_settings, request_limit) },
	{ "try_limit", false, offsetof(struct policy_settings, try_limit) },
	{ "retry_delay", true,
	    offsetof(struct policy_settings, retry_delay) },
};

static const char *
set_number(struct policy_settings *settings, const char *name,
    const char *value)
{
	for (size_t i = 0; i < COUNT_OF(options); i++) {
		int *field = (int *)((char *)settings + options[i].offset);
		int64_t number;

		if (strcmp(options[i].name, name) != 0)
			continue;
		if (options[i].is_time)
			return config_time(value, 's', field) == -1
			    ? "expected a time" : NULL;
		if (config_number(value, 0, INT_MAX, &number) == -1)
			return "expected a number";
		*field = (int)number;
		return NULL;
	}
	return "unknown option of a policy service";
}

/* "name = value" or "{ name = value }", in place. */
static const char *
set_option(struct policy *policy, struct policy_settings *settings, char *text)
{
	char *equals, *name, *value;

	if (*text == '{') {
		text++;
		text[strcspn(text, "}")] = '\0';
	}
	if ((equals = strchr(text, '=')) == NULL)
		return "expected name = value";
	*equals = '\0';
	name = text_trim(text);
	value = text_trim(equals + 1);
	if (strcmp(name, "default_action") == 0)
		policy->default_action = mem_strdup(value);
	else if (strcmp(name, "policy_context") == 0)
		policy->context = mem_strdup(value);
	else
		return set_number(settings, name, value);
	return NULL;
}

/* Commas part them; white space around "=" does not. */
static char *
next_option(char **cursor)
{
	char *at = *cursor + strspn(*cursor, ", \t\r\n"), *start = at;
	int depth = 0;

	if (*at == '\0')
		return NULL;
	for (; *at != '\0' && (depth > 0 || *at != ','); at++)
		depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
	if (*at != '\0')
		*at++ = '\0';
	*cursor = at;
	return text_trim(start);
}

struct policy *
delegate_open(const char *words, const char **why)
{
	struct policy *policy = mem_zalloc(1, sizeof(*policy));
	struct policy_settings settings = {
		.timeout = config.smtpd_policy_service_timeout,
		.max_idle = config.smtpd_policy_service_max_idle,
		.max_ttl = config.smtpd_policy_service_max_ttl,
		.request_limit = config.smtpd_policy_service_request_limit,
		.try_limit = config.smtpd_policy_service_try_limit,
		.retry_delay = config.smtpd_policy_service_retry_delay,
	};
	char *copy = mem_strdup(words), *cursor = copy, *option;

	policy->default_action = config.smtpd_policy_service_default_action;
	policy->context = config.smtpd_policy_service_policy_context;
	if (*copy == '{') {
		copy[strlen(copy) - 1] = '\0';
		cursor++;
		policy->name = mem_strdup((option = next_option(&cursor)) ==
		    NULL ? "" : option);
		while (*why == NULL && (option = next_option(&cursor)) != NULL)
			*why = set_option(policy, &settings, option);
	} else
		policy->name = mem_strdup(words);
	if (*why == NULL)
		policy->service = policy_open(service_base, policy->name,
		    &settings, why);
	free(copy);
	return policy;
}

/* One name for all questions about a message. */
static const char *
instance_of(struct session *s, char room[40])
{
	char *name = s->transaction != NULL ? s->transaction->instance : room;

	if (*name == '\0')
		snprintf(name, 40, "%x.%x.%x", (unsigned)getpid(),
		    arc4random(), arc4random());
	return name;
}

static const char *
protocol_of(const struct session *s)
{
	return !s->esmtp ? "SMTP" : s->transaction != NULL &&
	    (s->transaction->envelope->flags & ENVELOPE_SMTPUTF8)
	    ? "UTF8SMTP" : "ESMTP";
}

static void
number(struct text *to, const char *name, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)value);
	policy_attribute(to, name, digits);
}

static void
describe_server(struct session *s, struct text *to)
{
	union resolve_address own = s->server;
	socklen_t size = sizeof(own);
	char room[INET6_ADDRSTRLEN];
	bool known = own.any.sa_family != AF_UNSPEC ||
	    (getsockname(s->fd, &own.any, &size) == 0 &&
	    (own.any.sa_family == AF_INET || own.any.sa_family == AF_INET6));

	policy_attribute(to, "server_address", known
	    ? address_text(&own, room) : "");
	number(to, "server_port", known ? ntohs(own.v4.sin_port) : 0);
}

/* What there is no more of than its name: no logins, no TLS yet. */
static void
describe_security(struct text *to)
{
	static const char *const names[] = {
		"sasl_method", "sasl_username", "sasl_sender", "ccert_subject",
		"ccert_issuer", "ccert_fingerprint",
		"ccert_pubkey_fingerprint", "encryption_protocol",
		"encryption_cipher",
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		policy_attribute(to, names[i], "");
	policy_attribute(to, "encryption_keysize", "0");
}

/* As it travelled, without the line that ends it; before, what the client said. */
static int64_t
size_of(const struct session *s)
{
	const struct transaction *t = s->transaction;

	if (t == NULL)
		return 0;
	if (check_stage(s) == STAGE_END_OF_DATA)
		return t->wire_bytes - (t->is_bdat ? 0 : 3);
	return t->said_size > 0 ? t->said_size : 0;
}

static void
describe(struct session *s, const struct policy *policy, struct text *to)
{
	const struct transaction *t = s->transaction;
	bool has_message = s->verb == DATA || s->verb == BDAT;
	char room[40] = "";

	policy_attribute(to, "request", "smtpd_access_policy");
	policy_attribute(to, "protocol_state", s->where);
	policy_attribute(to, "protocol_name", protocol_of(s));
	policy_attribute(to, "client_address", s->client_address);
	policy_attribute(to, "client_name", s->client_name);
	number(to, "client_port", ntohs(s->address.v4.sin_port));
	policy_attribute(to, "reverse_client_name", s->reverse_name == NULL
	    ? "unknown" : s->reverse_name);
	describe_server(s, to);
	policy_attribute(to, "helo_name", s->helo_name == NULL ? ""
	    : s->helo_name);
	policy_attribute(to, "sender", session_sender(s));
	policy_attribute(to, "recipient", session_recipient(s));
	number(to, "recipient_count", has_message && t != NULL
	    ? (int64_t)t->envelope->recipient_count : 0);
	policy_attribute(to, "queue_id", "");
	policy_attribute(to, "instance", instance_of(s, room));
	number(to, "size", size_of(s));
	policy_attribute(to, "etrn_domain", s->etrn_site == NULL ? ""
	    : s->etrn_site);
	policy_attribute(to, "stress", config.stress);
	describe_security(to);
	policy_attribute(to, "policy_context", policy->context);
	policy_attribute(to, "compatibility_level",
	    config.compatibility_level);
	policy_attribute(to, "mail_version", config.mail_version);
}

static void
on_action(const char *action, void *argument)
{
	struct session *s = argument;

	s->delegation->request = NULL;
	s->delegation->action = action == NULL ? NULL : mem_strdup(action);
	checks_go_on(s);
}

void
delegate_cancel(struct session *s)
{
	if (s->delegation == NULL)
		return;
	policy_cancel(&s->delegation->request);
	free(s->delegation->action);
	free(s->delegation);
	s->delegation = NULL;
}

enum verdict
delegate(struct session *s, const struct check *check)
{
	const struct policy *policy = check->policy;
	struct subject subject = { check_subject(s), check_subject_class(s),
	    policy->name };
	struct text attributes = TEXT_EMPTY;
	enum verdict verdict;
	char *action;

	if (s->delegation == NULL) {
		s->delegation = mem_zalloc(1, sizeof(*s->delegation));
		describe(s, policy, &attributes);
		s->delegation->request = policy_ask(policy->service,
		    &attributes, on_action, s);
		return VERDICT_WAIT;
	}
	action = s->delegation->action;
	s->delegation->action = NULL;
	delegate_cancel(s);
	verdict = act(s, &subject, action == NULL ? policy->default_action
	    : action);
	free(action);
	return verdict;
}
