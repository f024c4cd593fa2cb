/* outside - names that a zone refers to and does not have: asked of this host's resolver, as BIND's commands do */

#ifndef TOOLS_SHARED_OUTSIDE_H
#define TOOLS_SHARED_OUTSIDE_H

#include "zone/zone.h"

/* For zone_rules.look: has it addresses, is it no alias, and are those the ones that stand here? Told in BIND's words, a name once. */
zone_look outside_look;

#endif
