/* The last look at files: tables, lists, resolver. */

#include "smtpd/smtpd.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/network.h"
#include "service/service.h"
#include "service/sieve.h"
#include "table/maps.h"
#include "table/match.h"

struct resolver *smtpd_resolver;
struct ipc_client *smtpd_cleanup, *smtpd_rewrite;

static struct match_list *mynetworks, *exempt, *traced,
    *may_send_bare_newlines;
static struct maps *rewritten;	/* the tables in local_header_rewrite_clients */

static void
open_rewritten(void)
{
	char *list = mem_strdup(config.local_header_rewrite_clients);
	char *cursor = list, *word;
	struct text tables = TEXT_EMPTY;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		if (strchr(word, ':') != NULL)
			text_printf(&tables, "%s ", word);
	}
	rewritten = maps_open("local_header_rewrite_clients",
	    text_string(&tables));
	text_clear(&tables);
	free(list);
}

/* What is not served as main.cf has it is told. */
static void
open_bare_newlines(void)
{
	const char *how = config.smtpd_forbid_bare_newline;

	may_send_bare_newlines = match_list_open(
	    "smtpd_forbid_bare_newline_exclusions",
	    config.smtpd_forbid_bare_newline_exclusions);
	if (text_equal_nocase(how, "no"))
		log_warning("smtpd_forbid_bare_newline = no would let one "
		    "message be smuggled behind another: it is normalize here");
	else if (!list_has_word("yes normalize note reject", how))
		log_warning("smtpd_forbid_bare_newline = %s: expected "
		    "normalize, yes, note, reject or no; it is normalize here",
		    how);
}

void
smtpd_start(void)
{
	const char *why = NULL;

	smtpd_resolver = resolve_new(service_base, &why);
	if (smtpd_resolver == NULL)
		fatal("cannot read the resolver's configuration: %s; look at "
		    "/etc/resolv.conf", why);
	sieve_open(smtpd_resolver, "smtpd_dns_reply_filter",
	    config.smtpd_dns_reply_filter);
	smtpd_cleanup = ipc_client_new(service_base,
	    config.cleanup_service_name);
	smtpd_rewrite = ipc_client_new(service_base,
	    config.rewrite_service_name);
	mynetworks = match_list_open("mynetworks", config.mynetworks);
	exempt = match_list_open("smtpd_client_event_limit_exceptions",
	    config.smtpd_client_event_limit_exceptions);
	traced = match_list_open("debug_peer_list", config.debug_peer_list);
	open_bare_newlines();
	if (*address_proxy_protocol() != '\0' &&
	    !text_equal_nocase(address_proxy_protocol(), "haproxy"))
		fatal("%s_upstream_proxy_protocol = %s: expected haproxy",
		    config.smtpd_screening ? "postscreen" : "smtpd",
		    address_proxy_protocol());
	stress_prepare();
	content_open();
	screen_open();
	reword_open();
	xclient_open();
	proxy_filter_open();
	open_rewritten();
	listed_open();
	checks_compile();
}

bool
smtpd_is_mynetworks(const struct session *s, bool *failed)
{
	enum table_answer answer = match_client(mynetworks, s->client_name,
	    &s->address.any);

	*failed = answer == TABLE_ERROR;
	return answer == TABLE_FOUND;
}

bool
smtpd_is_rewritten(const struct session *s)
{
	const char *list = config.local_header_rewrite_clients, *value;
	bool failed;

	return (list_has_word(list, "permit_inet_interfaces") &&
	    network_is_own(&s->address.any)) ||
	    (list_has_word(list, "permit_mynetworks") &&
	    smtpd_is_mynetworks(s, &failed)) ||
	    maps_find(rewritten, s->client_address, &value) == TABLE_FOUND;
}

void
smtpd_note_bare_newline(struct session *s)
{
	if (smtpd_is_alone || s->noted_bare_newline ||
	    !text_equal_nocase(config.smtpd_forbid_bare_newline, "note"))
		return;
	s->noted_bare_newline = true;
	log_info("notice: bare <LF> received after %s from %s", s->where,
	    s->peer);
}

bool
smtpd_refuses_bare_newline(const struct session *s)
{
	return !smtpd_is_alone &&
	    text_equal_nocase(config.smtpd_forbid_bare_newline, "reject") &&
	    match_client(may_send_bare_newlines, s->client_name,
	    &s->address.any) != TABLE_FOUND;
}

bool
smtpd_is_exempt(const struct session *s)
{
	return match_client(exempt, s->client_name, &s->address.any) ==
	    TABLE_FOUND;
}

bool
smtpd_is_traced(const struct session *s)
{
	return match_client(traced, s->client_name, &s->address.any) ==
	    TABLE_FOUND;
}
