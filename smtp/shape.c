/*
 * shape - content as this host is to get it
 *
 * What smtp_header_checks and its kin say of its lines (only what changes or
 * tells: here nobody is refused any more), and then for a host without
 * 8BITMIME no octet beyond ASCII where its header announces them.
 */

#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "message/downgrade.h"
#include "table/maps.h"

enum { OF_MESSAGE, OF_MIME, OF_NESTED, OF_BODY, TABLES };

static struct maps *tables[TABLES];
static bool checks_some;

struct shaping {
	const struct session *session;
	struct text	*out;
	struct text	 key;
	bool		 failed;
};

void
shape_start(void)
{
	tables[OF_MESSAGE] = maps_open("smtp_header_checks",
	    config.smtp_header_checks);
	tables[OF_MIME] = maps_open("smtp_mime_header_checks",
	    config.smtp_mime_header_checks);
	tables[OF_NESTED] = maps_open("smtp_nested_header_checks",
	    config.smtp_nested_header_checks);
	tables[OF_BODY] = maps_open("smtp_body_checks",
	    config.smtp_body_checks);
	for (size_t i = 0; i < TABLES; i++)
		checks_some |= !maps_are_empty(tables[i]);
}

static void
tell(const struct shaping *shaping, const char *action, const char *kind,
    const char *text)
{
	log_info("%s: %s: %s %.60s%s%s",
	    shaping->session->job->request->envelope->queue_id, action, kind,
	    text_string(&shaping->key), *text == '\0' ? "" : ": ", text);
}

enum { KEEP, TELL, PREPEND, REPLACE, DROP };

static const struct {
	const char	*word, *logged;
	int		 effect;
} actions[] = {
	{ "DUNNO", NULL, KEEP },	{ "OK", NULL, KEEP },
	{ "IGNORE", NULL, DROP },	{ "STRIP", "strip", DROP },
	{ "WARN", "warning", TELL },	{ "INFO", "info", TELL },
	{ "PREPEND", "prepend", PREPEND }, { "REPLACE", "replace", REPLACE },
};

static void
put_key(struct shaping *shaping, bool ends)
{
	text_append(shaping->out, text_string(&shaping->key),
	    shaping->key.length);
	if (ends)
		text_putc(shaping->out, '\n');
}

/* Write what becomes of the key. */
static void
act(struct shaping *shaping, const char *kind, const char *value, bool ends)
{
	size_t length = strcspn(value, " \t"), i = 0;
	const char *text = value + length + strspn(value + length, " \t");

	while (i < COUNT_OF(actions) && (strlen(actions[i].word) != length ||
	    strncasecmp(actions[i].word, value, length) != 0))
		i++;
	if (i == COUNT_OF(actions)) {
		log_warning("unknown command in smtp_%s_checks map: %s", kind,
		    value);
		put_key(shaping, ends);
		return;
	}
	if (actions[i].logged != NULL)
		tell(shaping, actions[i].logged, kind, text);
	if (actions[i].effect == PREPEND || actions[i].effect == REPLACE)
		text_printf(shaping->out, "%s%s", text,
		    actions[i].effect == PREPEND || ends ? "\n" : "");
	if (actions[i].effect != REPLACE && actions[i].effect != DROP)
		put_key(shaping, ends);
}

static void
look_up(struct shaping *shaping, int table, const char *kind, bool ends)
{
	const char *value;

	switch (maps_find(tables[table], text_string(&shaping->key), &value)) {
	case TABLE_FOUND:
		act(shaping, kind, value, ends);
		break;
	case TABLE_ERROR:
		shaping->failed = true;
		break;
	case TABLE_NONE:
		put_key(shaping, ends);
		break;
	}
}

static void
on_field(void *argument, const struct mime_field *raw)
{
	struct shaping *shaping = argument;
	struct header_field field;
	bool is_mime = raw->of == MIME_OF_PART ||
	    (mime_field_parse(raw, &field) && mime_is_field(&field));

	text_truncate(&shaping->key, 0);
	text_append(&shaping->key, raw->raw, raw->length);
	look_up(shaping, is_mime ? OF_MIME :
	    raw->of == MIME_OF_NESTED ? OF_NESTED : OF_MESSAGE, "header", true);
}

static void
on_end_of_header(void *argument, bool is_marked)
{
	struct shaping *shaping = argument;

	if (is_marked)
		text_putc(shaping->out, '\n');
}

static void
on_line(void *argument, const struct mime_line *line)
{
	struct shaping *shaping = argument;

	text_truncate(&shaping->key, 0);
	text_append(&shaping->key, line->bytes, line->length);
	if (maps_are_empty(tables[OF_BODY]) || (config.body_checks_size_limit > 0 &&
	    line->offset >= config.body_checks_size_limit))
		put_key(shaping, line->ends);
	else
		look_up(shaping, OF_BODY, "body", line->ends);
}

/* 0, or -1: a table cannot be read. */
static int
check_lines(struct session *session, struct text *out)
{
	static const struct mime_events events = { .field = on_field,
	    .end_of_header = on_end_of_header, .line = on_line };
	const struct job *job = session->job;
	struct shaping shaping = { .session = session, .out = out };
	struct mime_reader reader = { .events = &events, .argument = &shaping,
	    .deepest = config.mime_nesting_limit,
	    .longest_boundary = (size_t)config.mime_boundary_length_limit,
	    .longest_field = job->content_length + 1 };

	mime_begin(&reader);
	mime_read(&reader, job->content, job->content_length);
	mime_finish(&reader);
	mime_clear(&reader);
	text_clear(&shaping.key);
	return shaping.failed ? -1 : 0;
}

static bool
must_be_7bit(const struct session *session)
{
	return !(session->offers & OFFERS_8BITMIME) &&
	    !config.disable_mime_output_conversion &&
	    (session->job->request->envelope->flags & ENVELOPE_8BIT);
}

static void
convert(struct session *session)
{
	const struct job *job = session->job;
	struct text checked = session->shaped;
	bool is_checked = session->is_shaped;

	session->shaped = (struct text)TEXT_EMPTY;
	downgrade(&session->shaped,
	    is_checked ? text_string(&checked) : job->content,
	    is_checked ? checked.length : job->content_length,
	    config.mime_nesting_limit,
	    (size_t)config.mime_boundary_length_limit);
	session->is_shaped = true;
	text_clear(&checked);
}

bool
shape_content(struct session *session)
{
	text_clear(&session->shaped);
	session->is_shaped = false;
	if (checks_some) {
		if (check_lines(session, &session->shaped) == -1)
			return false;
		session->is_shaped = true;
	}
	if (must_be_7bit(session))
		convert(session);
	return true;
}
