/*
 * postsuper - remove, hold, release, expire and requeue mail
 *
 * The superuser's hand in the queue: tools/shared/queue.c is what it does to
 * a message, here is which messages, and what is said of it. It works as
 * mail_owner, so that what it writes belongs to the suite.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "listing/listing.h"
#include "spool/spool.h"
#include "tools/shared/command.h"
#include "tools/shared/queue.h"
#include "tools/shared/selection.h"

static const char alphanumeric[] = "0123456789"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* In the order in which they are carried out. */
static struct action {
	char		 letter;
	const char	*operations[2];	/* of tools/shared/queue.h, one after the other */
	const char	*done;		/* of one message */
	const char	*summary;
	const char	*queues;	/* that it applies to, when none is named */
	const char	*targets[256];	/* ids, ALL, - */
	size_t		 target_count;
	char		*ids[QUEUE_BATCH];	/* that wait for their batch to be full */
	size_t		 id_count;
	size_t		 count;
	size_t		 released;	/* of these, by the first of two operations */
} actions[] = {
	{ .letter = 'd', .operations = { "delete" }, .done = "removed",
	  .summary = "Deleted", .queues = "hold incoming active deferred" },
	{ .letter = 'h', .operations = { "hold" }, .done = "placed on hold",
	  .summary = "Placed on hold", .queues = "incoming active deferred" },
	{ .letter = 'H', .operations = { "release" }, .done = "released from hold",
	  .summary = "Released from hold", .queues = "hold" },
	{ .letter = 'r', .operations = { "requeue" }, .done = "requeued",
	  .summary = "Requeued", .queues = "hold incoming active deferred" },
	{ .letter = 'e', .operations = { "expire" }, .done = "expired",
	  .summary = "Force-expired",
	  .queues = "hold incoming active deferred" },
	{ .letter = 'f', .operations = { "release", "expire" }, .done = "expired",
	  .summary = "Force-expired",
	  .queues = "hold incoming active deferred" },
};

/* Postfix's directories that hold no message: nothing is in them here. */
static const char without_messages[] = "bounce defer trace flush corrupt saved";

static struct selection selection;
static bool check_too;		/* -s beside other actions */

/* A message that was not on the road yet: in maildrop there is only its file. */
static bool
delete_drop(const char *id)
{
	char path[64];

	snprintf(path, sizeof(path), "maildrop/%s", id);
	return unlink(path) == 0;
}

static bool
means_all(const struct action *action)
{
	for (size_t i = 0; i < action->target_count; i++) {
		if (strcmp(action->targets[i], "ALL") == 0)
			return true;
	}
	return false;
}

/* Who said ALL wants to hear the sum of them; a line for each message is for the log. */
static void
tell_one(const char *id, const char *what, bool was_named)
{
	char line[100];

	if (was_named || log_verbose > 0) {
		log_info("%s: %s", id, what);
		return;
	}
	snprintf(line, sizeof(line), "%s: %s", id, what);
	command_log(LOG_LEVEL_INFO, line);
}

static void
tell_sum(const char *what, size_t count)
{
	log_info("%s: %zu message%s", what, count, count == 1 ? "" : "s");
}

static bool
id_makes_sense(const char *id)
{
	/* A short word may be somebody's queue id, but not ours. */
	if (!spool_id_is_valid(id) &&
	    strspn(id, alphanumeric) != strlen(id))
		log_warning("invalid mail queue id: %s", id);
	return spool_id_is_valid(id);
}

static void
tell_done(struct action *action, const char *id, bool done, const char *queues)
{
	if (done || (action->letter == 'd' &&
	    list_has_word(queues, "maildrop") && delete_drop(id))) {
		tell_one(id, action->done, !means_all(action));
		action->count++;
	}
}

/* Those that wait, as one batch. */
static void
act_now(struct action *action, const char *queues)
{
	bool done[QUEUE_BATCH] = { false };

	for (size_t n = 0; n < COUNT_OF(action->operations) &&
	    action->operations[n] != NULL && action->id_count > 0; n++) {
		bool now[QUEUE_BATCH];

		queue_operate(action->operations[n], action->ids,
		    action->id_count, now);
		for (size_t i = 0; i < action->id_count; i++) {
			done[i] |= now[i];
			action->released += now[i] && n == 0 &&
			    action->operations[1] != NULL;
		}
	}
	for (size_t i = 0; i < action->id_count; i++) {
		tell_done(action, action->ids[i], done[i], queues);
		free(action->ids[i]);
	}
	action->id_count = 0;
}

static void
act_on(struct action *action, const char *id, const char *queues)
{
	action->ids[action->id_count++] = mem_strdup(id);
	if (action->id_count == QUEUE_BATCH)
		act_now(action, queues);
}

/* What is to be done, and to the messages of which queues. */
struct job {
	struct action	*action;
	const char	*queues;
	bool		 must_look;	/* a message's name alone does not tell whether it is meant */
};

/* For a listing: what it has to read. */
static unsigned int
how_to_list(void)
{
	bool brief = !selection.dry_run &&
	    !listing_selection_is_set(&selection.criteria);

	return (queue_is_down() ? LISTING_DOWN : 0) |
	    (brief ? LISTING_BRIEF : 0);
}

static void
on_message(const struct listed_message *message, void *context)
{
	struct job *job = context;

	if (!list_has_word(job->queues, message->queue) ||
	    !selection_has(&selection, message))
		return;
	if (!selection.dry_run) {
		act_on(job->action, message->id, job->queues);
		return;
	}
	selection_show(message, job->action->done);
	job->action->count++;
}

/* The ids that a target names: itself, or on standard input one a line. */
static void
each_id(const char *target, void (*on_id)(const char *id, void *context),
    void *context)
{
	char *line = NULL, *cursor, *id;
	size_t size = 0;

	if (strcmp(target, "-") != 0) {
		if (id_makes_sense(target))
			on_id(target, context);
		return;
	}
	while (getline(&line, &size, stdin) != -1) {
		cursor = line;
		id = word_next(&cursor, " \t\r\n");
		if (id != NULL && id_makes_sense(id))
			on_id(id, context);
	}
	free(line);
}

static void
act_on_id(const char *id, void *context)
{
	struct job *job = context;

	if (job->must_look)
		listing_find(how_to_list(), id, on_message, job);
	else
		act_on(job->action, id, job->queues);
}

static void
run(struct action *action, const char *named)
{
	const char *queues = *named != '\0' ? named : action->queues;
	struct job job = { action, queues, *named != '\0' ||
	    selection.dry_run ||
	    listing_selection_is_set(&selection.criteria) };

	if (action->target_count == 0)
		return;
	if (means_all(action))
		listing_collect(how_to_list(), on_message, &job);
	else
		for (size_t i = 0; i < action->target_count; i++)
			each_id(action->targets[i], act_on_id, &job);
	if (selection.dry_run) {
		selection_show_sum(action->count, action->done);
		return;
	}
	act_now(action, queues);
	tell_sum(action->summary, action->count);
	if (action->released > 0)
		tell_sum("Released from hold", action->released);
	if (action->letter == 'r' && action->count > 0)
		ipc_nudge("public/pickup", "maildrop");
}

/* Every file is whole and under its own name; what is not, is told. */
static void
check_file(const char *id, void *context)
{
	const enum spool_queue *queue = context;
	struct spool_record record;
	int fd = spool_file_open(*queue, id, false, true, &record, NULL);

	if (fd == -1 && errno != ENOENT)
		log_warning("%s/%s: %s", spool_queue_name(*queue), id,
		    errno == EBADMSG ? "damaged; look at it with postcat" :
		    strerror(errno));
	fd_close(&fd);
}

static void
check_structure(void)
{
	for (int i = 0; i < SPOOL_CORRUPT; i++) {
		enum spool_queue queue = (enum spool_queue)i;

		if (spool_file_each(queue, check_file, &queue) == -1)
			log_warning("cannot read %s: %m", spool_queue_name(queue));
	}
}

static void __attribute__((noreturn))
usage(void)
{
	fatal_exit_code = 1;
	fatal("usage: postsuper [-c config_dir] [-d queue_id] [-e queue_id] "
	    "[-f queue_id] [-h queue_id] [-H queue_id] [-r queue_id] [-psv] "
	    "[--dry-run] [selection] [queue ...]");
}

static void
add_target(int letter, const char *target)
{
	if (target[0] == '-' && target[1] != '\0')
		fatal("-%c wants a queue id, ALL or -; not %s", letter, target);
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		struct action *action = &actions[i];

		if (action->letter != letter)
			continue;
		if (action->target_count == COUNT_OF(action->targets))
			fatal("too many -%c options; give the ids on standard "
			    "input, with -%c -", letter, letter);
		action->targets[action->target_count++] = target;
	}
}

/* The configuration's directory; all else goes where it belongs. */
static const char *
read_options(int argc, char **argv)
{
	const char *directory = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:d:e:f:h:H:pr:sSv",
	    selection_options(), NULL)) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'v':
			log_verbose++;
			break;
		case 'd': case 'e': case 'f': case 'h': case 'H': case 'r':
			add_target(option, optarg);
			break;
		case 'p': case 's': case 'S':
			check_too = true;
			break;
		default:
			if (selection_take(&selection, option, optarg))
				break;
			selection_refuse(argv);
			usage();
		}
	}
	return directory;
}

static bool
any_action(void)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		if (actions[i].target_count > 0)
			return true;
	}
	return false;
}

int
main(int argc, char **argv)
{
	const char *directory;
	struct text queues = TEXT_EMPTY;

	command_start("postsuper");
	fatal_exit_code = 1;
	directory = read_options(argc, argv);
	for (char **name = argv + optind; *name != NULL; name++) {
		if (!list_has_word(LISTING_QUEUES, *name) &&
		    !list_has_word(without_messages, *name))
			fatal("invalid directory name: %s", *name);
		text_printf(&queues, "%s ", *name);
	}
	if (!any_action() && (selection.dry_run ||
	    listing_selection_is_set(&selection.criteria)))
		fatal("a selection for which action? One of -d, -e, -f, -h, "
		    "-H and -r, with ALL");
	command_configure(directory);
	command_superuser_only();
	command_enter_queue();
	command_become_owner();
	queue_open();
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		run(&actions[i], text_string(&queues));
	if (check_too || !any_action())
		check_structure();
	text_clear(&queues);
	return fflush(stdout) == EOF;
}
