/*
 * Who has passed.
 *
 * This process remembers whom it met lately, in two maps that change places,
 * so that an old client costs nothing; of others it asks postscreen(8), which
 * has the word of all processes and of days.
 */

#include <stdlib.h>

#include "service/service.h"
#include "smtpd/screen/screen.h"

/* When a map is full, or an hour old, a new one is begun. */
#define CLIENTS_MAX	8000
#define HOUR_MS		(3600 * 1000)

/* When it has not answered for longer than that, it is not asked for a minute. */
#define FAILING_MS	1000
#define REST_MS		60000

static struct ipc_client *keeper;
static int64_t failing_since_ms, rest_until_ms;
static struct map *recent, *before;
static int64_t turned_ms;

static void
turn_maps(void)
{
	if (recent != NULL && map_count(recent) < CLIENTS_MAX &&
	    clock_ms() - turned_ms < HOUR_MS)
		return;
	map_free(&before, free);
	before = recent;
	recent = map_new();
	turned_ms = clock_ms();
}

bool
screen_recall(const char *client, struct screen_passes *passes)
{
	const struct screen_passes *known;

	turn_maps();
	known = map_get(recent, client);
	if (known == NULL && before != NULL)
		known = map_get(before, client);
	if (known == NULL)
		return false;
	*passes = *known;
	return true;
}

void
screen_note(const char *client, const struct screen_passes *passes)
{
	struct screen_passes *copy = mem_alloc(sizeof(*copy));

	*copy = *passes;
	turn_maps();
	free(map_set(recent, client, copy));
}

/* A killed one is there again at once; without a line for it in master.cf there is none later either. */
void
screen_answered(bool answered)
{
	if (answered)
		failing_since_ms = 0;
	else if (failing_since_ms == 0)
		failing_since_ms = clock_ms();
	else if (clock_ms() - failing_since_ms > FAILING_MS)
		rest_until_ms = clock_ms() + REST_MS;
}

static uint64_t
call(struct ipc_packet *packet, ipc_reply_callback *done, void *argument)
{
	if (clock_ms() < rest_until_ms) {
		ipc_packet_clear(packet);
		return 0;
	}
	if (keeper == NULL)
		keeper = ipc_client_new(service_base, SCREEN_SERVICE);
	return ipc_client_call(keeper, packet, done, argument);
}

uint64_t
screen_ask(const char *client, ipc_reply_callback *done, void *argument)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_screen_query(&packet, 0,
	    &(struct ipc_screen_query){ .client = client });
	return call(&packet, done, argument);
}

void
screen_ask_cancel(uint64_t number)
{
	if (number != 0)
		ipc_client_cancel(keeper, number);
}

void
screen_learn(const char *client, const struct screen_passes *passes)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	char row[SCREEN_ROW_SIZE];

	screen_note(client, passes);
	screen_passes_print(passes, row);
	ipc_encode_screen_update(&packet, 0,
	    &(struct ipc_screen_update){ .client = client, .passes = row });
	call(&packet, NULL, NULL);
}
