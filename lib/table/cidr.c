/* cidr: - networks: "192.0.2.0/24 REJECT" */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/values.h"
#include "table/rules.h"

static void
warn_host_bits(struct rules *rules, const char *shown, struct network *network)
{
	char address[INET6_ADDRSTRLEN];

	network_clear_host_bits(network);
	inet_ntop(network->length == 4 ? AF_INET : AF_INET6, network->bytes,
	    address, sizeof(address));
	rules_warn(rules, "non-null host address bits in \"%s\", perhaps you "
	    "should use \"%s/%d\" instead: skipping this rule", shown,
	    address, network->bits);
}

/* "192.0.2.0/24", "[2001:db8::]/32", "[2001:db8::/32]"; cut in place. */
static bool
parse(struct rules *rules, char *pattern, struct network *network)
{
	char *shown = mem_strdup(pattern), *address = pattern, *closer, *slash;
	int64_t bits;
	bool good = false;

	if (*address == '[') {
		address++;
		if ((closer = strchr(address, ']')) == NULL) {
			rules_warn(rules, "missing ']' character after "
			    "\"%s\": skipping this rule", shown);
			goto done;
		}
		memmove(closer, closer + 1, strlen(closer));
	}
	if ((slash = strchr(address, '/')) != NULL)
		*slash++ = '\0';
	if (!network_from_text(address, network))
		rules_warn(rules, slash != NULL
		    ? "bad network value in \"%s\": skipping this rule"
		    : "bad address pattern: \"%s\": skipping this rule",
		    shown);
	else if (slash == NULL)
		good = true;
	else if (config_number(slash, 0, INT64_MAX, &bits) == -1)
		rules_warn(rules, "bad mask value in \"%s\": skipping this "
		    "rule", shown);
	else if (bits > network->bits)
		rules_warn(rules, "bad mask length in \"%s\": skipping this "
		    "rule", shown);
	else {
		network->bits = (int)bits;
		good = !network_has_host_bits(network);
		if (!good)
			warn_host_bits(rules, shown, network);
	}
done:
	free(shown);
	return good;
}

static void *
compile_network(struct rules *rules, const struct rule *rule, char **text)
{
	char *pattern = *text, *end = pattern;
	struct network network, *kept;

	if (rule->kind == RULE_IF)
		end += strlen(end);
	else
		while (*end != '\0' && !isspace((unsigned char)*end))
			end++;
	if (*end != '\0')
		*end++ = '\0';
	while (isspace((unsigned char)*end))
		end++;
	*text = end;
	if (*pattern == '\0') {
		rules_warn(rules, "no address pattern: skipping this rule");
		return NULL;
	}
	if (!parse(rules, pattern, &network))
		return NULL;
	kept = mem_alloc(sizeof(*kept));
	*kept = network;
	return kept;
}

/* A negation speaks of its own family only. */
static bool
fits_network(const struct rule *rule, struct rule_subject *subject)
{
	const struct network *network = rule->pattern;

	return subject->is_address &&
	    network->length == subject->address.length &&
	    network_has(network, &subject->address) != rule->negated;
}

static int
open_cidr(struct table *table)
{
	static const struct rule_dialect cidr = {
		.compile = compile_network,
		.fits = fits_network,
		.release = free,
	};

	return rules_open(table, &cidr);
}

const struct table_backend table_cidr = {
	.type = "cidr",
	.suffix = "",
	.is_pattern = true,
	.open = open_cidr,
	.get = rules_get,
	.close = rules_close,
};
