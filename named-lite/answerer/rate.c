#include "named-lite/answerer/rate.h"

#include <sys/mman.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named-lite/report.h"

#define ACCOUNTS_MAX	(1U << 20)
#define WAYS		4	/* places that an account may have */
#define BALANCE_MIN	(-(1 << 23) + 1)

/*
 * An account as one word: whose it is (16 bits), the second of its last
 * answer (16), how many were refused (8), the balance (24).
 */
struct account {
	uint16_t tag;
	uint16_t second;
	uint8_t	 refused;
	int32_t	 balance;
};

static struct shared {
	uint64_t key[2];
	_Atomic uint32_t second;	/* and the questions in it, for qps-scale */
	_Atomic uint32_t questions;
	_Atomic uint32_t last_questions;
	_Atomic uint64_t accounts[ACCOUNTS_MAX];
} *shared;

static const char *const kind_names[RATE_KINDS] = { "responses", "referrals",
    "NODATA responses", "NXDOMAIN responses", "error responses",
    "all responses" };

void
rate_init(void)
{
	void *memory = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		log_warning("no memory for rate-limit, which has no effect: "
		    "%m");
		return;
	}
	shared = memory;
	arc4random_buf(shared->key, sizeof(shared->key));
}

static uint64_t
pack(const struct account *account)
{
	return (uint64_t)account->tag << 48 | (uint64_t)account->second << 32 |
	    (uint64_t)account->refused << 24 |
	    ((uint32_t)account->balance & 0xffffff);
}

static struct account
unpack(uint64_t word)
{
	int32_t balance = word & 0xffffff;

	return (struct account) { word >> 48, word >> 32 & 0xffff,
	    word >> 24 & 0xff,
	    balance & 0x800000 ? balance - 0x1000000 : balance };
}

/* The first bits of an address: its network. */
static void
put_network(const struct image_rate_limit *limit,
    const struct sockaddr *client, uint8_t octets[16])
{
	size_t length = 4, bits = limit->ipv4_prefix;

	memset(octets, 0, 16);
	if (client->sa_family == AF_INET)
		memcpy(octets, &((const struct sockaddr_in *)client)->sin_addr,
		    4);
	else if (client->sa_family == AF_INET6) {
		memcpy(octets,
		    &((const struct sockaddr_in6 *)client)->sin6_addr, 16);
		length = 16;
		bits = limit->ipv6_prefix;
	}
	for (size_t i = bits; i < length * 8; i++)
		octets[i / 8] &= ~(0x80 >> i % 8);
}

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

/* A number for the network and the answer; whoever does not know the key cannot make two alike. */
static uint64_t
hash_account(const struct image_rate_limit *limit,
    const struct rate_answer *answer, enum rate_kind kind,
    const struct sockaddr *client)
{
	uint8_t network[16];
	uint64_t words[2], hash = shared->key[0];

	put_network(limit, client, network);
	memcpy(words, network, sizeof(words));
	hash = mix(hash, words[0]);
	hash = mix(hash, words[1] ^ shared->key[1]);
	hash = mix(hash, kind);
	if (kind != RATE_ERRORS && kind != RATE_ALL)
		hash = mix(hash, answer->subject);
	if (kind == RATE_RESPONSES)
		hash = mix(hash, answer->type);
	return mix(hash, shared->key[1]);
}

/* Where the account is, or, among its places, the one that was used longest ago. */
static _Atomic uint64_t *
find_account(const struct image_rate_limit *limit, uint64_t hash, uint16_t now)
{
	uint32_t sets = 16;
	_Atomic uint64_t *set, *oldest = NULL;
	unsigned most = 0;

	while (sets * WAYS < limit->max_table_size &&
	    sets * WAYS < ACCOUNTS_MAX)
		sets *= 2;
	set = shared->accounts + (hash & (sets - 1)) * WAYS;
	for (int i = 0; i < WAYS; i++) {
		struct account account = unpack(atomic_load_explicit(&set[i],
		    memory_order_relaxed));
		unsigned age = (uint16_t)(now - account.second);

		if (account.tag == (uint16_t)(hash >> 48 | 1))
			return &set[i];
		if (account.tag == 0)
			age = UINT16_MAX + 1U;
		if (oldest == NULL || age > most) {
			oldest = &set[i];
			most = age;
		}
	}
	return oldest;
}

/* One answer from the account. Gives what is left, and in *refused how many were refused since it was in order. */
static int32_t
debit(const struct image_rate_limit *limit, uint64_t hash, uint32_t rate,
    uint16_t now, unsigned *refused)
{
	_Atomic uint64_t *place = find_account(limit, hash, now);
	uint16_t tag = hash >> 48 | 1;
	int64_t least = -(int64_t)limit->window * rate;
	uint64_t word = atomic_load_explicit(place, memory_order_relaxed);
	struct account account;

	if (least < BALANCE_MIN)
		least = BALANCE_MIN;
	do {
		int64_t balance;

		account = unpack(word);
		balance = account.balance + (int64_t)rate *
		    (uint16_t)(now - account.second);
		if (account.tag != tag || balance > rate) {
			balance = rate;
			account.refused = 0;
		}
		balance--;
		account = (struct account) { tag, now, account.refused,
		    balance < least ? least : balance };
		if (balance < 0 && ++account.refused == 0)
			account.refused = 1;	/* 0: it was in order */
	} while (!atomic_compare_exchange_weak_explicit(place, &word,
	    pack(&account), memory_order_relaxed, memory_order_relaxed));
	*refused = account.refused;
	return account.balance;
}

/* qps-scale: the more questions there are, the less is permitted. */
static uint32_t
scale(const struct image_rate_limit *limit, uint32_t rate, uint32_t now)
{
	uint32_t questions;

	if (limit->qps_scale == 0)
		return rate;
	if (atomic_exchange(&shared->second, now) != now)
		atomic_store(&shared->last_questions,
		    atomic_exchange(&shared->questions, 0));
	atomic_fetch_add(&shared->questions, 1);
	questions = atomic_load(&shared->last_questions);
	if (questions <= limit->qps_scale)
		return rate;
	rate = (uint64_t)rate * limit->qps_scale / questions;
	return rate > 0 ? rate : 1;
}

static void
tell(const struct image_rate_limit *limit, enum rate_kind kind,
    const struct sockaddr *client, int64_t now)
{
	static int64_t told_at;
	char text[INET6_ADDRSTRLEN];
	uint8_t network[16];

	if (told_at == now)
		return;
	told_at = now;
	put_network(limit, client, network);
	inet_ntop(client->sa_family, network, text, sizeof(text));
	report(LOG_CATEGORY_RATE_LIMIT, LOG_LEVEL_INFO,
	    "%slimit %s to %s/%u", limit->log_only ? "would " : "",
	    kind_names[kind], text, client->sa_family == AF_INET ?
	    limit->ipv4_prefix : limit->ipv6_prefix);
}

/* Is there a limit, and is it reached? *slips: this is one of the refused that may go out cut short. */
static bool
is_beyond(const struct image_rate_limit *limit,
    const struct rate_answer *answer, enum rate_kind kind,
    const struct sockaddr *client, int64_t now, bool *slips)
{
	const uint32_t rates[RATE_KINDS] = { limit->responses,
	    limit->referrals, limit->nodata, limit->nxdomains, limit->errors,
	    limit->all };
	uint32_t rate = rates[kind];
	unsigned refused;

	if (rate == 0)
		return false;
	rate = scale(limit, rate, now);
	if (debit(limit, hash_account(limit, answer, kind, client), rate, now,
	    &refused) >= 0)
		return false;
	if (refused == 1)
		tell(limit, kind, client, now);
	*slips = limit->slip > 0 && refused % limit->slip == 0;
	return true;
}

enum rate_verdict
rate_check(const struct image *image, const struct rate_answer *answer,
    const struct sockaddr *client, int64_t now)
{
	const struct image_rate_limit *limit = &image->header->rate_limit;
	bool slips = false;

	if (shared == NULL || image_acl_allows(image, limit->exempt, client))
		return RATE_SEND;
	if (!is_beyond(limit, answer, answer->kind, client, now, &slips) &&
	    !is_beyond(limit, answer, RATE_ALL, client, now, &slips))
		return RATE_SEND;
	if (limit->log_only)
		return RATE_SEND;
	return slips ? RATE_SLIP : RATE_DROP;
}
