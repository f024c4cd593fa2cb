/* story - lines become stories, and those that were asked for are kept */

#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/base.h"
#include "listing/select.h"

/* Of a story that nobody asked for yet, and of one that is meant, more is not kept. */
#define LINES_UNASKED	((size_t)8 << 10)
#define LINES_MEANT	((size_t)1 << 20)

/* Who asks for an address is shown so many deliveries to others. */
#define OTHERS_MAX	16

struct entry {
	struct trace_story story;
	TAILQ_ENTRY(entry) next;
	uint64_t	 number;	/* of its first line, among those of all stories */
	struct text	 ties;		/* ids of stories that belong to this one, a blank after each */
	bool		 meant;
	size_t		 others;	/* deliveries that were not asked for */
	bool		 removed;	/* its last line: the id may be given again */
	size_t		 memory;	/* that was counted for it */
};

TAILQ_HEAD(entries, entry);

struct trace {
	char		*question;
	char		*message_id;	/* the question with angle brackets */
	bool		 is_id;
	bool		 follows;	/* what belongs to a story that is meant is meant; an address asks for single ones */
	struct map	*by_id;		/* the latest of each id */
	struct map	*wanted;	/* ids and message-ids that are meant when they come */
	struct entries	 unasked;	/* the one that was silent longest first */
	struct entries	 meant;		/* in the order of their first lines */
	size_t		 meant_count, last;
	struct text	 pending;	/* ids that are to be meant, a blank after each */
	uint64_t	 stories;	/* that have begun */
	size_t		 memory, memory_max;
};

static bool
is_address_or_message_id(const char *question)
{
	return strchr(question, '@') != NULL || strcmp(question, "<>") == 0;
}

struct trace *
trace_new(const char *question, size_t last, size_t memory)
{
	bool is_id = spool_id_is_valid(question);
	struct trace *trace;

	if (!is_id && !is_address_or_message_id(question))
		return NULL;
	trace = mem_zalloc(1, sizeof(*trace));
	trace->question = mem_strdup(question);
	trace->message_id = *question == '<' ? mem_strdup(question) :
	    mem_printf("<%s>", question);
	trace->is_id = is_id;
	trace->follows = is_id || (*question == '<' && question[1] != '>');
	trace->by_id = map_new();
	trace->wanted = map_new();
	trace->last = last;
	trace->memory_max = memory;
	TAILQ_INIT(&trace->unasked);
	TAILQ_INIT(&trace->meant);
	map_set(trace->wanted, is_id ? question : trace->message_id, trace);
	return trace;
}

bool
trace_asks_for_id(const struct trace *trace)
{
	return trace->is_id;
}

static void
entry_free(struct trace *trace, struct entry *entry)
{
	if (map_get(trace->by_id, entry->story.id) == entry)
		map_remove(trace->by_id, entry->story.id);
	if (entry->meant) {
		TAILQ_REMOVE(&trace->meant, entry, next);
		trace->meant_count--;
	} else {
		TAILQ_REMOVE(&trace->unasked, entry, next);
		trace->memory -= entry->memory;
	}
	text_clear(&entry->story.lines);
	text_clear(&entry->ties);
	free(entry);
}

void
trace_free(struct trace **trace)
{
	struct trace *t = *trace;

	if (t == NULL)
		return;
	while (!TAILQ_EMPTY(&t->unasked))
		entry_free(t, TAILQ_FIRST(&t->unasked));
	while (!TAILQ_EMPTY(&t->meant))
		entry_free(t, TAILQ_FIRST(&t->meant));
	map_free(&t->by_id, NULL);
	map_free(&t->wanted, NULL);
	text_clear(&t->pending);
	free(t->question);
	free(t->message_id);
	free(t);
	*trace = NULL;
}

static struct entry *
entry_new(struct trace *trace, const char *id)
{
	struct entry *entry = mem_zalloc(1, sizeof(*entry));

	strlcpy(entry->story.id, id, sizeof(entry->story.id));
	entry->number = trace->stories++;
	TAILQ_INSERT_TAIL(&trace->unasked, entry, next);
	map_set(trace->by_id, id, entry);
	return entry;
}

/* Count what it holds now; it has spoken last. */
static void
account(struct trace *trace, struct entry *entry)
{
	size_t memory = sizeof(*entry) + entry->story.lines.size +
	    entry->ties.size + TRACE_ID_SIZE;

	if (entry->meant)
		return;
	trace->memory += memory - entry->memory;
	entry->memory = memory;
	TAILQ_REMOVE(&trace->unasked, entry, next);
	TAILQ_INSERT_TAIL(&trace->unasked, entry, next);
}

/* Let go of those that were silent longest, and of the oldest of too many that are meant. Between two lines only. */
static void
shrink(struct trace *trace)
{
	while (trace->meant_count > trace->last)
		entry_free(trace, TAILQ_FIRST(&trace->meant));
	while (trace->memory > trace->memory_max)
		entry_free(trace, TAILQ_FIRST(&trace->unasked));
}

/* ----------------------------------------------------------- what is meant */

/* In the order of first lines: that a story is meant may turn out late. */
static void
insert_meant(struct trace *trace, struct entry *entry)
{
	struct entry *before = TAILQ_LAST(&trace->meant, entries);

	while (before != NULL && before->number > entry->number)
		before = TAILQ_PREV(before, entries, next);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&trace->meant, entry, next);
	else
		TAILQ_INSERT_AFTER(&trace->meant, before, entry, next);
}

/* Those that came with this message-id before are pending, those that come are wanted. */
static void
want_message_id(struct trace *trace, const char *key)
{
	struct entry *entry;

	if (map_set(trace->wanted, key, trace) != NULL)
		return;
	TAILQ_FOREACH(entry, &trace->unasked, next) {
		if (entry->story.lines.length > 0 &&
		    memmem(entry->story.lines.bytes, entry->story.lines.length,
		    key, strlen(key)) != NULL)
			text_printf(&trace->pending, "%s ", entry->story.id);
	}
}

/* The message-id with its angle brackets, if this line tells one. Released with free(3). */
static char *
message_id_of(struct trace_word text)
{
	struct trace_word value;

	if ((!trace_value(text, "message-id", &value) &&
	    !trace_value(text, "resent-message-id", &value)) ||
	    value.length == 0)
		return NULL;
	return mem_printf("<%.*s>", (int)value.length, value.at);
}

static void
mean(struct trace *trace, struct entry *entry)
{
	TAILQ_REMOVE(&trace->unasked, entry, next);
	trace->memory -= entry->memory;
	entry->meant = true;
	insert_meant(trace, entry);
	trace->meant_count++;
}

/* A line of a story that is meant: others with its message-id are, too. */
static void
follow_line(struct trace *trace, const struct trace_line *line)
{
	char *message_id = trace->follows ? message_id_of(line->text) : NULL;

	if (message_id != NULL)
		want_message_id(trace, message_id);
	free(message_id);
}

static void
follow(struct trace *trace, const struct entry *entry)
{
	const char *line = entry->story.lines.bytes, *end;
	size_t left = entry->story.lines.length;
	struct trace_line parsed;

	if (trace->follows)
		text_puts(&trace->pending, text_string(&entry->ties));
	for (; left > 0; left -= (size_t)(end + 1 - line), line = end + 1) {
		end = memchr(line, '\n', left);
		if (trace_line_parse(line, (size_t)(end - line), &parsed))
			follow_line(trace, &parsed);
	}
}

/* Mean all that is pending, and what that brings along. */
static void
settle(struct trace *trace)
{
	while (trace->pending.length > 0) {
		char *ids = text_take(&trace->pending), *cursor = ids, *id;

		while ((id = word_next(&cursor, " ")) != NULL) {
			struct entry *entry = map_get(trace->by_id, id);

			if (entry == NULL)
				map_set(trace->wanted, id, trace);
			if (entry == NULL || entry->meant)
				continue;
			follow(trace, entry);
			mean(trace, entry);
		}
		free(ids);
	}
}

/* A story that may be wanted already. */
static struct entry *
entry_begin(struct trace *trace, const char *id)
{
	struct entry *entry = entry_new(trace, id);

	if (map_get(trace->wanted, id) != NULL)
		mean(trace, entry);
	/* Whoever gets the id next has nothing to do with it, unless it was asked for. */
	if (strcmp(id, trace->question) != 0)
		map_remove(trace->wanted, id);
	return entry;
}

/* ----------------------------------------------------------- lines */

static bool
value_matches(const struct trace *trace, struct trace_word text,
    const char *name)
{
	struct trace_word value;

	if (!trace_value(text, name, &value))
		return false;

	char *address = mem_strndup(value.at, value.length);
	bool matches = listing_address_matches(trace->question,
	    *address == '\0' ? "MAILER-DAEMON" : address);

	free(address);
	return matches;
}

static bool
is_meant(struct trace *trace, const struct trace_line *line)
{
	char *message_id = message_id_of(line->text);
	bool wanted = message_id != NULL &&
	    map_get(trace->wanted, message_id) != NULL;

	free(message_id);
	return wanted || (!trace->is_id &&
	    (value_matches(trace, line->text, "from") ||
	    value_matches(trace, line->text, "to") ||
	    value_matches(trace, line->text, "orig_to")));
}

static void
add_line(struct entry *entry, const char *line, size_t length)
{
	size_t most = entry->meant ? LINES_MEANT : LINES_UNASKED;

	if (entry->story.lines.length + length > most) {
		entry->story.left_out++;
		return;
	}
	text_append(&entry->story.lines, line, length);
	text_putc(&entry->story.lines, '\n');
}

/* Of a message to thousands, those to one address are asked for. */
static bool
is_worth_a_line(const struct trace *trace, struct entry *entry,
    const struct trace_line *line, bool meant)
{
	struct trace_delivery delivery;

	return trace->follows || meant ||
	    !trace_delivery_parse(line->text, &delivery) ||
	    entry->others++ < OTHERS_MAX;
}

/* Both ways: the one that is meant takes the other along. */
static void
tie(struct trace *trace, struct entry *entry, const struct trace_line *line)
{
	struct trace_word word;
	char id[TRACE_ID_SIZE];
	bool certain;

	if (!trace_line_tie(line, &word, &certain))
		return;
	snprintf(id, sizeof(id), "%.*s", (int)word.length, word.at);

	struct entry *other = map_get(trace->by_id, id);

	/* Where other hosts' ids are told, only one that is known is ours. */
	if ((other == NULL && !certain) || other == entry)
		return;
	if (other == NULL)
		other = entry_begin(trace, id);
	if (entry->ties.length + other->ties.length > 2 * LINES_UNASKED)
		return;
	text_printf(&entry->ties, "%s ", id);
	text_printf(&other->ties, "%s ", entry->story.id);
	if (entry->meant != other->meant && trace->follows)
		text_printf(&trace->pending, "%s ",
		    entry->meant ? id : entry->story.id);
	account(trace, other);
}

/* A line with which a message begins; if its id had one before, this is another. */
static bool
is_beginning(struct trace_word text)
{
	static const char *const beginnings[] = { "client=", "uid=",
	    "message-id=" };

	for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
		size_t length = strlen(beginnings[i]);

		if (text.length > length &&
		    memcmp(text.at, beginnings[i], length) == 0)
			return true;
	}
	return false;
}

static struct entry *
entry_of(struct trace *trace, const struct trace_line *line)
{
	char id[TRACE_ID_SIZE];
	struct entry *entry;

	snprintf(id, sizeof(id), "%.*s", (int)line->id.length, line->id.at);
	entry = map_get(trace->by_id, id);
	if (entry == NULL || (entry->removed && is_beginning(line->text)))
		entry = entry_begin(trace, id);
	return entry;
}

/* What smtpd refused has no id: each such line is a story, if it is meant. */
static void
take_refusal(struct trace *trace, const struct trace_line *line,
    const char *bytes, size_t length)
{
	struct entry *entry;

	if (trace->is_id || !is_meant(trace, line))
		return;
	entry = entry_new(trace, "NOQUEUE");
	add_line(entry, bytes, length);
	mean(trace, entry);
}

void
trace_take(struct trace *trace, const char *bytes, size_t length)
{
	struct trace_line line;
	struct entry *entry;
	bool meant;

	if (!trace_line_parse(bytes, length, &line) || line.id.length == 0)
		return;
	shrink(trace);
	if (trace_word_is(line.id, "NOQUEUE")) {
		take_refusal(trace, &line, bytes, length);
		return;
	}
	entry = entry_of(trace, &line);
	meant = is_meant(trace, &line);
	if (is_worth_a_line(trace, entry, &line, meant))
		add_line(entry, bytes, length);
	else
		entry->story.left_out++;
	entry->removed |= trace_word_is(line.text, "removed");
	tie(trace, entry, &line);
	account(trace, entry);
	if (entry->meant)
		follow_line(trace, &line);
	else if (meant)
		text_printf(&trace->pending, "%s ", entry->story.id);
	settle(trace);
}

void
trace_each(struct trace *trace,
    void (*tell)(const struct trace_story *story, void *context),
    void *context)
{
	const struct entry *entry;

	shrink(trace);
	TAILQ_FOREACH(entry, &trace->meant, next)
		tell(&entry->story, context);
}
