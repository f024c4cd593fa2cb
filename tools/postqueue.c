/*
 * postqueue - look at the queue, and ask for another try
 *
 * What any user may do, unless authorized_mailq_users or
 * authorized_flush_users says otherwise. Set-gid, to reach public/. It lists
 * what showq(8) tells, and nudges qmgr(8); when the system is down the
 * superuser's postqueue reads the queue itself.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "listing/listing.h"
#include "tools/shared/command.h"
#include "tools/shared/selection.h"

/* How much one nudge says: some hundred ids. */
#define NUDGE_LENGTH	((size_t)8 << 10)

static struct selection selection;

static void
print_row(const struct listed_message *message, void *context)
{
	if (selection_has(&selection, message))
		listing_print(context, message);
}

static void
print_object(const struct listed_message *message, void *context)
{
	if (selection_has(&selection, message))
		listing_print_json(stdout, message);
}

/* 0 at the end of the stream; -1: it breaks off, or is none. */
static int
read_showq(FILE *in, listing_callback *on_message, void *context)
{
	struct listed_message message;
	struct pool *pool = pool_new(0);
	int got = listing_read_begin(in);

	while (got != -1 && (got = listing_read(in, pool, &message)) == 1) {
		on_message(&message, context);
		pool_reset(pool);
	}
	pool_free(&pool);
	return got;
}

static void
list_directly(listing_callback *on_message, void *context)
{
	if (geteuid() != 0 && access("journal", R_OK) == -1)
		fatal("Queue report unavailable - mail system is down");
	log_warning("Mail system is down -- accessing queue directly "
	    "(Connect to the %s %s service: %m)", config.mail_name,
	    config.showq_service_name);
	command_become_owner();
	listing_collect(LISTING_DOWN, on_message, context);
}

/* Call on_message for every message of the queue. */
static void
each_message(listing_callback *on_message, void *context)
{
	char *path = mem_printf("public/%s", config.showq_service_name);
	int fd;

	command_authorize("authorized_mailq_users",
	    config.authorized_mailq_users, "view the mail queue");
	fd = listing_connect(path);
	free(path);
	if (fd == -1) {
		list_directly(on_message, context);
		return;
	}

	FILE *in = fdopen(fd, "r");

	if (in == NULL || read_showq(in, on_message, context) == -1)
		fatal("malformed %s server response",
		    config.showq_service_name);
	fclose(in);
}

static void
list_rows(const char *unused)
{
	struct listing_printer rows = { .out = stdout,
	    .long_ids = config.enable_long_queue_ids };

	each_message(print_row, &rows);
	listing_print_end(&rows);
}

static void
list_objects(const char *unused)
{
	each_message(print_object, NULL);
}

static void
may_flush(void)
{
	command_authorize("authorized_flush_users",
	    config.authorized_flush_users, "flush the mail queue");
}

/* word is what qmgr hears. */
static void
nudge_qmgr(const char *word)
{
	char path[64];

	snprintf(path, sizeof(path), "public/%s", config.queue_service_name);
	if (ipc_nudge(path, word) == -1)
		fatal("Cannot flush mail queue - mail system is down");
}

static struct text wanted;	/* "flush id X Y": what qmgr is to hear next */

static void
tell_wanted(void)
{
	if (wanted.length > 0)
		nudge_qmgr(wanted.bytes);
	text_clear(&wanted);
}

static void
want(const char *id)
{
	text_printf(&wanted, "%s %s", wanted.length == 0 ? "flush id" : "", id);
	if (wanted.length > NUDGE_LENGTH)
		tell_wanted();
}

static void
flush_message(const char *id)
{
	if (!spool_id_is_valid(id))
		fatal("Cannot flush queue ID - invalid name: \"%.100s\"", id);
	may_flush();
	want(id);
	tell_wanted();
}

/* What flush(8) says of the site: 0, or why not. */
static int
ask_flush(const char *site)
{
	struct ipc_packet question = IPC_PACKET_EMPTY, answer = IPC_PACKET_EMPTY;
	struct ipc_done done = { .error = EIO };
	char path[64];
	int connection = -1;

	snprintf(path, sizeof(path), "public/%s", config.flush_service_name);
	ipc_encode_flush_site(&question, 0, &(struct ipc_flush_site){
	    .site = site });
	if (ipc_call(&connection, path, &question, &answer) == -1 ||
	    ipc_decode_done(&answer, &done) == -1)
		done.error = EIO;
	ipc_packet_clear(&question);
	ipc_packet_clear(&answer);
	fd_close(&connection);
	return (int)done.error;
}

static void
flush_site(const char *site)
{
	if (!hostname_is_valid(site, strlen(site)) &&
	    !address_literal_is_valid(site, strlen(site)))
		fatal("Cannot flush mail queue - invalid destination: \"%.100s\"",
		    site);
	may_flush();
	switch (ask_flush(site)) {
	case 0:
		break;
	case EINVAL:
		fatal("Invalid request: \"%s\"", site);
	case EACCES:
		fatal("Flush service is not configured for destination \"%s\"",
		    site);
	default:
		fatal("Cannot flush mail queue - mail system is down");
	}
}

/* What is held stays so, and what is on its way is being tried. */
static void
flush_one(const struct listed_message *message, void *context)
{
	size_t *count = context;

	if (strcmp(message->queue, "deferred") != 0 ||
	    !selection_has(&selection, message))
		return;
	(*count)++;
	if (selection.dry_run)
		selection_show(message, "tried now");
	else
		want(message->id);
}

static void
flush_queue(const char *unused)
{
	size_t count = 0;

	may_flush();
	if (!selection.dry_run &&
	    !listing_selection_is_set(&selection.criteria)) {
		nudge_qmgr("flush");
		return;
	}
	each_message(flush_one, &count);
	tell_wanted();
	if (selection.dry_run)
		selection_show_sum(count, "tried now");
	else
		log_info("Tried now: %zu message%s", count,
		    count == 1 ? "" : "s");
}

/* What a letter does, and whether to a selection. */
static const struct action {
	char	  letter;
	bool	  selects;
	void	(*act)(const char *argument);
} actions[] = {
	{ 'f', true, flush_queue }, { 'i', false, flush_message },
	{ 'j', true, list_objects }, { 'p', true, list_rows },
	{ 's', false, flush_site },
};

static void __attribute__((noreturn))
usage(void)
{
	fatal("usage: postqueue [selection] -f | postqueue -i queueid | "
	    "postqueue [selection] -j | postqueue [selection] -p | "
	    "postqueue -s site");
}

static const struct action *
find_action(int letter)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		if (actions[i].letter == letter)
			return &actions[i];
	}
	return NULL;
}

/* The action that the command line names; the configuration's directory and the action's argument too. */
static const struct action *
read_options(int argc, char **argv, const char **directory,
    const char **argument)
{
	const struct action *action = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:fi:jps:v",
	    selection_options(), NULL)) != -1) {
		if (option == 'c') {
			*directory = optarg;
		} else if (option == 'v') {
			log_verbose += geteuid() == 0;
		} else if (selection_take(&selection, option, optarg)) {
			continue;
		} else if (action == NULL && find_action(option) != NULL) {
			action = find_action(option);
			*argument = optarg;
		} else {
			selection_refuse(argv);
			usage();
		}
	}
	if (action == NULL || optind < argc)
		usage();
	if (!action->selects && (selection.dry_run ||
	    listing_selection_is_set(&selection.criteria)))
		fatal("-%c names its messages by itself: a selection and "
		    "--dry-run go with -f, -j and -p", action->letter);
	return action;
}

int
main(int argc, char **argv)
{
	const char *directory = NULL, *argument = NULL;
	const struct action *action;

	command_start("postqueue");
	fatal_exit_code = EX_UNAVAILABLE;	/* of bad usage too, as scripts know it */
	action = read_options(argc, argv, &directory, &argument);
	command_configure(directory);
	command_enter_queue();
	action->act(argument);
	if (fflush(stdout) == EOF) {
		fatal_exit_code = EX_IOERR;
		fatal("write: %m");
	}
	return 0;
}
