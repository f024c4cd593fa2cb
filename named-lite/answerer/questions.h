/* questions - a log line for each, as long as rndc or named.conf wants it */

#ifndef NAMED_LITE_ANSWERER_QUESTIONS_H
#define NAMED_LITE_ANSWERER_QUESTIONS_H

#include "named-lite/answerer/answer.h"

/* One that came in on that socket. */
void	questions_log(const struct question *question,
	    const struct sockaddr *client, bool is_tcp, int fd);

#endif
