/*
 * Unique-ids: a message keeps its own from session to session (RFC 1939 section 7)
 *
 * What Dovecot's list says, else the name of its file, else a hash of it.
 */

#include "mailbox/internal.h"

#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/base.h"

static const char *
hashed_unique_id(struct mailbox *box, const struct message *m)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char hex[33];

	SHA256((const unsigned char *)m->file, m->base_length, hash);
	for (size_t i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return pool_strdup(box->pool, hex);
}

/* The base name without the sizes, if it may be a unique-id; else a hash of all of it. */
static const char *
named_unique_id(struct mailbox *box, const struct message *m)
{
	size_t length = strcspn(m->file, ",:");

	if (length == 0 || length > UNIQUE_ID_MAX)
		return hashed_unique_id(box, m);
	for (size_t i = 0; i < length; i++)
		if (m->file[i] < 0x21 || m->file[i] > 0x7e)
			return hashed_unique_id(box, m);
	return pool_strndup(box->pool, m->file, length);
}

/* No two may share one (RFC 1939 section 7): a later message's is then a hash. */
static void
give_unique_ids(struct mailbox *box)
{
	struct map *given = map_new();

	for (size_t i = 0; i < box->count; i++) {
		struct message *m = &box->messages[i];

		if (m->unique_id == NULL)
			m->unique_id = named_unique_id(box, m);
		if (map_set(given, m->unique_id, m) != NULL)
			m->unique_id = hashed_unique_id(box, m);
	}
	map_free(&given, NULL);
	box->has_unique_ids = true;
}

const char *
mailbox_unique_id(struct mailbox *box, size_t n)
{
	if (!box->has_unique_ids)
		give_unique_ids(box);
	return box->messages[n].unique_id;
}
