/* questions - a log line for each, as long as rndc or named.conf wants it */

#ifndef NAMED_LITE_ANSWERER_QUESTIONS_H
#define NAMED_LITE_ANSWERER_QUESTIONS_H

#include "named-lite/answerer/answer.h"
#include "named-lite/answerer/internal.h"

/* One that came in on that socket. */
void	questions_log(const struct question *question,
	    const struct sockaddr *client, bool is_tcp, int fd);

/* Does named.conf ask for lines of what is refused? BIND writes them for each; we do when a category is named. */
bool	questions_are_told(const struct plan *plan);

/* One whose answer was REFUSED. */
void	questions_log_refusal(const struct question *question,
	    const struct server *server, const struct sockaddr *client);

#endif
