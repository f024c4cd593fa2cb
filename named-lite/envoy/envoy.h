/*
 * envoy - the process that speaks with others on the server's behalf
 *
 * It asks primaries whether a zone is newer, fetches it, tells secondaries
 * of changes, and takes orders from rndc. What it fetches it hands to the
 * loader as a parcel; what rndc wants it asks of the supervisor.
 *
 * In       answers of primaries; rndc's commands; notices from the answerers
 * Out      questions, notifies; parcels; wishes
 * Touches  the network, and no file
 * Trusts   nobody: what it makes of foreign bytes is checked once more by
 *          the loader
 * Killed   transfers under way are begun again by its successor, which
 *          knows from the plan when each zone was confirmed
 */

#ifndef NAMED_LITE_ENVOY_H
#define NAMED_LITE_ENVOY_H

/*
 * Work until the supervisor closes the other end of control. notices is
 * where answerers tell what primaries told them. Give up user and root
 * directory first, as serve_run() does. Gives an exit code.
 */
int	envoy_run(int control, int notices, int empty_root, const char *user);

#endif
