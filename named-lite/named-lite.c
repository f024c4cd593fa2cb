/*
 * named-lite - answers for our own zones, and for nobody else's
 *
 * Five kinds of process. The supervisor opens the sockets and starts the
 * others; it parses nothing. The loader reads named.conf and the zone
 * files, makes them into one sealed image in memory, hands it over and
 * ends. The answerers, one a core, hold their sockets and that image. The
 * envoy speaks with other servers and with rndc. The scribe writes log
 * files, where named.conf names some. Each has a folder; what several of
 * them know stands beside this file.
 *
 *	named.conf, zones ─▶ loader ─▶ image ─▶ supervisor ─▶ answerers ◀─▶ port 53
 *	                       ▲                    │ ▲
 *	                       └────── parcels ─────┼─┘
 *	                                            ▼
 *	                        primaries, rndc ◀▶ envoy ─▶ secondaries
 *
 * In       questions by UDP and TCP; named.conf and zone files; zones of
 *          primaries; orders of rndc
 * Out      answers, zones, notifies; copies of what was fetched; log lines
 * Touches  loader: the files that named.conf names, as the named user;
 *          scribe: the log files among them, as the same;
 *          answerers, envoy: no file at all; the envoy may connect
 * Trusts   the administrator's files, as far as they parse; no client
 * Killed   an answerer: the questions of one batch are lost and asked
 *          again, a new one takes over the sockets; the loader: what was
 *          served before is served on; the supervisor: the answerers end,
 *          and who started it starts it again
 */

#include <unistd.h>

#include "base/base.h"
#include "named-lite/explain.h"
#include "named-lite/options.h"
#include "named-lite/supervisor/supervise.h"

int
main(int argc, char **argv)
{
	struct options options;

	setproctitle_init(argc, argv, environ);
	options_read(&options, argc, argv);
	if (options.explain_name != NULL)
		return explain_run(options.config, options.explain_name,
		    options.explain_type);
	log_info("starting named-lite (postroad " PACKAGE_VERSION ")");
	return supervise_run(&options);
}
