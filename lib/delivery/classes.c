#include "delivery/classes.h"

#include <stdlib.h>
#include <strings.h>

#include "base/base.h"
#include "config/config.h"

static unsigned int
class_of(const char *word)
{
	static const struct { const char *word; unsigned int class; } words[] = {
		{ "bounce", NOTIFY_BOUNCE }, { "2bounce", NOTIFY_2BOUNCE },
		{ "data", NOTIFY_DATA }, { "delay", NOTIFY_DELAY },
		{ "policy", NOTIFY_POLICY }, { "protocol", NOTIFY_PROTOCOL },
		{ "resource", NOTIFY_RESOURCE }, { "software", NOTIFY_SOFTWARE },
	};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].class;
	}
	log_warning("notify_classes: \"%s\" is none of bounce, 2bounce, data, "
	    "delay, policy, protocol, resource, software", word);
	return 0;
}

unsigned int
notify_classes(void)
{
	static unsigned int classes;
	static const char *read;

	if (read != config.notify_classes) {
		char *list = mem_strdup(config.notify_classes), *cursor = list;
		const char *word;

		classes = 0;
		while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
			classes |= class_of(word);
		free(list);
		read = config.notify_classes;
	}
	return classes;
}
