/*
 * smtp - the grammar of the protocol, for both of its ends
 *
 * command.h   what a client says: verbs, paths, parameters, xtext
 * reply.h     what a server answers: written here, read there
 * status.h    enhanced status codes
 *
 * Bytes in, structs out: no sockets, no parameters, no log. A complaint is a
 * whole reply in Postfix's words, since logs and people match on them.
 */

#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include "smtp/command.h"
#include "smtp/reply.h"
#include "smtp/status.h"

#endif
