#include "named-lite/answerer/questions.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "named-lite/report.h"
#include "named-lite/sockets.h"

static void
print_local(int fd, char text[INET6_ADDRSTRLEN])
{
	union control_socket local;
	socklen_t length = sizeof(local);

	memset(&local, 0, sizeof(local));
	(void)getsockname(fd, &local.any, &length);
	if (local.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &local.six.sin6_addr, text,
		    INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET, &local.four.sin_addr, text,
		    INET6_ADDRSTRLEN);
}

/* BIND's letters: recursion wanted or not, signed, EDNS and its version, TCP, DO, CD, a cookie. */
static void
print_flags(const struct dns_query *query, bool is_tcp, char text[16])
{
	char edns[8] = "";

	if (query->has_edns)
		snprintf(edns, sizeof(edns), "E(%u)", query->edns_version);
	snprintf(text, 16, "%c%s%s%s%s%s%s",
	    query->flags & DNS_RD ? '+' : '-', query->tsig_at != 0 ? "S" : "",
	    edns, is_tcp ? "T" : "", query->wants_dnssec ? "D" : "",
	    query->flags & DNS_CD ? "C" : "",
	    query->cookie_length > 0 ? "K" : "");
}

struct printed {
	char	client[64 + SOCKETS_TEXT];
	char	name[DNS_NAME_TEXT];
	char	class[DNS_MNEMONIC_MAX];
	char	type[DNS_MNEMONIC_MAX];
};

/* What BIND has after the @ is of no use but to tell clients apart: so is this. */
static void
print_client(const struct sockaddr *client, char *text, size_t size)
{
	struct control_address address;
	const uint8_t *octets;
	char peer[SOCKETS_TEXT];
	uint16_t port;

	memset(&address, 0, sizeof(address));
	memcpy(&address.socket, client, client->sa_family == AF_INET ?
	    sizeof(address.socket.four) : sizeof(address.socket.six));
	octets = client->sa_family == AF_INET ?
	    (const uint8_t *)&address.socket.four.sin_addr :
	    address.socket.six.sin6_addr.s6_addr + 12;
	port = ntohs(address.socket.four.sin_port);	/* at the same place in both */
	snprintf(text, size, "@0x%02x%02x%02x%02x%04x %s", octets[0],
	    octets[1], octets[2], octets[3], port,
	    sockets_print(&address, peer));
}

static void
print_question(const struct question *question, const struct sockaddr *client,
    struct printed *text)
{
	static const struct { uint16_t type; const char *word; } words[] = {
		{ DNS_TYPE_ANY, "ANY" }, { DNS_TYPE_AXFR, "AXFR" },
		{ DNS_TYPE_IXFR, "IXFR" },
	};
	const struct dns_query *query = &question->query;

	print_client(client, text->client, sizeof(text->client));
	dns_name_show(question->bytes + DNS_HEADER_SIZE, text->name);
	dns_class_print(query->class, text->class);
	dns_type_print(query->type, text->type);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (query->type == words[i].type)
			strlcpy(text->type, words[i].word,
			    sizeof(text->type));
}

void
questions_log(const struct question *question, const struct sockaddr *client,
    bool is_tcp, int fd)
{
	const struct dns_query *query = &question->query;
	char flags[16], local[INET6_ADDRSTRLEN];
	struct printed text;

	if (question->verdict != DNS_ANSWER || query->name_length == 0 ||
	    query->opcode != DNS_OPCODE_QUERY)
		return;
	print_question(question, client, &text);
	print_flags(query, is_tcp, flags);
	print_local(fd, local);
	report(LOG_CATEGORY_QUERIES, LOG_LEVEL_INFO,
	    "client %s (%s): query: %s %s %s %s (%s)", text.client, text.name,
	    text.name, text.class, text.type, flags, local);
}

/* Is the name in a zone of ours, so that it was an allow-query that said no? */
static bool
is_in_zone(const struct question *question, const struct image *image)
{
	unsigned skipped;

	return question->query.class == DNS_CLASS_IN &&
	    image_find(image, &question->path, &skipped) != 0;
}

void
questions_log_refusal(const struct question *question,
    const struct server *server, const struct sockaddr *client)
{
	const struct dns_query *query = &question->query;
	const struct plan *plan = &server->current->plan;
	struct printed text;

	if (question->verdict != DNS_ANSWER || query->name_length == 0)
		return;
	print_question(question, client, &text);
	if (query->opcode == DNS_OPCODE_UPDATE) {
		if (plan_logs(plan, LOG_CATEGORY_UPDATE_SECURITY))
			report(LOG_CATEGORY_UPDATE_SECURITY, LOG_LEVEL_INFO,
			    "client %s: update '%s/%s' denied", text.client,
			    text.name, text.class);
	} else if (query->opcode != DNS_OPCODE_QUERY)
		return;
	else if (is_in_zone(question, &server->image)) {
		if (plan_logs(plan, LOG_CATEGORY_SECURITY) &&
		    query->type != DNS_TYPE_AXFR &&
		    query->type != DNS_TYPE_IXFR)	/* told where transfers are */
			report(LOG_CATEGORY_SECURITY, LOG_LEVEL_INFO,
			    "client %s (%s): query '%s/%s/%s' denied",
			    text.client, text.name, text.name, text.type,
			    text.class);
	} else if (plan_logs(plan, LOG_CATEGORY_QUERY_ERRORS))
		report(LOG_CATEGORY_QUERY_ERRORS, LOG_LEVEL_INFO,
		    "client %s (%s): query failed (REFUSED) for %s/%s/%s",
		    text.client, text.name, text.name, text.class, text.type);
}

bool
questions_are_told(const struct plan *plan)
{
	return plan_logs(plan, LOG_CATEGORY_SECURITY) ||
	    plan_logs(plan, LOG_CATEGORY_QUERY_ERRORS) ||
	    plan_logs(plan, LOG_CATEGORY_UPDATE_SECURITY);
}
