/* What main.cf says of each test, and what it is to have passed one. */

#include <time.h>

#include "config/config.h"
#include "smtpd/screen/screen.h"

/* What main.cf says of a test. */
static const struct {
	const char	*name;		/* of its action */
	const char	*const *action;
	const bool	*enabled;	/* NULL: see screen_is_enabled() */
	const int	*ttl;
} tests[SCREEN_TEST_COUNT] = {
	[SCREEN_PREGREET] = { "postscreen_greet_action",
	    &config.postscreen_greet_action, NULL,
	    &config.postscreen_greet_ttl },
	[SCREEN_DNSBL] = { "postscreen_dnsbl_action",
	    &config.postscreen_dnsbl_action, NULL,
	    &config.postscreen_dnsbl_max_ttl },
	[SCREEN_PIPELINING] = { "postscreen_pipelining_action",
	    &config.postscreen_pipelining_action,
	    &config.postscreen_pipelining_enable,
	    &config.postscreen_pipelining_ttl },
	[SCREEN_NON_SMTP] = { "postscreen_non_smtp_command_action",
	    &config.postscreen_non_smtp_command_action,
	    &config.postscreen_non_smtp_command_enable,
	    &config.postscreen_non_smtp_command_ttl },
	[SCREEN_BARE_NEWLINE] = { "postscreen_bare_newline_action",
	    &config.postscreen_bare_newline_action,
	    &config.postscreen_bare_newline_enable,
	    &config.postscreen_bare_newline_ttl },
};

enum screen_action
screen_action_of(const char *name, const char *word)
{
	static const char *const words[] = {
		[SCREEN_IGNORE] = "ignore", [SCREEN_ENFORCE] = "enforce",
		[SCREEN_DROP] = "drop",
	};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (text_equal_nocase(word, words[i]))
			return (enum screen_action)i;
	fatal("%s = %s: expected ignore, enforce or drop", name, word);
}

enum screen_action
screen_action(enum screen_test test)
{
	return screen_action_of(tests[test].name, *tests[test].action);
}

bool
screen_is_enabled(enum screen_test test)
{
	return test == SCREEN_PREGREET ? true :
	    test == SCREEN_DNSBL ? screen_has_sites() : *tests[test].enabled;
}

int
screen_ttl(enum screen_test test)
{
	return *tests[test].ttl;
}

void
screen_tests_open(void)
{
	/* Words that are none are told now, while it can be fatal. */
	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		screen_action((enum screen_test)i);
	screen_action_of("postscreen_denylist_action",
	    config.postscreen_denylist_action);
}

void
screen_pass(struct screening *x, enum screen_test test, int seconds)
{
	int64_t until = (int64_t)time(NULL) + seconds;

	x->passed |= BIT(test);
	if (x->passes.until[test] < until)
		x->passes.until[test] = until;
}
