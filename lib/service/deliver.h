/* deliver - a worker that answers delivery requests one by one */

#ifndef SERVICE_DELIVER_H
#define SERVICE_DELIVER_H

#include "delivery/delivery.h"
#include "service/service.h"

/*
 * Decode each request, let deliver() report on its recipients, and answer.
 * One that cannot be read ends the connection, and qmgr decides.
 */
void	service_deliver(struct service_request *requests, size_t count,
	    void (*deliver)(struct delivery_request *request));

#endif
