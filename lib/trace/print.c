/* print - a story for people, and as JSON */

#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

/* Programs of other packages may have longer names. */
#define POST_WIDTH	10

/* A word of the log as a string that does nothing to a terminal. Released with free(3). */
static char *
clean(struct trace_word word)
{
	return text_printable(mem_strndup(word.at, word.length));
}

static void
print_word(FILE *out, const char *before, struct trace_word word,
    const char *after)
{
	char *text = clean(word);

	fprintf(out, "%s%s%s", before, text, after);
	free(text);
}

static void
print_string(FILE *out, const char *before, const char *string,
    const char *after)
{
	print_word(out, before, (struct trace_word){ string, strlen(string) },
	    after);
}

/* Each line of the story, taken apart. */
static void
each_line(const struct trace_story *story,
    void (*on_line)(const struct trace_line *line, void *context),
    void *context)
{
	const char *at = story->lines.bytes;
	size_t left = story->lines.length;
	struct trace_line line;

	while (left > 0) {
		const char *end = memchr(at, '\n', left);
		size_t length = end == NULL ? left : (size_t)(end - at);

		if (trace_line_parse(at, length, &line))
			on_line(&line, context);
		if (end == NULL)
			break;
		left -= length + 1;
		at = end + 1;
	}
}

/* ----------------------------------------------------------- what all lines say together */

struct summary {
	struct trace_word sender, size, message_id, client, login;
	bool		 has_sender;
	bool		 removed;
};

static void
sum_up(const struct trace_line *line, void *context)
{
	struct summary *summary = context;
	struct trace_word value;

	if (!summary->has_sender && trace_value(line->text, "from", &value)) {
		summary->sender = value;
		summary->has_sender = true;
	}
	if (summary->size.length == 0 &&
	    trace_value(line->text, "size", &value))
		summary->size = value;
	if (summary->message_id.length == 0 &&
	    trace_value(line->text, "message-id", &value))
		summary->message_id = value;
	if (summary->client.length == 0 &&
	    trace_value(line->text, "client", &value))
		summary->client = value;
	if (summary->login.length == 0 &&
	    trace_value(line->text, "sasl_username", &value))
		summary->login = value;
	summary->removed |= trace_word_is(line->text, "removed");
}

static struct summary
summary_of(const struct trace_story *story)
{
	struct summary summary = { .removed = false };

	each_line(story, sum_up, &summary);
	return summary;
}

/* ----------------------------------------------------------- for people */

/* "to <bob@far.example>: deferred 4.2.0 after 35 s (0.1/0/1/33.9) by far.example[192.0.2.1]:25: the reason" */
static void
print_delivery(FILE *out, const struct trace_delivery *delivery)
{
	print_word(out, "to <", delivery->recipient, ">");
	if (delivery->original.length > 0)
		print_word(out, ", given as <", delivery->original, ">");
	print_word(out, ": ", delivery->status, "");
	print_word(out, " ", delivery->dsn, "");
	print_word(out, " after ", delivery->delay, " s");
	print_word(out, " (", delivery->delays, ")");
	if (!trace_word_is(delivery->relay, "none"))
		print_word(out, " by ", delivery->relay, "");
	print_word(out, ": ", delivery->reason, "\n");
}

static void
print_line(const struct trace_line *line, void *context)
{
	FILE *out = context;
	struct trace_delivery delivery;
	char *post = clean(line->post);

	print_word(out, "  ", line->time, "  ");
	fprintf(out, "%-*s  ", POST_WIDTH, post);
	free(post);
	if (trace_delivery_parse(line->text, &delivery))
		print_delivery(out, &delivery);
	else
		print_word(out, "", line->text, "\n");
}

static void
print_heading(FILE *out, const struct trace_story *story,
    const struct listed_message *message)
{
	struct summary summary = summary_of(story);

	fputs(story->id, out);
	if (summary.has_sender)
		print_word(out, "  from=<", summary.sender, ">");
	else if (message != NULL)
		print_string(out, "  from=<", message->sender, ">");
	if (summary.size.length > 0)
		print_word(out, "  size=", summary.size, "");
	if (summary.message_id.length > 0)
		print_word(out, "  message-id=<", summary.message_id, ">");
	if (summary.login.length > 0)
		print_word(out, "  login=", summary.login, "");
	putc('\n', out);
}

/* 95 is "1m", 7200 "2h": the larger unit will do. */
static void
print_span(FILE *out, int64_t seconds)
{
	static const struct { int64_t span; char letter; } units[] = {
		{ 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' },
	};
	size_t i = 0;

	while (i + 1 < COUNT_OF(units) && seconds < 2 * units[i].span)
		i++;
	fprintf(out, "%lld%c", (long long)(seconds / units[i].span),
	    units[i].letter);
}

static void
print_retry(FILE *out, const struct trace_waiting *waiting)
{
	time_t at = (time_t)waiting->retry_at;
	char text[32] = "";
	struct tm tm;

	if (waiting->retry_at <= waiting->now) {
		fputs("; its next try is due", out);
		return;
	}
	if (localtime_r(&at, &tm) != NULL)
		strftime(text, sizeof(text), "%b %e %H:%M:%S", &tm);
	fprintf(out, "; tried again at %s, in ", text);
	print_span(out, waiting->retry_at - waiting->now);
}

/* Where it is now, and what each recipient that is left waits for. */
static void
print_waiting(FILE *out, const struct trace_waiting *waiting)
{
	const struct listed_message *message = waiting->message;

	fprintf(out, "  now: in %s, ", message->queue);
	print_span(out, waiting->now - message->arrival);
	fputs(" old", out);
	if (strcmp(message->queue, "deferred") == 0)
		print_retry(out, waiting);
	if (message->forced_expire)
		fputs("; for the last time", out);
	putc('\n', out);
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct listed_recipient *r = &message->recipients[i];

		print_string(out, "    waits: <", r->address, ">");
		if (*r->reason != '\0')
			print_string(out, ": ", r->reason, "");
		putc('\n', out);
	}
}

void
trace_print(FILE *out, const struct trace_story *story,
    const struct trace_waiting *waiting)
{
	print_heading(out, story, waiting->message);
	each_line(story, print_line, out);
	if (story->left_out > 0)
		fprintf(out, "  and %zu more lines\n", story->left_out);
	if (waiting->message != NULL)
		print_waiting(out, waiting);
	else if (!summary_of(story).removed &&
	    strcmp(story->id, "NOQUEUE") != 0)
		fputs("  now: not in the queue of this system\n", out);
}

/* ----------------------------------------------------------- for programs */

struct object {
	FILE	*out;
	bool	 not_first;	/* of the posts */
};

static void
put_always(FILE *out, const char *separator, const char *name,
    struct trace_word word)
{
	char *value = mem_strndup(word.at, word.length);

	listing_print_member(out, separator, name, value);
	free(value);
}

static void
put_string(FILE *out, const char *separator, const char *name,
    struct trace_word word)
{
	if (word.length > 0)
		put_always(out, separator, name, word);
}

/* "35" or "0.04", as JSON has numbers: no zero in front, a digit on both sides of the point. */
static bool
is_number(struct trace_word word)
{
	const char *point = word.length == 0 ? NULL :
	    memchr(word.at, '.', word.length);
	size_t whole = point == NULL ? word.length : (size_t)(point - word.at);

	for (size_t i = 0; i < word.length; i++) {
		if (i != whole && (word.at[i] < '0' || word.at[i] > '9'))
			return false;
	}
	return whole > 0 && whole + 1 != word.length &&
	    (*word.at != '0' || whole == 1);
}

static void
put_number(FILE *out, const char *name, struct trace_word word)
{
	if (is_number(word))
		fprintf(out, ", \"%s\": %.*s", name, (int)word.length, word.at);
	else
		put_string(out, ", ", name, word);
}

static void
put_delivery(FILE *out, const struct trace_delivery *delivery)
{
	put_string(out, ", ", "recipient", delivery->recipient);
	put_string(out, ", ", "orig_recipient", delivery->original);
	put_string(out, ", ", "relay", delivery->relay);
	put_number(out, "delay", delivery->delay);
	put_string(out, ", ", "delays", delivery->delays);
	put_string(out, ", ", "dsn", delivery->dsn);
	put_string(out, ", ", "status", delivery->status);
	put_string(out, ", ", "reason", delivery->reason);
}

static void
put_line(const struct trace_line *line, void *context)
{
	struct object *object = context;
	struct trace_delivery delivery;

	put_always(object->out, object->not_first ? ", {" : "{", "time",
	    line->time);
	object->not_first = true;
	put_string(object->out, ", ", "post", line->post);
	if (trace_delivery_parse(line->text, &delivery))
		put_delivery(object->out, &delivery);
	else
		put_string(object->out, ", ", "text", line->text);
	putc('}', object->out);
}

void
trace_print_json(FILE *out, const struct trace_story *story,
    const struct trace_waiting *waiting)
{
	struct summary summary = summary_of(story);
	struct object object = { .out = out };

	listing_print_member(out, "{", "queue_id", story->id);
	if (summary.has_sender)
		put_always(out, ", ", "sender", summary.sender);
	put_number(out, "message_size", summary.size);
	put_string(out, ", ", "message_id", summary.message_id);
	put_string(out, ", ", "client", summary.client);
	put_string(out, ", ", "login", summary.login);
	fputs(", \"posts\": [", out);
	each_line(story, put_line, &object);
	fprintf(out, "], \"left_out\": %zu", story->left_out);
	if (waiting->message != NULL && waiting->retry_at > 0)
		fprintf(out, ", \"retry_at\": %lld",
		    (long long)waiting->retry_at);
	if (waiting->message != NULL) {
		fputs(", \"waits\": ", out);
		listing_print_object(out, waiting->message);
	}
	fputs("}\n", out);
}
