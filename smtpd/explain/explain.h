/* What the files of explain share: postroad explain's question. */

#ifndef SMTPD_EXPLAIN_H
#define SMTPD_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/master_cf.h"
#include "resolve/resolve.h"

#define RECIPIENTS_MAX	20

struct request {
	const char	*client, *name;		/* name NULL: looked up */
	union resolve_address address;
	const char	*helo;			/* "": none is said */
	bool		 is_old;		/* says HELO */
	const char	*sender;
	const char	*recipients[RECIPIENTS_MAX];
	size_t		 recipient_count;
	const char	*size;			/* of the message; NULL: small, and not declared */
	const char	*service;		/* of master.cf; NULL: the one at port 25 */
	const char	*logged;		/* the reply in the log line; NULL */
	bool		 probes;
	bool		 has_passed;		/* postscreen's tests: they are not made */
};

/* request.c: read the options. False: a log line was explained, and that is all. Exits for mistakes. */
bool	explain_read_request(struct request *request, int argc, char **argv);

/* The service of master.cf that is asked for; NULL if there is none. */
const struct master_entry *explain_find_service(const struct request *request);

/* witness.c: tell what checks decide and tables say, from now on. */
void	explain_witness(void);
void	explain_flush(void);	/* what was told and not yet shown */

/* log.c: what a line means that is not about a check. False: nothing is known of it. */
bool	explain_log_line(const char *line);

#endif
