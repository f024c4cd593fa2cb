/* record - one record of a master file: time to live, class, type, data, and what may not be */

#include <arpa/inet.h>

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "zone/master.h"

#define TTL_MAX		0x7fffffff

/* Time to live and class, in either order, before the type. */
static int
parse_ttl_and_class(struct master *m, const struct dns_word *words,
    size_t count, size_t *next, int64_t *ttl)
{
	bool has_class = false;

	*ttl = -1;
	while (*next < count && !words[*next].quoted) {
		const struct dns_word *word = &words[*next];
		int64_t span = *word->text >= '0' && *word->text <= '9' ?
		    dns_ttl_parse(word->text, word->length) : -1;
		int class = span == -1 && !has_class ?
		    dns_class_parse(word->text, word->length) : -1;

		if (class != -1) {
			if (class != DNS_CLASS_IN) {
				log_error("%s:%u: class '%.*s' != zone class "
				    "'IN'", m->file, m->scanner->line,
				    (int)word->length, word->text);
				return master_fail(m, "bad class");
			}
			has_class = true;
		} else if (span != -1 && *ttl == -1)
			*ttl = span;
		else
			break;
		(*next)++;
	}
	return 0;
}

static int
choose_ttl(struct master *m, int64_t given, uint16_t type,
    const uint8_t *rdata, uint16_t length, uint32_t *ttl)
{
	if (given != -1)
		*ttl = given;
	else if (m->has_default_ttl)
		*ttl = m->default_ttl;
	else if (m->has_last_ttl) {
		*ttl = m->last_ttl;
		if (!m->told_of_rfc1035)
			log_warning("%s:%u: using RFC1035 TTL semantics",
			    m->file, m->scanner->line);
		m->told_of_rfc1035 = true;
	} else if (type == DNS_TYPE_SOA) {
		log_warning("%s:%u: no TTL specified; using SOA MINTTL instead",
		    m->file, m->scanner->first);
		*ttl = dns_get32(rdata + length - 4);
		m->default_ttl = *ttl;
		m->has_default_ttl = true;
	} else
		return master_error(m, "no TTL specified");
	if (*ttl > TTL_MAX) {
		log_warning("%s:%u: TTL %" PRIu32 " > MAXTTL, setting TTL to 0",
		    m->file, m->scanner->line, *ttl);
		*ttl = 0;
	}
	if (m->zone->rules->max_ttl > 0 && *ttl > m->zone->rules->max_ttl) {
		log_error("dns_master_load: %s:%u: TTL %" PRIu32 " exceeds "
		    "configured max-zone-ttl %" PRIu32, m->file,
		    m->scanner->line, *ttl, m->zone->rules->max_ttl);
		m->is_over = true;
		return master_error(m, "out of range");
	}
	m->last_ttl = *ttl;
	m->has_last_ttl = true;
	return 0;
}

/* Host names where host names belong. */

/* Types whose owners must be hosts. */
static bool
is_of_host(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA ||
	    type == DNS_TYPE_MX || type == DNS_TYPE_A6 || type == DNS_TYPE_WKS;
}

/* The name in the data that must be a host's, NULL if there is none. */
static const uint8_t *
host_in_data(const struct zone_owner *owner, uint16_t type,
    const uint8_t *rdata)
{
	static const uint8_t in_addr[] = "\7in-addr\4arpa";
	static const uint8_t ip6[] = "\3ip6\4arpa";

	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_SOA:
		return rdata;
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
		return rdata + 2;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:	/* an alias (priority 0) may lead to "_8443._https" */
		return rdata[0] == 0 && rdata[1] == 0 ? NULL : rdata + 2;
	case DNS_TYPE_SRV:
		return rdata + 6;
	case DNS_TYPE_PTR:
		if (dns_name_within(owner->name, in_addr) ||
		    dns_name_within(owner->name, ip6))
			return rdata;
		return NULL;
	default:
		return NULL;
	}
}

/*
 * Names that are no host's but have addresses, and may, as in BIND: Active
 * Directory's gc._msdcs, and what SPF asks whether it exists.
 */
static bool
is_excepted(const struct zone_owner *owner)
{
	static const uint8_t gc_msdcs[] = "\2gc\6_msdcs";
	static const char *const spf[] = { "\4_spf", "\11_spf_rate",
	    "\13_spf_verify" };
	struct dns_name lower;

	dns_name_lower(lower.bytes, owner->name, owner->length);
	if (owner->length >= sizeof(gc_msdcs) &&
	    memcmp(lower.bytes, gc_msdcs, sizeof(gc_msdcs) - 1) == 0)
		return true;
	for (const uint8_t *label = lower.bytes; *label != 0;
	    label += 1 + *label)
		for (size_t i = 0; i < COUNT_OF(spf); i++)
			if (*label == spf[i][0] && memcmp(label, spf[i],
			    1 + (size_t)*label) == 0)
				return true;
	return false;
}

static int
check_owner(struct master *m)
{
	static const char why[] = "bad owner name (check-names)";
	const struct zone_owner *owner = m->owner;
	char text[DNS_NAME_TEXT];

	if (dns_name_is_host(owner->name) || is_excepted(owner))
		return 0;
	dns_name_show(owner->name, text);
	if (m->zone->rules->check_names != VERDICT_FAIL) {
		log_warning("%s:%u: %s: %s", m->file, m->scanner->line, text,
		    why);
		return 0;
	}
	log_error("%s:%u: %s: %s", m->file, m->scanner->line, text, why);
	return master_fail(m, why);
}

static int
check_host_names(struct master *m, uint16_t type, const uint8_t *rdata,
    const struct dns_word *word)
{
	static const char why[] = "bad name (check-names)";
	const uint8_t *host = host_in_data(m->owner, type, rdata);
	char text[DNS_NAME_TEXT];

	if (m->zone->rules->check_names == VERDICT_IGNORE)
		return 0;
	if (is_of_host(type) && check_owner(m) == -1)
		return -1;
	if (host == NULL || *host == 0 || dns_name_is_host(host))
		return 0;
	if (m->zone->rules->check_names == VERDICT_FAIL)
		return master_error_near(m, word, why);
	log_warning("%s:%u: warning: %s: %s", m->file, m->scanner->line,
	    dns_name_show(host, text), why);
	return 0;
}

/* A mail exchanger or name server that is written as an address. */
static int
check_address(struct master *m, uint16_t type, const struct dns_word *word)
{
	uint32_t verdict = type == DNS_TYPE_MX ? m->zone->rules->check_mx :
	    m->zone->rules->check_ns;
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];

	if ((type != DNS_TYPE_MX && type != DNS_TYPE_NS) ||
	    verdict == VERDICT_IGNORE || word->length >= sizeof(text) ||
	    word->length == 0)
		return 0;
	memcpy(text, word->text, word->length);
	text[word->length] = '\0';
	if (text[word->length - 1] == '.')
		text[word->length - 1] = '\0';
	if (inet_pton(AF_INET, text, address) != 1 &&
	    inet_pton(AF_INET6, text, address) != 1)
		return 0;
	if (type == DNS_TYPE_MX && verdict == VERDICT_FAIL)
		return master_error_near(m, word, "MX is an address");
	if (type == DNS_TYPE_MX)
		log_warning("%s:%u: warning: '%s': MX is an address", m->file,
		    m->scanner->line, text);
	else
		log_warning("%s:%u: NS record '%s' appears to be an address",
		    m->file, m->scanner->line, text);
	return verdict == VERDICT_FAIL ? master_fail(m, "NS is an address") :
	    0;
}

/* NAPTR's rule for substitutions: a delimiter, what to look for, what to put in its place, flags (RFC 3402 section 3.2). */
static bool
is_substitution(const uint8_t *string)
{
	size_t length = string[0];
	char text[256], *parts[3] = { text };
	unsigned part = 0, groups;
	regex_t regex;

	if (length == 0)
		return true;
	for (size_t i = 2, used = 0; i <= length; i++) {
		if (string[i] == string[1]) {
			text[used++] = '\0';
			if (++part == 3)
				return false;
			parts[part] = text + used;
		} else {
			if (string[i] == '\\' && i < length)
				text[used++] = string[i++];
			text[used++] = string[i];
		}
		text[used] = '\0';
	}
	if (part != 2 || string[1] == '\\' ||
	    (string[1] >= '0' && string[1] <= '9') ||
	    strspn(parts[2], "i") != strlen(parts[2]) || *parts[0] == '\0' ||
	    regcomp(&regex, parts[0], REG_EXTENDED) != 0)
		return false;
	groups = regex.re_nsub;
	regfree(&regex);
	for (const char *at = parts[1]; *at != '\0'; at++)
		if (*at == '\\' && *++at >= '0' && *at <= '9' &&
		    (*at == '0' || (unsigned)(*at - '0') > groups))
			return false;
	return true;
}

static int
check_substitution(struct master *m, const uint8_t *rdata)
{
	const uint8_t *services = rdata + 4 + 1 + rdata[4];

	if (is_substitution(services + 1 + services[0]))
		return 0;
	log_error("dns_rdata_fromtext: %s:%u: syntax error", m->file,
	    m->scanner->line);
	return master_fail(m, "syntax error");
}

/* What no zone may hold, whatever the file says. */
static const char *
forbidden(const struct master *m, uint16_t type)
{
	bool wildcard = m->owner->name[0] == 1 && m->owner->name[1] == '*';

	switch (type) {
	case DNS_TYPE_SOA:
		return !zone_is_apex(m->owner) ? "not at top of zone" : NULL;
	case DNS_TYPE_NS:
		return wildcard ? "invalid NS owner name (wildcard)" : NULL;
	case DNS_TYPE_NXT:
		return "old style DNSSEC zone";
	case DNS_TYPE_MD:
	case DNS_TYPE_MF:
		return "obsolete";
	default:
		return NULL;
	}
}

/* A name under a wildcard is no part of it: hardly what was meant. */
static void
check_wildcard(struct master *m)
{
	const uint8_t *name = m->owner->name;
	char text[DNS_NAME_TEXT];

	if (*name == 0 || !m->zone->rules->check_wildcard)
		return;
	for (name += *name + 1; *name != 0; name += *name + 1)
		if (name[0] == 1 && name[1] == '*') {
			log_warning("%s:%u: warning: ownername '%s' contains "
			    "an non-terminal wildcard", m->file,
			    m->scanner->line, dns_name_show(m->owner->name,
			    text));
			return;
		}
}

/* Tell why the record must not be there. Gives -1. */
static int
refuse_record(struct master *m, const char *why)
{
	char text[DNS_NAME_TEXT];

	log_error("dns_master_load: %s:%u: %s: %s", m->file, m->scanner->line,
	    dns_name_show(m->owner->name, text), why);
	return master_fail(m, why);
}

static int
add_record(struct master *m, uint16_t type, int64_t given,
    const uint8_t *rdata, uint16_t length)
{
	const char *why = forbidden(m, type);
	bool is_new = m->owner->rrsets == NULL;
	size_t before = m->zone->record_count;
	uint32_t ttl, wanted;

	if (why != NULL)
		return refuse_record(m, why);
	if (choose_ttl(m, given, type, rdata, length, &ttl) == -1)
		return -1;
	wanted = ttl;
	if (zone_add(m->zone, m->owner, type, &ttl, rdata, length, &why) == -1)
		return refuse_record(m, why);
	if (m->zone->rules->origins != NULL &&
	    m->zone->record_count > before)
		origins_add(m->zone->rules->origins, m->owner, type, m->file,
		    m->scanner->line);
	if (ttl != wanted)
		log_warning("%s:%u: TTL set to prior TTL (%" PRIu32 ")",
		    m->file, m->scanner->line, ttl);
	if (is_new)
		check_wildcard(m);
	return 0;
}

int
master_parse_record(struct master *m, const struct dns_word *words,
    size_t count)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	static const struct dns_word nothing = { "", 0, false };
	const struct dns_word *name = &nothing;
	const char *why;
	size_t next = 0;
	int64_t ttl;
	int type, length, bad;

	if (parse_ttl_and_class(m, words, count, &next, &ttl) == -1)
		return -1;
	if (next == count)
		return master_error(m, "unexpected end of input");
	type = dns_type_parse(words[next].text, words[next].length);
	if (type == -1 || words[next].quoted) {
		log_error("%s:%u: unknown RR type '%.*s'", m->file,
		    m->scanner->line, (int)words[next].length,
		    words[next].text);
		return master_fail(m, "unknown class/type");
	}
	if (!dns_type_is_data(type))
		return master_error_near(m, &words[next],
		    "invalid use of a meta type");
	next++;
	if (m->owner == NULL)
		return 0;	/* out of zone */
	length = dns_rdata_parse(type, words + next, count - next, &m->origin,
	    rdata, &why, &bad);
	if (length == -1)
		return master_error_near(m, bad >= 0 ? &words[next + bad] :
		    NULL, why);
	if (type == DNS_TYPE_NAPTR && check_substitution(m, rdata) == -1)
		return -1;
	if (next < count)
		name = &words[type == DNS_TYPE_SOA ? next : count - 1];
	if (check_address(m, type, name) == -1 ||
	    check_host_names(m, type, rdata, name) == -1)
		return -1;
	return add_record(m, type, ttl, rdata, length);
}
