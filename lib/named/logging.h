/*
 * logging - which lines go where: BIND's categories and channels
 *
 * A channel is a place: a file with its older versions, syslog, standard
 * error, nowhere. A category is what a line is about. What named.conf says
 * of both is resolved here, so that each category has its set of channels.
 */

#ifndef NAMED_LOGGING_H
#define NAMED_LOGGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_category {
#define CATEGORY(name, word) LOG_CATEGORY_##name,
#include "named/categories.def"
#undef CATEGORY
	LOG_CATEGORIES
};

enum log_place { LOG_PLACE_NULL, LOG_PLACE_FILE, LOG_PLACE_SYSLOG,
    LOG_PLACE_STDERR };

enum log_time { LOG_TIME_NONE, LOG_TIME_LOCAL, LOG_TIME_ISO8601,
    LOG_TIME_ISO8601_UTC };

#define LOG_VERSIONS_NONE	(-1)	/* the file is never renamed */
#define LOG_VERSIONS_ALL	(-2)

/* How a channel writes. */
struct log_form {
	enum log_place place;
	int	 facility;		/* of syslog(3) */
	int	 versions;		/* older ones that are kept, or one of the above */
	bool	 versions_by_time;	/* named by the time, not counted */
	uint64_t size;			/* octets of a file; 0 no limit */
	int	 severity;		/* enum log_level: what is less is left out */
	bool	 debug_only;		/* nothing at all unless there is debugging */
	uint32_t time;			/* enum log_time */
	bool	 print_category;
	bool	 print_severity;
};

struct log_channel {
	const char *name;
	const char *file;		/* of LOG_PLACE_FILE */
	struct log_form form;
};

#define LOG_CHANNELS_MAX	64

struct logging {
	bool	 is_given;		/* named.conf says something of it */
	size_t	 channel_count;
	struct log_channel channels[LOG_CHANNELS_MAX];
	uint64_t categories[LOG_CATEGORIES];	/* bit n: channel n */
	uint64_t asked;			/* bit n: category n is named, and not for nowhere */
};

/* A category's word; one of its number, -1 none. */
const char *log_category_word(enum log_category category);
int	log_category_find(const char *word);

#endif
