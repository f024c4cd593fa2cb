#include "smtp/haproxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define LINE_MAX_V1	107	/* with CR LF, as the protocol has it */
#define HEAD_SIZE_V2	16

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* Version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25". */

static bool
read_address(const char *text, const char *port, int family,
    struct sockaddr *address)
{
	const char *error;
	uint16_t number;

	if (text == NULL || port == NULL)
		return false;
	number = htons((uint16_t)strtonum(port, 0, 65535, &error));
	if (error != NULL)
		return false;
	address->sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		struct sockaddr_in *v4 = (void *)address;

		v4->sin_port = number;
		return inet_pton(AF_INET, text, &v4->sin_addr) == 1;
	}

	struct sockaddr_in6 *v6 = (void *)address;

	v6->sin6_port = number;
	return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1;
}

static bool
read_line(char *line, struct haproxy *header)
{
	char *cursor = line, *word = word_next(&cursor, " ");
	char *family = word_next(&cursor, " ");
	char *client = word_next(&cursor, " ");
	char *server = word_next(&cursor, " ");
	char *client_port = word_next(&cursor, " ");
	char *server_port = word_next(&cursor, " ");

	if (word == NULL || strcmp(word, "PROXY") != 0 || family == NULL)
		return false;
	if (strcmp(family, "UNKNOWN") == 0)
		return true;
	if (strcmp(family, "TCP4") != 0 && strcmp(family, "TCP6") != 0)
		return false;

	int number = family[3] == '4' ? AF_INET : AF_INET6;

	header->is_proxied = true;
	return word_next(&cursor, " ") == NULL &&
	    read_address(client, client_port, number, &header->client.any) &&
	    read_address(server, server_port, number, &header->server.any);
}

static ssize_t
parse_line(const char *bytes, size_t length, struct haproxy *header)
{
	size_t limit = length < LINE_MAX_V1 ? length : LINE_MAX_V1;
	const char *lf = memchr(bytes, '\n', limit);
	char line[LINE_MAX_V1 + 1];
	size_t size;

	if (lf == NULL)
		return length < LINE_MAX_V1 ? 0 : -1;
	size = (size_t)(lf - bytes);
	if (size == 0 || bytes[size - 1] != '\r' ||
	    memchr(bytes, '\0', size) != NULL)
		return -1;
	memcpy(line, bytes, size - 1);
	line[size - 1] = '\0';
	return read_line(line, header) ? (ssize_t)size + 1 : -1;
}

/* Version 2. */

static void
copy_v4(struct sockaddr_in *address, const char *ip, const char *port)
{
	address->sin_family = AF_INET;
	memcpy(&address->sin_addr, ip, 4);
	memcpy(&address->sin_port, port, 2);
}

static void
copy_v6(struct sockaddr_in6 *address, const char *ip, const char *port)
{
	address->sin6_family = AF_INET6;
	memcpy(&address->sin6_addr, ip, 16);
	memcpy(&address->sin6_port, port, 2);
}

static ssize_t
parse_binary(const char *bytes, size_t length, struct haproxy *header)
{
	const unsigned char *head = (const unsigned char *)bytes;
	const char *body = bytes + HEAD_SIZE_V2;
	size_t size;

	if (length < HEAD_SIZE_V2)
		return 0;
	size = (size_t)(head[14] << 8 | head[15]);
	if (head[12] >> 4 != 2 || (head[12] & 15) > 1 ||
	    HEAD_SIZE_V2 + size > HAPROXY_HEADER_MAX)
		return -1;
	if (length < HEAD_SIZE_V2 + size)
		return 0;
	header->is_proxied = (head[12] & 15) == 1;
	if (header->is_proxied && head[13] == 0x11 && size >= 12) {
		copy_v4(&header->client.v4, body, body + 8);
		copy_v4(&header->server.v4, body + 4, body + 10);
	} else if (header->is_proxied && head[13] == 0x21 && size >= 36) {
		copy_v6(&header->client.v6, body, body + 32);
		copy_v6(&header->server.v6, body + 16, body + 34);
	} else if (header->is_proxied)
		return -1;	/* no TCP: whose mail would that be? */
	return (ssize_t)(HEAD_SIZE_V2 + size);
}

ssize_t
haproxy_parse(const char *bytes, size_t length, struct haproxy *header)
{
	size_t common = length < sizeof(signature) ? length : sizeof(signature);

	memset(header, 0, sizeof(*header));
	if (length == 0)
		return 0;
	if (memcmp(bytes, signature, common) == 0)
		return parse_binary(bytes, length, header);
	common = length < 6 ? length : 6;
	if (memcmp(bytes, "PROXY ", common) != 0)
		return -1;
	return parse_line(bytes, length, header);
}
