/*
 * postdrop - leave a message in maildrop, durably
 *
 * In       a record as lib/spool has it, on standard input, from sendmail(1)
 * Out      a file in maildrop/, and a nudge for pickup(8)
 * Touches  maildrop/, to create: it is set-gid, and cannot list that directory
 * Trusts   nobody: any local user may run it, with any input and environment
 * Killed   the file has no name until it is whole, so nothing is left behind
 *
 * The file belongs to the user who calls, which is how pickup knows him; of
 * the envelope only what a user may say is kept.
 */

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "message/envelope.h"
#include "spool/spool.h"
#include "table/maps.h"
#include "tools/shared/command.h"
#include "tools/shared/drop.h"

/* Room for some 100,000 recipients. */
#define ENVELOPE_MAX	(32 << 20)

/* What the caller gives. */
struct input {
	struct spool_record record;
	struct text	 envelope;	/* what is left of his */
	size_t		 recipients;
};

static void
refuse(int code, const char *why)
{
	fatal_exit_code = code;
	fatal("uid=%ld: %s", (long)getuid(), why);
}

static void
read_input(void *bytes, size_t length)
{
	ssize_t n = fd_read_full(STDIN_FILENO, bytes, length);

	if (n != (ssize_t)length)
		refuse(EX_DATAERR, "the message ends too early: not queued");
}

/* What a user may say of his message; the rest is for us to say. */
static void
keep_what_is_his(struct input *input, const struct envelope *given,
    struct pool *pool)
{
	struct envelope *kept = envelope_new(pool);

	kept->arrival_us = clock_wall_us();
	kept->sender = given->sender;
	kept->flags = given->flags & ENVELOPE_OF_USERS;
	kept->size = input->record.content_length;
	kept->dsn_envid = given->dsn_envid;
	kept->dsn_ret = given->dsn_ret;
	kept->full_name = given->full_name;
	kept->verp = given->verp;
	if (envelope_is_user_token(given->token))
		kept->token = given->token;	/* pickup may know it by this */
	for (size_t i = 0; i < given->recipient_count; i++) {
		struct recipient *recipient = envelope_add_recipient(kept,
		    given->recipients[i].address);

		recipient->dsn_orcpt = given->recipients[i].dsn_orcpt;
		recipient->dsn_notify = given->recipients[i].dsn_notify;
	}
	envelope_encode(kept, &input->envelope);
	input->recipients = kept->recipient_count;
}

/* One word of local_login_sender_maps: does it permit this sender, without its extension? */
static bool
is_permitted(const char *pattern, const char *sender)
{
	const char *domain = address_domain(sender);

	if (strcmp(pattern, "*") == 0)
		return true;
	if (*sender == '\0')
		return strcmp(pattern, config.
		    empty_address_local_login_sender_maps_lookup_key) == 0;
	if (*pattern == '@')
		return domain != NULL && text_equal_nocase(pattern + 1, domain);
	return text_equal_nocase(pattern, sender);
}

/* As whom the caller may send: local_login_sender_maps, by his login name. */
static void
check_sender(const char *given)
{
	if (strcmp(config.local_login_sender_maps, "static:*") == 0)
		return;

	struct maps *maps = maps_open("local_login_sender_maps",
	    config.local_login_sender_maps);
	struct passwd *user = getpwuid(getuid());
	char *login = user != NULL ? mem_strdup(user->pw_name) :
	    mem_printf("uid:%ld", (long)getuid());
	size_t local = address_localpart_length(given);
	size_t base = address_base_length(given, local,
	    config.recipient_delimiter);
	char *sender = mem_printf("%.*s%s", (int)base, given, given + local);
	const char *value = "";
	enum table_answer answer = maps_find(maps, login, &value);
	char *list = mem_strdup(answer == TABLE_FOUND ? value : "");
	char *cursor = list, *word;

	if (answer == TABLE_ERROR)
		refuse(EX_TEMPFAIL, "local_login_sender_maps cannot be read");
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL &&
	    !is_permitted(word, sender))
		continue;
	if (word == NULL) {
		free(list);
		list = mem_printf("not authorized to use sender='%s'", given);
		refuse(EX_NOPERM, list);
	}
	free(list);
	free(sender);
	free(login);
	maps_close(&maps);
}

static void
read_front(struct input *input)
{
	char header[SPOOL_RECORD_HEADER];

	read_input(header, sizeof(header));
	if (spool_record_parse(header, &input->record) == -1 ||
	    input->record.envelope_length > ENVELOPE_MAX ||
	    input->record.marks_length > input->record.envelope_length)
		refuse(EX_DATAERR, "not a message from sendmail(1)");
	if (config.message_size_limit > 0 &&
	    input->record.content_length > config.message_size_limit)
		refuse(EX_UNAVAILABLE, "message file too big");

	size_t length = input->record.marks_length +
	    input->record.envelope_length;
	char *bytes = mem_alloc(length);
	struct pool *pool = pool_new(0);

	read_input(bytes, length);

	struct envelope *given = envelope_decode(pool,
	    bytes + input->record.marks_length, input->record.envelope_length);

	if (given == NULL || given->recipient_count == 0)
		refuse(EX_DATAERR, "an envelope that cannot be read");
	check_sender(given->sender);
	keep_what_is_his(input, given, pool);
	pool_free(&pool);
	free(bytes);
}

static void
copy_content(struct drop *drop, int64_t left)
{
	static char room[1 << 16];

	while (left > 0) {
		size_t part = left > (int64_t)sizeof(room) ? sizeof(room) :
		    (size_t)left;

		read_input(room, part);
		if (drop_write(drop, room, part) == -1)
			fatal("write in maildrop: %m");
		left -= (int64_t)part;
	}
}

static void
leave(const struct input *input)
{
	struct drop drop;

	/* Anybody may read it who may enter the directory: pickup, but not the caller. */
	if (drop_begin(&drop, 0444, &input->envelope, input->recipients) == -1)
		fatal("create a file in %s/maildrop: %m; is postdrop set-gid "
		    "(postroad set-permissions)?", config.queue_directory);
	copy_content(&drop, input->record.content_length);
	if (drop_commit(&drop) == -1)
		fatal("make a file in maildrop durable: %m");
}

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	struct input input = { .recipients = 0 };
	int option;

	command_start("postdrop");
	while ((option = getopt(argc, argv, "c:rv")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'r':
			break;
		case 'v':
			log_verbose += geteuid() == 0;
			break;
		default:
			fatal_exit_code = EX_USAGE;
			fatal("usage: postdrop [-c config_dir] [-v]");
		}
	}
	command_configure(directory);
	command_enter_queue();
	command_authorize("authorized_submit_users",
	    config.authorized_submit_users, "submit mail");
	read_front(&input);
	leave(&input);
	ipc_nudge("public/pickup", "maildrop");	/* else it looks on its own in a minute */
	return 0;
}
