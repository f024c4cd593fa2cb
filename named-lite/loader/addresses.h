/* addresses - where listen-on wants us to be heard, among the addresses that this host has */

#ifndef NAMED_LITE_LOADER_ADDRESSES_H
#define NAMED_LITE_LOADER_ADDRESSES_H

#include "named-lite/control.h"
#include "named-lite/options.h"
#include "named/settings.h"

/* Add them to *loaded. */
void	addresses_choose(struct control_loaded *loaded,
	    const struct settings *settings, const struct options *options);

#endif
