/*
 * Lists in the DNS: who is on them is refused, or permitted.
 *
 * A client is asked for as 1.2.0.192.list.example, a name as
 * name.list.example; an address in the answer means yes. Answers in
 * 127.255.255.0/24 are no verdict: lists say so that they do not answer us
 * (public resolvers, too many questions).
 */

#include "smtpd/check/check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "config/expand.h"
#include "smtpd/dialogue.h"
#include "table/maps.h"

#define COMPLAIN_MS	(3600 * 1000)
#define RANGES_MAX	16	/* of one octet */

/* The answers that count: each octet has its ranges. None: all count. */
struct range {
	unsigned char	low, high;
};

struct octet {
	struct range	ranges[RANGES_MAX];
	size_t		count;
};

struct dnsbl {
	char		*words;		/* as the administrator wrote it */
	char		*domain;
	bool		 filters;
	struct octet	 octets[4];
	int64_t		 complained_ms;
};

static struct maps *replies;

void
dnsbl_open(void)
{
	replies = told_open_maps("rbl_reply_maps", config.rbl_reply_maps);
}

/* Filters: "127.0.0.[2;4..6]". */

static bool
read_number(const char **at, unsigned char *number)
{
	unsigned value = 0;
	const char *p = *at;

	while (*p >= '0' && *p <= '9' && value <= 255)
		value = value * 10 + (unsigned)(*p++ - '0');
	if (p == *at || value > 255)
		return false;
	*number = (unsigned char)value;
	*at = p;
	return true;
}

static bool
read_range(const char **at, struct octet *octet)
{
	struct range *range = &octet->ranges[octet->count];

	if (octet->count == RANGES_MAX || !read_number(at, &range->low))
		return false;
	range->high = range->low;
	if ((*at)[0] == '.' && (*at)[1] == '.') {
		*at += 2;
		if (!read_number(at, &range->high) || range->high < range->low)
			return false;
	}
	octet->count++;
	return true;
}

static bool
read_octet(const char **at, struct octet *octet)
{
	struct range *range = &octet->ranges[0];

	if (**at != '[') {
		octet->count = 1;
		if (!read_number(at, &range->low))
			return false;
		range->high = range->low;
		return true;
	}
	do {
		(*at)++;
		if (!read_range(at, octet))
			return false;
	} while (**at == ';');
	return *(*at)++ == ']';
}

static bool
read_filter(struct dnsbl *list, const char *filter)
{
	for (size_t i = 0; i < COUNT_OF(list->octets); i++) {
		if (i > 0 && *filter++ != '.')
			return false;
		if (!read_octet(&filter, &list->octets[i]))
			return false;
	}
	return *filter == '\0';
}

const struct dnsbl *
dnsbl_new(const char *words, const char **why)
{
	struct dnsbl *list = mem_zalloc(1, sizeof(*list));
	size_t length = strcspn(words, "=");

	list->words = mem_strdup(words);
	list->domain = mem_strndup(words, length);
	list->filters = words[length] == '=';
	if (!hostname_is_valid(list->domain, length))
		*why = "expected the domain of a list";
	else if (list->filters && !read_filter(list, words + length + 1))
		*why = "expected a filter like 127.0.0.[2..11] behind the =";
	else
		return list;
	free(list->words);
	free(list->domain);
	free(list);
	return NULL;
}

bool
dnsbl_wants(const struct dnsbl *list, uint32_t address)
{
	if (!list->filters)
		return true;
	for (size_t i = 0; i < COUNT_OF(list->octets); i++) {
		const struct octet *octet = &list->octets[i];
		unsigned char byte = (address >> (24 - 8 * i)) & 0xff;
		bool fits = false;

		for (size_t j = 0; j < octet->count; j++)
			fits |= byte >= octet->ranges[j].low &&
			    byte <= octet->ranges[j].high;
		if (!fits)
			return false;
	}
	return true;
}

/* Questions. */

static void
complain(const struct dnsbl *list, const char *what, const char *meaning)
{
	/* Once an hour: a list that is gone is asked for every client. */
	struct dnsbl *told = (struct dnsbl *)(uintptr_t)list;
	int64_t now = clock_ms();

	if (told->complained_ms != 0 &&
	    now - told->complained_ms < COMPLAIN_MS)
		return;
	told->complained_ms = now;
	log_warning("DNS list %s: %s: %s", list->domain, what, meaning);
}

static const struct { unsigned char last; const char *meaning; } errors[] = {
	{ 252, "the name of the list is mistyped" },
	{ 254, "the list does not answer public resolvers; use a resolver of "
	    "your own" },
	{ 255, "too many questions from here" },
};

static void
complain_of_answer(const struct dnsbl *list, uint32_t address)
{
	const char *meaning = "the list refuses to answer";
	char room[INET_ADDRSTRLEN];
	struct in_addr shown = { htonl(address) };

	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].last == (address & 0xff))
			meaning = errors[i].meaning;
	inet_ntop(AF_INET, &shown, room, sizeof(room));
	complain(list, room, meaning);
}

bool
dnsbl_is_verdict(const struct dnsbl *list, uint32_t address)
{
	if (address >> 8 == 0x7fffff)
		complain_of_answer(list, address);
	else if (address >> 24 != 127)
		complain(list, "an answer outside of 127.0.0.0/8",
		    "it does not count");
	else
		return true;
	return false;
}

enum standing { STANDING_ASKED, STANDING_NOT_LISTED, STANDING_LISTED,
    STANDING_UNCERTAIN };

static enum standing
look_up(struct session *s, const struct dnsbl *list, const char *question)
{
	const struct told *told = told_v4_addresses(s, question);
	enum standing standing = STANDING_NOT_LISTED;

	if (told == NULL)
		return STANDING_ASKED;
	if (told->result == RESOLVE_TEMPORARY) {
		complain(list, question, "the look-up failed");
		return STANDING_UNCERTAIN;
	}
	for (size_t i = 0; i < told->count; i++) {
		uint32_t address = ntohl(
		    told->addresses[i].v4.sin_addr.s_addr);

		if (dnsbl_is_verdict(list, address) &&
		    dnsbl_wants(list, address))
			standing = STANDING_LISTED;
	}
	return standing;
}

const char *
dnsbl_domain(const struct dnsbl *list)
{
	return list->domain;
}

char *
dnsbl_client_question(const struct session *s, const struct dnsbl *list)
{
	struct text name = TEXT_EMPTY;

	if (s->address.any.sa_family == AF_INET) {
		const unsigned char *b =
		    (const void *)&s->address.v4.sin_addr;

		text_printf(&name, "%u.%u.%u.%u.", b[3], b[2], b[1], b[0]);
	} else
		for (int i = 15; i >= 0; i--) {
			unsigned b = s->address.v6.sin6_addr.s6_addr[i];

			text_printf(&name, "%x.%x.", b & 15, b >> 4);
		}
	text_puts(&name, list->domain);
	return text_take(&name);
}

/* Replies. */

struct reply {
	const struct session	*session;
	const struct dnsbl	*list;
	const char		*class, *what, *reason;
	char			 code[8];
};

static const char *
reply_value(const char *name, void *context)
{
	const struct reply *r = context;
	const char *value;
	const struct { const char *name, *value; } values[] = {
		{ "rbl_code", r->code },
		{ "rbl_domain", r->list->domain },
		{ "rbl_class", r->class },
		{ "rbl_what", r->what },
		{ "rbl_reason", r->reason },
	};

	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	value = reword_value(r->session, name);
	return value != NULL ? value : config_get(name);
}

/* Replies hold what strangers chose: names, the text of a record. */
static void
filter_reply(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' && *text != '\t')
			*text = '_';
}

static enum verdict
refuse(struct session *s, struct reply *r)
{
	const struct expansion expansion = { .value = reply_value,
	    .context = r };
	struct text reply = TEXT_EMPTY, why = TEXT_EMPTY;
	const char *template = config.default_rbl_reply, *value;
	char status[SMTP_STATUS_SIZE];
	enum verdict verdict;

	snprintf(r->code, sizeof(r->code), "%d", config.maps_rbl_reject_code);
	switch (maps_find(replies, r->list->words, &value)) {
	case TABLE_ERROR:
		return told_is_asking(s) ? VERDICT_WAIT : check_fail(s,
		    "4.3.5", "Server configuration error");
	case TABLE_FOUND:
		template = value;
		break;
	case TABLE_NONE:
		break;
	}
	if (expand(&expansion, template, &reply, &why) == -1) {
		log_warning("the reply for %s: %s", r->list->words,
		    text_string(&why));
		text_clear(&reply);
		text_clear(&why);
		return check_fail(s, "4.3.5", "Server configuration error");
	}
	filter_reply(reply.length > 0 ? reply.bytes : r->code);

	const char *text = text_string(&reply), *error;
	int code = config.maps_rbl_reject_code;

	if (strspn(text, "0123456789") == 3) {
		char digits[4];

		strlcpy(digits, text, sizeof(digits));
		code = (int)strtonum(digits, 400, 599, &error);
		if (error != NULL)
			code = config.maps_rbl_reject_code;
		text += 3 + strspn(text + 3, " ");
	}
	size_t length = smtp_status_parse(text, strlen(text), status);

	text += length + strspn(text + length, " ");
	verdict = check_refuse(s, code, length > 0
	    ? status_for_class(r->class, status) : "5.7.1", "%s", text);
	text_clear(&reply);
	return verdict;
}

/* A text beside the answer says why; without one it goes without saying. */
static enum verdict
refuse_listed(struct session *s, const struct dnsbl *list,
    const char *question, const char *class, const char *what)
{
	const struct told *text = told_text(s, question);
	struct reply reply = { .session = s, .list = list, .class = class,
	    .what = what, .reason = "" };

	if (text == NULL)
		return VERDICT_WAIT;
	if (text->count > 0)
		reply.reason = text->names[0];
	return refuse(s, &reply);
}

enum verdict
dnsbl_reject_client(struct session *s, const struct check *check)
{
	char *question;
	enum verdict verdict = VERDICT_NONE;

	if (s->address.any.sa_family == AF_UNSPEC)
		return VERDICT_NONE;
	question = dnsbl_client_question(s, check->dnsbl);
	switch (look_up(s, check->dnsbl, question)) {
	case STANDING_ASKED:
		verdict = VERDICT_WAIT;
		break;
	case STANDING_LISTED:
		verdict = refuse_listed(s, check->dnsbl, question,
		    "Client host", s->client_address);
		break;
	case STANDING_NOT_LISTED:
	case STANDING_UNCERTAIN:
		break;
	}
	free(question);
	return verdict;
}

/* Who cannot be found out to be on an allow list must not be refused for good. */
static enum verdict
permit_listed(struct session *s, enum standing standing, const char *name,
    const char *class)
{
	switch (standing) {
	case STANDING_ASKED:
		return VERDICT_WAIT;
	case STANDING_LISTED:
		return VERDICT_PERMIT;
	case STANDING_NOT_LISTED:
		return VERDICT_NONE;
	case STANDING_UNCERTAIN:
		break;
	}
	return check_defer_if_reject(s, 450, "4.7.1",
	    "<%s>: %s rejected: Service unavailable", name, class);
}

enum verdict
dnsbl_permit_client(struct session *s, const struct check *check)
{
	char *question;
	enum standing standing;

	if (s->address.any.sa_family == AF_UNSPEC)
		return VERDICT_NONE;
	question = dnsbl_client_question(s, check->dnsbl);
	standing = look_up(s, check->dnsbl, question);
	free(question);
	return permit_listed(s, standing, s->client_address, "Client host");
}

/* What reject_rhsbl_x looks at: x, and as what replies name it. */
static const char *
name_for(const struct session *s, const char *kind, const char **class,
    const char **what)
{
	const char *address;

	*class = "Unverified Client host";
	if (strstr(kind, "_reverse_client") != NULL)
		return *what = s->reverse_name;
	*class = "Client host";
	*what = s->client_name;
	if (strstr(kind, "_client") != NULL)
		return strcmp(s->client_name, "unknown") == 0 ? NULL
		    : s->client_name;
	if (strstr(kind, "_helo") != NULL) {
		*class = "Helo command";
		return *what = s->helo_name;
	}
	*class = strstr(kind, "_sender") != NULL ? "Sender address"
	    : "Recipient address";
	address = *what = strstr(kind, "_sender") != NULL ? session_sender(s)
	    : session_recipient(s);
	return address_domain(address);
}

/* Can a list be asked for this? */
static bool
fits_question(const char *name, const struct dnsbl *list)
{
	return name != NULL && hostname_is_valid(name, strlen(name)) &&
	    strlen(name) + strlen(list->domain) <= 250;
}

enum verdict
dnsbl_name(struct session *s, const struct check *check)
{
	const char *class, *what;
	const char *name = name_for(s, check->kind->name, &class, &what);
	enum verdict verdict = VERDICT_NONE;
	enum standing standing;
	char *question;

	if (!fits_question(name, check->dnsbl))
		return VERDICT_NONE;
	question = mem_printf("%s.%s", name, check->dnsbl->domain);
	standing = look_up(s, check->dnsbl, question);
	if (strncmp(check->kind->name, "permit", 6) == 0)
		verdict = permit_listed(s, standing, s->peer, class);
	else if (standing == STANDING_ASKED)
		verdict = VERDICT_WAIT;
	else if (standing == STANDING_LISTED)
		verdict = refuse_listed(s, check->dnsbl, question, class,
		    what);
	free(question);
	return verdict;
}

void
dnsbl_ask_ahead(struct session *s, const struct check *check)
{
	const char *class, *what, *name;
	char *question;

	if (check->kind->decide == dnsbl_name) {
		name = name_for(s, check->kind->name, &class, &what);
		if (!fits_question(name, check->dnsbl))
			return;
		question = mem_printf("%s.%s", name, check->dnsbl->domain);
	} else if (s->address.any.sa_family != AF_UNSPEC)
		question = dnsbl_client_question(s, check->dnsbl);
	else
		return;
	told_ahead_v4_addresses(s, question);
	free(question);
}
