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

static const char alphanumeric[] = "0123456789"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool
release_and_expire(const char *id)
{
	bool released = queue_release(id);

	return queue_expire(id) || released;
}

/* In the order in which they are carried out. */
static struct action {
	char		 letter;
	bool		(*act)(const char *id);
	const char	*done;		/* of one message */
	const char	*summary;
	const char	*queues;	/* that it applies to, when none is named */
	const char	*targets[256];	/* ids, ALL, - */
	size_t		 target_count;
	size_t		 count;
} actions[] = {
	{ .letter = 'd', .act = queue_delete, .done = "removed",
	  .summary = "Deleted", .queues = "hold incoming active deferred" },
	{ .letter = 'h', .act = queue_hold, .done = "placed on hold",
	  .summary = "Placed on hold", .queues = "incoming active deferred" },
	{ .letter = 'H', .act = queue_release, .done = "released from hold",
	  .summary = "Released from hold", .queues = "hold" },
	{ .letter = 'r', .act = queue_requeue, .done = "requeued",
	  .summary = "Requeued", .queues = "hold incoming active deferred" },
	{ .letter = 'e', .act = queue_expire, .done = "expired",
	  .summary = "Force-expired", .queues = "incoming active deferred" },
	{ .letter = 'f', .act = release_and_expire, .done = "expired",
	  .summary = "Force-expired",
	  .queues = "hold incoming active deferred" },
};

struct id_list {
	char	**ids;
	size_t	 count;
	const char *queues;
};

static bool
has_word(const char *list, const char *word)
{
	char *copy = mem_strdup(list), *cursor = copy, *next;
	bool found = false;

	while (!found && (next = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		found = strcmp(next, word) == 0;
	free(copy);
	return found;
}

static void
on_message(const struct listed_message *message, void *context)
{
	struct id_list *list = context;

	if (!has_word(list->queues, message->queue))
		return;
	list->ids = mem_resize(list->ids, list->count + 1, sizeof(*list->ids));
	list->ids[list->count++] = mem_strdup(message->id);
}

/* A message that was not on the road yet: in maildrop there is only its file. */
static bool
delete_drop(const char *id)
{
	char path[64];

	snprintf(path, sizeof(path), "maildrop/%s", id);
	return unlink(path) == 0;
}

/* A line for each message is for the log; standard error has the sum of them. */
static void
tell_one(const char *id, const char *what)
{
	char line[100];

	if (log_verbose > 0 || isatty(STDERR_FILENO)) {
		log_info("%s: %s", id, what);
		return;
	}
	snprintf(line, sizeof(line), "%s: %s", id, what);
	command_log(LOG_LEVEL_INFO, line);
}

static void
act_on(struct action *action, const char *id, const char *queues)
{
	bool done;

	if (!spool_id_is_valid(id)) {
		/* A short word may be somebody's queue id, but not ours. */
		if (strspn(id, alphanumeric) != strlen(id))
			log_warning("invalid mail queue id: %s", id);
		return;
	}
	done = action->act(id) || (action->letter == 'd' &&
	    has_word(queues, "maildrop") && delete_drop(id));
	if (done) {
		tell_one(id, action->done);
		action->count++;
	}
}

static void
act_on_all(struct action *action, const char *queues)
{
	struct id_list list = { .queues = queues };

	listing_collect(queue_is_down(), on_message, &list);
	for (size_t i = 0; i < list.count; i++) {
		act_on(action, list.ids[i], queues);
		free(list.ids[i]);
	}
	free(list.ids);
}

static void
act_on_input(struct action *action, const char *queues)
{
	char *line = NULL, *cursor, *id;
	size_t size = 0;

	while (getline(&line, &size, stdin) != -1) {
		cursor = line;
		id = word_next(&cursor, " \t\r\n");
		if (id != NULL)
			act_on(action, id, queues);
	}
	free(line);
}

static void
run(struct action *action, const char *named)
{
	const char *queues = *named != '\0' ? named : action->queues;

	for (size_t i = 0; i < action->target_count; i++) {
		const char *target = action->targets[i];

		if (strcmp(target, "ALL") == 0)
			act_on_all(action, queues);
		else if (strcmp(target, "-") == 0)
			act_on_input(action, queues);
		else
			act_on(action, target, queues);
	}
	if (action->target_count > 0)
		log_info("%s: %zu message%s", action->summary, action->count,
		    action->count == 1 ? "" : "s");
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
	    "[queue ...]");
}

static void
add_target(int letter, const char *target)
{
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

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	struct text queues = TEXT_EMPTY;
	bool any = false;
	int option;

	command_start("postsuper");
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "c:d:e:f:h:H:pr:sSv")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'v':
			log_verbose++;
			break;
		case 'd': case 'e': case 'f': case 'h': case 'H': case 'r':
			add_target(option, optarg);
			any = true;
			break;
		case 'p': case 's': case 'S':
			break;
		default:
			usage();
		}
	}
	for (char **name = argv + optind; *name != NULL; name++) {
		if (!has_word("maildrop incoming active deferred hold", *name))
			fatal("invalid directory name: %s", *name);
		text_printf(&queues, "%s ", *name);
	}
	command_configure(directory);
	command_superuser_only();
	fatal_exit_code = 1;
	command_enter_queue();
	command_become_owner();
	queue_open();
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		run(&actions[i], text_string(&queues));
	if (!any)
		check_structure();
	text_clear(&queues);
	return 0;
}
