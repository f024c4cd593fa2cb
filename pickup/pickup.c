/*
 * pickup - bring local submissions onto the road
 *
 * In       files that postdrop(1) left in maildrop/; its nudge, and master's;
 *          messages that sendmail(1) hands over itself, by the socket "submit"
 * Out      each message to cleanup; the file goes, or sendmail hears so, once
 *          cleanup says that it is durable; what cleanup will never take goes to bounce
 * Touches  maildrop/ (read, unlink); no other directory, no network
 * Trusts   nobody: any local user may have written file or packet. Only what
 *          mail_owner owns, postsuper's requeued mail, is believed as it stands
 * Killed   the file is still there and is picked up again; cleanup is told
 *          that it may know it already, so it arrives once; sendmail, who heard
 *          nothing, leaves a file with the same token
 *
 *	maildrop.c	which files there are, and what may be read of them
 *	direct.c	what sendmail hands over itself
 *	claim.c		of what a user wrote, what is his to say
 *	submit.c	the hand-over to cleanup
 */

#include "pickup/pickup.h"

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = {
		{ "maildrop", true }, { NULL, false },
	};
	static const struct service pickup = {
		.name	 = "pickup",
		.ready	 = maildrop_start,
		.nudged	 = maildrop_nudged,
		.packet	 = direct_packet,
		.stranger = direct_packet,
		.closed	 = submit_forget_channel,
		.busy	 = submit_is_busy,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_UNLINK,
		.paths	 = paths,
	};

	return service_events(&pickup, argc, argv);
}
