/* internal - what the two skeletons share */

#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "service/service.h"

enum { SERVICE_SOCKETS_MAX = 64 };

struct service_sockets {
	int	fd[SERVICE_SOCKETS_MAX];
	int	count;
	bool	is_stream;		/* of the first; all are alike */
};

/* Options, log, configuration, start(), user, ready(), sandbox. Does not return on failure. */
void	service_begin(const struct service *service, int argc, char **argv,
	    struct service_sockets *sockets);

/* aside.c: requests that wait for tables. */

/* Requests whose answers have come, into room for so many. How many they are. */
size_t	service_take_answered(struct service_request *requests, size_t room);

/* The connection broke: what came over it is of no interest. */
void	service_forget_aside(int connection);

/* The request is done. */
void	service_request_clear(struct service_request *request);

#endif
