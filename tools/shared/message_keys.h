/* message_keys - the headers and body lines of a message, as header_checks and body_checks will see them */

#ifndef TOOLS_SHARED_MESSAGE_KEYS_H
#define TOOLS_SHARED_MESSAGE_KEYS_H

#include <stdbool.h>

/* Call take for each logical header, and for each line of the body, of the message on standard input. */
void	message_keys(bool headers, bool body,
	    void (*take)(const char *key, void *context), void *context);

/* The same, but the headers of parts and of messages within it are no lines of its body. */
void	message_keys_of_parts(bool headers, bool body,
	    void (*take)(const char *key, void *context), void *context);

#endif
