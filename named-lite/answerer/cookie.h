/* cookie - server cookies that any process with the key can check (RFC 7873, RFC 9018) */

#ifndef NAMED_LITE_ANSWERER_COOKIE_H
#define NAMED_LITE_ANSWERER_COOKIE_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define COOKIE_SIZE	24	/* client's 8 octets, ours 16 */
#define COOKIE_OPTION_SIZE	(4 + COOKIE_SIZE)	/* code, length */

/* Write the whole option; gives COOKIE_OPTION_SIZE. `cookie` begins with the client's 8 octets. */
size_t	cookie_put(uint8_t *to, const uint8_t key[16], const uint8_t *cookie,
	    const struct sockaddr *client, time_t now);

/* Did this key make these COOKIE_SIZE octets for this client, not too long ago? */
bool	cookie_check(const uint8_t key[16], const uint8_t *cookie,
	    const struct sockaddr *client, time_t now);

#endif
