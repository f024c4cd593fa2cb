/*
 * lint - what a mail administrator wants to know of zones that load well
 *
 * MX records that lead to an alias, an address or nowhere; domains without
 * one; hosts that take mail without a name for their address, or with that
 * name in the wrong place; no SPF. Each is a warning that names the record.
 */

#ifndef NAMED_LINT_H
#define NAMED_LINT_H

#include "named/site.h"

/* Gives how many warnings there were. */
unsigned lint(const struct site *site);

#endif
