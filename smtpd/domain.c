/* Does a domain take mail? The DNS knows: an MX record, or else an address (RFC 5321 section 5.1). */

#include "smtpd/smtpd.h"

#include <stdlib.h>

struct domain_question {
	char			*domain;
	struct resolve_query	*query;
	domain_done		*done;
	void			*argument;
};

void
domain_forget(struct domain_question **question)
{
	if (*question == NULL)
		return;
	resolve_cancel(&(*question)->query);
	free((*question)->domain);
	free(*question);
	*question = NULL;
}

static void
finish(struct domain_question *question, enum domain_state state)
{
	domain_done *done = question->done;
	void *argument = question->argument;

	domain_forget(&question);
	done(state, argument);
}

static void
on_addresses(const struct resolve_answer *answer, void *argument)
{
	struct domain_question *question = argument;

	question->query = NULL;
	finish(question, answer->result == RESOLVE_FOUND ? DOMAIN_THERE :
	    answer->result == RESOLVE_TEMPORARY ? DOMAIN_UNCERTAIN :
	    DOMAIN_NOT_FOUND);
}

static void
on_mx(const struct resolve_answer *answer, void *argument)
{
	struct domain_question *question = argument;

	question->query = NULL;
	switch (answer->result) {
	case RESOLVE_FOUND:
		finish(question, answer->count == 1 &&
		    answer->mx[0].host[0] == '\0' ? DOMAIN_NULL_MX :
		    DOMAIN_THERE);
		break;
	case RESOLVE_NO_DATA:
		question->query = resolve_addresses(smtpd_resolver,
		    question->domain, RESOLVE_V4 | RESOLVE_V6, on_addresses,
		    question);
		break;
	case RESOLVE_NOT_FOUND:
		finish(question, DOMAIN_NOT_FOUND);
		break;
	case RESOLVE_TEMPORARY:
		finish(question, DOMAIN_UNCERTAIN);
		break;
	}
}

struct domain_question *
domain_ask(const char *domain, domain_done *done, void *argument)
{
	struct domain_question *question = mem_zalloc(1, sizeof(*question));

	question->domain = mem_strdup(domain);
	question->done = done;
	question->argument = argument;
	question->query = resolve_mx(smtpd_resolver, question->domain, on_mx,
	    question);
	return question;
}
