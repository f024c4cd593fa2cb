/* values - text to boolean, number, time, as main.cf writes them */

#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* "yes" or "no" in any case. 0, or -1: neither. */
int	config_bool(const char *text, bool *value);

/* A plain decimal number. 0, or -1: not a number, or not within the range. */
int	config_number(const char *text, int64_t smallest, int64_t largest,
	    int64_t *value);

/*
 * A number with s, m, h, d or w, or without: then it counts in unit. 0 with
 * the time in seconds, or -1: not a time, or more seconds than an int holds.
 */
int	config_time(const char *text, char unit, int *seconds);

/* How many in how long. */
struct config_rate {
	int	count;
	int	seconds;
};

/* "100/m": so many a second, minute, hour or day. 0, or -1: not a rate, or none at all. */
int	config_rate(const char *text, struct config_rate *rate);

/* What one success or failure is worth where the window is so wide: amount, amount/width or amount/sqrt(width). */
struct config_feedback {
	double	amount;		/* from 0 to 1 */
	enum { FEEDBACK_PLAIN, FEEDBACK_BY_WIDTH, FEEDBACK_BY_ROOT } form;
};

/* "1", "0.5", "1/concurrency", "1/sqrt_concurrency". 0, or -1: none of these. */
int	config_feedback(const char *text, struct config_feedback *feedback);

/*
 * Cut the next word of a list off *cursor: separated by white space and
 * commas, which do not count within { }. NULL at the end, or with *wrong
 * when braces do not pair. Writes into the string.
 */
char	*config_word(char **cursor, const char **wrong);

/*
 * Postfix's way with "3.9" or "2": -1, 0 or 1 as a is older, the same, newer;
 * missing parts are 0. *valid is false when one is not a level.
 */
int	config_compare_levels(const char *a, const char *b, bool *valid);

#endif
