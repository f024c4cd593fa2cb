/*
 * filter - what the administrator has in place of an agent's result
 *
 * A filter sees "5.1.1 text" and gives the same in other words. A failure may
 * become one for now or for ever; no failure becomes a success, nor the reverse.
 */

#ifndef DELIVERY_FILTER_H
#define DELIVERY_FILTER_H

#include "delivery/delivery.h"

/* For an agent, at its start: the parameter of its own. Keeps parameter. */
void	delivery_filter_open(const char *parameter, const char *list);

/* For delivery.c. The new text and code are borrowed until the next call. */
void	delivery_filter(struct delivery_result *result);

#endif
