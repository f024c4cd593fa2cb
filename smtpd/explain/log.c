/* Lines of smtpd's that are not about a check: what they mean, and which settings they follow from. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "service/explain.h"
#include "smtpd/explain/explain.h"

static const struct meaning {
	const char	*pattern;	/* stands in the line */
	const char	*meaning;
	const char	*parameters;	/* that it follows from */
} meanings[] = {
	{ "Connection concurrency limit exceeded",
	    "the client has more sessions at once than it may; it heard 421 and comes again",
	    "smtpd_client_connection_count_limit smtpd_client_event_limit_exceptions" },
	{ "Connection rate limit exceeded",
	    "the client came more often within anvil_rate_time_unit than it may; it heard 421",
	    "smtpd_client_connection_rate_limit anvil_rate_time_unit smtpd_client_event_limit_exceptions" },
	{ "Message delivery request rate limit exceeded",
	    "the client began more messages within anvil_rate_time_unit than it may; it heard 450",
	    "smtpd_client_message_rate_limit anvil_rate_time_unit smtpd_client_event_limit_exceptions" },
	{ "Recipient address rate limit exceeded",
	    "the client named more recipients within anvil_rate_time_unit than it may; it heard 450",
	    "smtpd_client_recipient_rate_limit anvil_rate_time_unit smtpd_client_event_limit_exceptions" },
	{ "too many errors after",
	    "the client was told too many errors in one session, or sent too many commands that do nothing; it heard 421",
	    "smtpd_hard_error_limit smtpd_soft_error_limit smtpd_junk_command_limit" },
	{ "improper command pipelining after",
	    "the client spoke before it was its turn, and not as PIPELINING permits; behind the colon is what it said",
	    "smtpd_forbid_unauth_pipelining smtpd_data_restrictions" },
	{ "non-SMTP command from",
	    "the client speaks another protocol, or sends a command that is forbidden; it heard 221 and was cut off",
	    "smtpd_forbidden_commands" },
	{ "bare <LF> received",
	    "the client ended a line without CR, as mail that is to smuggle another does; the session was closed",
	    "smtpd_forbid_bare_newline smtpd_forbid_bare_newline_exclusions" },
	{ "timeout after",
	    "the client said nothing for too long, or took too long for one command or message",
	    "smtpd_timeout smtpd_per_request_deadline smtpd_min_data_rate stress" },
	{ "lost connection after",
	    "the client went away, or the line broke; nothing was refused, and what was not answered 250 was not taken",
	    "" },
	{ "proxy-reject: ",
	    "the filter before the queue refused the message, or could not be asked; the line before this one, or its own log, says why",
	    "smtpd_proxy_filter smtpd_proxy_timeout" },
	{ "proxy-accept: ",
	    "the filter before the queue took the message, which is its own from then on",
	    "smtpd_proxy_filter" },
	{ " proxy ",
	    "the filter before the queue could not be asked, or refused a command",
	    "smtpd_proxy_filter smtpd_proxy_timeout smtpd_proxy_ehlo" },
	{ "does not resolve to address",
	    "the name that the address has in the DNS has not this address, so it counts as unknown",
	    "smtpd_client_restrictions" },
	{ "PREGREET",
	    "the client spoke before the greeting was over, as programs that send spam do",
	    "postscreen_greet_wait postscreen_greet_action" },
	{ "before SMTP handshake",
	    "the client did not wait for the greeting's end; nothing was refused",
	    "postscreen_greet_wait" },
	{ "after SMTP handshake",
	    "the client went away before it had passed all tests; nothing was taken",
	    "" },
	{ "DNSBL rank",
	    "the lists in the DNS that the client is on add up to a bad score; the lines of dnsblog before say which they are",
	    "postscreen_dnsbl_sites postscreen_dnsbl_threshold postscreen_dnsbl_action" },
	{ "listed by domain",
	    "a list in the DNS has the client; whether that answer counts, and how much, is said by the list's filter and weight",
	    "postscreen_dnsbl_sites" },
	{ "blocked using",
	    "the lists in the DNS that the client is on add up to a bad score; the worst of them is named",
	    "postscreen_dnsbl_sites postscreen_dnsbl_threshold postscreen_dnsbl_action" },
	{ "COMMAND PIPELINING",
	    "the client did not wait for replies although PIPELINING was not offered; behind the colon is what it said",
	    "postscreen_pipelining_action" },
	{ "NON-SMTP COMMAND",
	    "the client speaks another protocol",
	    "postscreen_forbidden_commands postscreen_non_smtp_command_action" },
	{ "BARE NEWLINE",
	    "the client ended a line without CR",
	    "postscreen_bare_newline_action" },
	{ "COMMAND COUNT LIMIT",
	    "a client that has not passed all tests, or was refused, said too much",
	    "postscreen_command_count_limit" },
	{ "COMMAND TIME LIMIT",
	    "a client that has not passed all tests, or was refused, took too long for a command",
	    "postscreen_command_time_limit" },
	{ "COMMAND LENGTH LIMIT",
	    "a client that has not passed all tests, or was refused, sent a line without end",
	    "" },
	{ ": too many connections",
	    "the client has more sessions under test than it may; it heard 421 and comes again",
	    "postscreen_client_connection_count_limit" },
	{ "all screening ports busy",
	    "more clients are under test than may be; this one heard 421 and comes again",
	    "postscreen_pre_queue_limit" },
	{ "LIST VETO",
	    "the client came to an address at which nobody passes, and has not passed at another",
	    "postscreen_allowlist_interfaces" },
	{ ": 450 4.3.2 Service currently unavailable; from",
	    "the client came to an address at which nobody passes, and has not passed at another",
	    "postscreen_allowlist_interfaces" },
	{ ": 550 5.3.2 Service currently unavailable; from",
	    "postscreen_access_list rejects the client",
	    "postscreen_access_list postscreen_denylist_action" },
	{ ": 550 5.5.1 Protocol error; from",
	    "the client failed a test; a line before says which",
	    "postscreen_greet_action postscreen_pipelining_action postscreen_non_smtp_command_action postscreen_bare_newline_action" },
	{ "DENYLISTED",
	    "postscreen_access_list rejects the client",
	    "postscreen_access_list postscreen_denylist_action" },
	{ "BLACKLISTED",
	    "postscreen_access_list rejects the client",
	    "postscreen_access_list postscreen_denylist_action" },
	{ "ALLOWLISTED",
	    "postscreen_access_list lets the client in without a test",
	    "postscreen_access_list" },
	{ "WHITELISTED",
	    "postscreen_access_list lets the client in without a test",
	    "postscreen_access_list" },
	{ "PASS NEW",
	    "the client has passed all tests for the first time, and is remembered",
	    "postscreen_cache_map postscreen_greet_ttl" },
	{ "PASS OLD",
	    "the client has passed all tests before, or has just passed again",
	    "postscreen_cache_map" },
	{ "not a header of the PROXY protocol",
	    "who connected is no load balancer, though the service is for one alone",
	    "smtpd_upstream_proxy_protocol" },
	{ "could not be handed over to the",
	    "cleanup did not answer, so the message was not taken; the client heard 451 and comes again. Its own lines say why",
	    "cleanup_service_name" },
	{ "replacing client command",
	    "smtpd_command_filter changed what the client said",
	    "smtpd_command_filter" },
	{ ": permit: ",
	    "the check that is named permitted this, and smtpd_log_access_permit_actions wants it told",
	    "smtpd_log_access_permit_actions" },
};

static void
tell_parameters(const char *parameters)
{
	char *copy = mem_strdup(parameters), *cursor = copy, *name;

	while ((name = word_next(&cursor, " ")) != NULL) {
		const char *value = config_get(name);

		printf("  %s = %s\n", name, value == NULL ? "" : value);
	}
	free(copy);
}

bool
explain_log_line(const char *line)
{
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		if (strstr(line, meanings[i].pattern) == NULL)
			continue;
		explain_begin(NULL);
		printf("%s\n", meanings[i].meaning);
		tell_parameters(meanings[i].parameters);
		return true;
	}
	return false;
}
