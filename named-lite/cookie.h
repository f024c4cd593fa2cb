/* cookie - server cookies that any process with the key can check (RFC 7873, RFC 9018) */

#ifndef NAMED_LITE_COOKIE_H
#define NAMED_LITE_COOKIE_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define COOKIE_OPTION_SIZE	28	/* code, length, client's 8 octets, ours 16 */

/* Write the whole option; gives COOKIE_OPTION_SIZE. `cookie` begins with the client's 8 octets. */
size_t	cookie_put(uint8_t *to, const uint8_t key[16], const uint8_t *cookie,
	    const struct sockaddr *client, time_t now);

#endif
