#include "named-lite/answerer/questions.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "base/base.h"
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

void
questions_log(const struct question *question, const struct sockaddr *client,
    bool is_tcp, int fd)
{
	const struct dns_query *query = &question->query;
	char name[DNS_NAME_TEXT], class[DNS_MNEMONIC_MAX];
	char type[DNS_MNEMONIC_MAX], flags[16], peer[SOCKETS_TEXT];
	char local[INET6_ADDRSTRLEN];
	struct control_address address;

	if (question->verdict != DNS_ANSWER || query->name_length == 0 ||
	    query->opcode != DNS_OPCODE_QUERY)
		return;
	memset(&address, 0, sizeof(address));
	memcpy(&address.socket, client, client->sa_family == AF_INET ?
	    sizeof(address.socket.four) : sizeof(address.socket.six));
	sockets_print(&address, peer);
	dns_name_show(question->bytes + DNS_HEADER_SIZE, name);
	dns_class_print(query->class, class);
	dns_type_print(query->type, type);
	if (query->type == DNS_TYPE_ANY)
		strlcpy(type, "ANY", sizeof(type));
	else if (query->type == DNS_TYPE_AXFR)
		strlcpy(type, "AXFR", sizeof(type));
	else if (query->type == DNS_TYPE_IXFR)
		strlcpy(type, "IXFR", sizeof(type));
	print_flags(query, is_tcp, flags);
	print_local(fd, local);
	log_info("client %s (%s): query: %s %s %s %s (%s)", peer, name, name,
	    class, type, flags, local);
}
