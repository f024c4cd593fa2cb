/*
 * Many sessions: less patience with each (${stress?...} in main.cf).
 *
 * A process can hold as many sessions as it may have descriptors, for the
 * most part. When three quarters are taken it goes by what main.cf says for
 * "stress = yes", and its clients with it; below half, by the usual again.
 */


#include "smtpd/smtpd.h"

#include <sys/resource.h>

#include "base/base.h"
#include "config/config.h"
#include "service/service.h"

/* Descriptors for our own use: tables, brother daemons, questions to the DNS. */
#define RESERVED	32

static struct config usual, stressed;
static size_t most;		/* sessions; 0: nothing changes */
static bool is_stressed;

void
stress_prepare(void)
{
	struct rlimit limit;

	if (*config.stress != '\0')	/* -o stress=yes: for good */
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur <= 2 * RESERVED ||
	    config_load_variant("stress", "yes", &stressed) == -1)
		return;
	usual = config;
	most = limit.rlim_cur - RESERVED;
}

const struct config *
stress_config(void)
{
	return most == 0 || is_stressed ? &config : &stressed;
}

bool
stress_note_sessions(size_t sessions)
{
	bool before = is_stressed;

	if (most == 0)
		return false;
	if (sessions > most / 4 * 3)
		is_stressed = true;
	else if (sessions < most / 2)
		is_stressed = false;
	if (is_stressed == before)
		return false;
	config = is_stressed ? stressed : usual;
	log_warning("service %s has %zu sessions, of %zu that there is room "
	    "for: %s", service_name, sessions, most, is_stressed ?
	    "stress, clients have less time" : "stress is over");
	return true;
}
