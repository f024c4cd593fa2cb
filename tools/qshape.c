/*
 * qshape - how old the mail in the queue is, domain by domain
 *
 * A row a domain: how many of its recipients (-s: messages that it sent) wait,
 * then how many of them for how long. Most in the last columns means a
 * destination that is down; many domains with a few each, a storm of notices
 * to forged senders. The form of the table is that of Postfix's qshape.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/values.h"
#include "listing/listing.h"
#include "tools/shared/command.h"
#include "tools/shared/queue.h"

enum { BUCKETS_MAX = 60, NARROWEST = 80, SHORT_NAME = 17 };

static struct {
	bool	 by_sender, parents, linear;
	int64_t	 buckets, minutes, width, batch, top, subdomains;
	const char *queues;
} options = { .buckets = 10, .minutes = 5, .width = NARROWEST, .batch = 1000,
    .top = 20, .subdomains = 5, .queues = "incoming active" };

struct shape {
	char	*domain;
	int64_t	 total, buckets[BUCKETS_MAX];
	int64_t	 subdomains;	/* of a parent domain, whose name begins with a dot */
};

static struct {
	struct map	*shapes;	/* by domain */
	struct shape	 total;
	int64_t		 messages;
	time_t		 now;
	bool		 is_terminal;
} queue;

/* The end of a bucket's ages, in minutes; that of the last but one for the last. */
static int64_t
limit_of(int64_t bucket)
{
	if (bucket == options.buckets - 1 && bucket > 0)
		bucket--;
	return options.linear ? options.minutes * (bucket + 1) :
	    options.minutes << bucket;
}

static int64_t
bucket_of(int64_t arrival)
{
	int64_t minutes = (queue.now - arrival) / 60, bucket = 0;

	while (bucket < options.buckets - 1 && minutes >= limit_of(bucket))
		bucket++;
	return bucket;
}

/* ----------------------------------------------------------- counting */

static struct shape *
shape_of(const char *domain, bool *is_new)
{
	struct shape *shape = map_get(queue.shapes, domain);

	*is_new = shape == NULL;
	if (shape == NULL) {
		shape = mem_zalloc(1, sizeof(*shape));
		shape->domain = mem_strdup(domain);
		map_set(queue.shapes, domain, shape);
	}
	return shape;
}

static void
count_one(struct shape *shape, int64_t bucket)
{
	shape->total++;
	shape->buckets[bucket]++;
}

/* x.y.z.org counts for .y.z.org and .z.org; z.org for .z.org, but not as a subdomain of it. */
static void
count_parents(const char *domain, int64_t bucket, bool is_new)
{
	char *dotted = mem_printf(".%s", domain);

	for (char *dot = dotted; dot != NULL && strchr(dot + 1, '.') != NULL;
	    dot = strchr(dot + 1, '.')) {
		bool parent_is_new;
		struct shape *parent = shape_of(dot, &parent_is_new);

		count_one(parent, bucket);
		parent->subdomains += is_new && dot != dotted;
	}
	free(dotted);
}

static void
count_address(const char *address, int64_t bucket)
{
	const char *at = strrchr(address, '@');
	char *domain = mem_strdup(at == NULL ? address : at + 1);
	bool is_new;

	if (at != NULL)
		text_printable(text_lower(domain));
	count_one(shape_of(domain, &is_new), bucket);
	count_one(&queue.total, bucket);
	if (options.parents && at != NULL)
		count_parents(domain, bucket, is_new);
	free(domain);
}

/* ----------------------------------------------------------- the table */

static int
by_total(const void *a, const void *b)
{
	const struct shape *x = *(struct shape *const *)a;
	const struct shape *y = *(struct shape *const *)b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return strcmp(x->domain, y->domain);
}

/* The domains that have a row, the largest first. Released with free(3). */
static struct shape **
sort_shapes(size_t *count)
{
	struct shape **sorted = mem_zalloc(map_count(queue.shapes) + 1,
	    sizeof(struct shape *));
	size_t position = 0;
	void *value;

	*count = 0;
	while (map_next(queue.shapes, &position, &value) != NULL) {
		struct shape *shape = value;

		if (*shape->domain != '.' ||
		    shape->subdomains >= options.subdomains)
			sorted[(*count)++] = shape;
	}
	qsort(sorted, *count, sizeof(struct shape *), by_total);
	if (queue.is_terminal && *count > (size_t)options.top)
		*count = (size_t)options.top;
	return sorted;
}

static int
digits(int64_t number)
{
	return snprintf(NULL, 0, "%lld", (long long)number);
}

/* The columns: a blank, and as many digits as the total needs, two at least; the last has a "+" in its heading. */
static int
column_width(int64_t bucket)
{
	bool is_last = bucket == options.buckets - 1;
	int wide = digits(queue.total.buckets[bucket]);
	int heading = digits(limit_of(bucket)) + is_last;

	wide = heading > wide ? heading : wide;
	return 1 + (wide > 2 ? wide : 2);
}

static int
total_width(void)
{
	int wide = digits(queue.total.total);

	return 1 + (wide > 2 ? wide : 2);
}

static int
name_width(void)
{
	int width = (int)options.width - total_width();

	for (int64_t i = 0; i < options.buckets; i++)
		width -= column_width(i);
	return width > SHORT_NAME + 1 ? width : SHORT_NAME + 1;
}

static void
print_row(const struct shape *shape, const char *name, int width)
{
	size_t length = strlen(name);
	bool is_parent = *name == '.';

	if (length <= (size_t)width)
		printf("%*s", width, name);
	else
		printf("%*s%s%s", width - SHORT_NAME - 1, "",
		    is_parent ? ".+" : "+",
		    name + length - (SHORT_NAME - is_parent));
	printf("%*lld", total_width(), (long long)shape->total);
	for (int64_t i = 0; i < options.buckets; i++)
		printf("%*lld", column_width(i), (long long)shape->buckets[i]);
	putchar('\n');
}

static void
print_table(void)
{
	size_t count;
	struct shape **sorted = sort_shapes(&count);
	int width = name_width();

	if (queue.is_terminal)
		fputs("\033[H\033[2J", stdout);
	printf("%*s%*s", width, "", total_width(), "T");
	for (int64_t i = 0; i < options.buckets; i++) {
		bool is_last = i == options.buckets - 1;

		printf("%*lld%s", column_width(i) - is_last,
		    (long long)limit_of(i), is_last ? "+" : "");
	}
	putchar('\n');
	print_row(&queue.total, "TOTAL", width);
	for (size_t i = 0; i < count; i++)
		print_row(sorted[i], sorted[i]->domain, width);
	fflush(stdout);
	free(sorted);
}

static void
on_message(const struct listed_message *message, void *unused)
{
	int64_t bucket = bucket_of(message->arrival);

	if (!list_has_word(options.queues, message->queue))
		return;
	if (options.by_sender)
		count_address(message->sender, bucket);
	for (size_t i = 0; !options.by_sender && i < message->recipient_count;
	    i++)
		count_address(message->recipients[i].address, bucket);
	if (++queue.messages % options.batch == 0 && queue.is_terminal)
		print_table();
}

/* ----------------------------------------------------------- the command line */

static void __attribute__((noreturn))
usage(void)
{
	fatal("usage: qshape [-s] [-p] [-m min_subdomains] [-b bucket_count] "
	    "[-t bucket_time] [-l] [-w terminal_width] [-N batch_msg_count] "
	    "[-n batch_top_domains] [-c config_directory] [queue_name ...]");
}

static void
read_number(int letter, int64_t smallest, int64_t largest, int64_t *number)
{
	if (config_number(optarg, smallest, largest, number) == -1)
		fatal("-%c %.100s: not a number from %lld to %lld", letter,
		    optarg, (long long)smallest, (long long)largest);
}

static const char *
read_options(int argc, char **argv)
{
	const char *directory = NULL;
	int option;

	while ((option = getopt(argc, argv, "b:c:lm:n:N:pst:w:")) != -1) {
		switch (option) {
		case 'b':
			read_number('b', 1, BUCKETS_MAX - 30, &options.buckets);
			break;
		case 'c':
			directory = optarg;
			break;
		case 'l':
			options.linear = true;
			break;
		case 'm':
			read_number('m', 1, 1000000, &options.subdomains);
			break;
		case 'n':
			read_number('n', 1, 1000000, &options.top);
			break;
		case 'N':
			read_number('N', 1, 1000000, &options.batch);
			break;
		case 'p':
			options.parents = true;
			break;
		case 's':
			options.by_sender = true;
			break;
		case 't':
			read_number('t', 1, 100000, &options.minutes);
			break;
		case 'w':
			read_number('w', 1, 10000, &options.width);
			break;
		default:
			usage();
		}
	}
	return directory;
}

/* The queues that are named, as one list. */
static void
read_queues(char **names)
{
	struct text list = TEXT_EMPTY;

	for (; *names != NULL; names++) {
		if (!list_has_word(LISTING_QUEUES, *names))
			fatal("%s: no such queue; there are %s", *names,
			    LISTING_QUEUES);
		text_printf(&list, "%s ", *names);
	}
	if (list.length > 0)
		options.queues = text_take(&list);
}

int
main(int argc, char **argv)
{
	const char *directory;

	command_start("qshape");
	fatal_exit_code = 1;
	directory = read_options(argc, argv);
	read_queues(argv + optind);
	if (options.width < NARROWEST)
		options.width = NARROWEST;
	command_configure(directory);
	command_superuser_only();
	command_enter_queue();
	command_become_owner();
	queue_open();
	queue.shapes = map_new();
	queue.now = time(NULL);
	queue.is_terminal = isatty(STDOUT_FILENO);

	int result = listing_collect(queue_is_down() ? LISTING_DOWN : 0,
	    on_message, NULL);

	print_table();
	return result == -1 || ferror(stdout);
}
