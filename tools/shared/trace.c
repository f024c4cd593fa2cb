#include "tools/shared/trace.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/values.h"
#include "listing/select.h"
#include "spool/spool.h"
#include "tools/shared/command.h"
#include "tools/shared/logs.h"
#include "tools/shared/queue.h"
#include "trace/trace.h"

/* What may yet turn out to belong to a story: some hundred thousand messages. */
#define MEMORY		((size_t)64 << 20)

/* Stories that belong to one message. */
#define STORIES_MAX	1000

static struct {
	bool	 json;
	int64_t	 last;
	struct logs *logs;
	bool	 in_queue;	/* the queue directory is ours to look at */
	size_t	 told;
} options = { .last = 10 };

static void __attribute__((noreturn))
usage(void)
{
	fatal("usage: postroad trace [--log file] ... [--last count] [--json] "
	    "queue-id|message-id|address");
}

static void
add_log(const char *path)
{
	if (options.logs == NULL)
		options.logs = logs_new();
	if (logs_add(options.logs, path) == -1)
		fatal("--log %s: %m", path);
}

/* The question. */
static const char *
read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "last", required_argument, NULL, 'n' },
		{ "log", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'j')
			options.json = true;
		else if (option == 'l')
			add_log(optarg);
		else if (option != 'n')
			usage();
		else if (config_number(optarg, 1, STORIES_MAX,
		    &options.last) == -1)
			fatal("--last %.100s: not a number from 1 to %d",
			    optarg, STORIES_MAX);
	}
	if (optind + 1 != argc)
		usage();
	return argv[optind];
}

/* Where the suite logs, if nothing else was named. The queue still tells of a message that it has. */
static void
open_usual_logs(void)
{
	if (options.logs != NULL)
		return;
	options.logs = logs_new();
	if (logs_add_usual(options.logs) == -1)
		log_warning("no log to read (%m): name one with --log, or pipe "
		    "it in, as in journalctl -t postfix/smtp | postroad trace "
		    "--log - ID");
}

/* As the owner of the queue: log lines hold what strangers sent. */
static void
enter_queue(void)
{
	options.in_queue = chdir(config.queue_directory) == 0;
	if (geteuid() == 0)
		command_become_owner();
	options.in_queue &= access("deferred", R_OK | X_OK) == 0;
	if (options.in_queue)
		queue_open();
	else
		log_warning("cannot look into the queue %s: %m",
		    config.queue_directory);
}

static void
take_line(const char *line, size_t length, void *context)
{
	trace_take(context, line, length);
}

static void
print(const struct trace_story *story, const struct listed_message *message)
{
	struct trace_waiting waiting = { .message = message,
	    .now = (int64_t)time(NULL) };

	if (message != NULL && strcmp(message->queue, "deferred") == 0 &&
	    spool_file_retry(SPOOL_DEFERRED, message->id,
	    &waiting.retry_at) == -1)
		waiting.retry_at = 0;
	if (options.json) {
		trace_print_json(stdout, story, &waiting);
	} else {
		if (options.told > 0)
			putchar('\n');
		trace_print(stdout, story, &waiting);
	}
	options.told++;
}

struct pair {
	const struct trace_story *story;
	bool	 told;
};

static void
on_message(const struct listed_message *message, void *context)
{
	struct pair *pair = context;

	print(pair->story, message);
	pair->told = true;
}

/* With what the queue says of it, if that has it. False if it has not. */
static bool
look_up(const struct trace_story *story)
{
	struct pair pair = { story, false };

	if (options.in_queue && spool_id_is_valid(story->id))
		listing_find(queue_is_down() ? LISTING_DOWN : 0, story->id,
		    on_message, &pair);
	return pair.told;
}

static void
tell(const struct trace_story *story, void *context)
{
	if (!look_up(story))
		print(story, NULL);
}

/* A story that nobody logged: what the queue says is all of it. */
static void
print_unlogged(const struct listed_message *message, void *unused)
{
	struct trace_story story = { .left_out = 0 };

	strlcpy(story.id, message->id, sizeof(story.id));
	print(&story, message);
}

struct wanted {
	const char *address;
};

/* Of an address, so many as are asked for. */
static void
on_any_message(const struct listed_message *message, void *context)
{
	const char *address = ((struct wanted *)context)->address;
	bool meant = listing_address_matches(address, message->sender);

	for (size_t i = 0; !meant && i < message->recipient_count; i++)
		meant = listing_address_matches(address,
		    message->recipients[i].address) ||
		    listing_address_matches(address,
		    message->recipients[i].original);
	if (meant && options.told < (size_t)options.last)
		print_unlogged(message, NULL);
}

/* The log was silent, or has been thrown away while the mail still waits. */
static void
ask_queue(const char *question, bool is_id)
{
	unsigned int how = queue_is_down() ? LISTING_DOWN : 0;

	if (is_id)
		listing_find(how, question, print_unlogged, NULL);
	else
		listing_collect(how, on_any_message,
		    &(struct wanted){ question });
}

int
trace_command(int argc, char **argv)
{
	const char *question = read_options(argc, argv);
	struct trace *trace = trace_new(question,
	    spool_id_is_valid(question) ? STORIES_MAX : (size_t)options.last,
	    MEMORY);

	if (trace == NULL)
		fatal("%s: neither a queue id, nor a message-id or an address",
		    question);
	open_usual_logs();
	enter_queue();
	logs_read(options.logs, take_line, trace);
	trace_each(trace, tell, NULL);
	if (options.told == 0 && options.in_queue)
		ask_queue(question, trace_asks_for_id(trace));
	if (options.told == 0)
		log_warning("neither the log nor the queue knows %s", question);
	trace_free(&trace);
	logs_free(&options.logs);
	return options.told == 0 || fflush(stdout) == EOF;
}
