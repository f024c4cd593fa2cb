#include "delivery/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"

#define FROM	"Mail Delivery System <MAILER-DAEMON>"
#define FILE_MAX	(1 << 20)

void
templates_init(struct templates *templates)
{
	static const struct template ours[] = {
#define TEMPLATE(kind, name, subject, postmaster, body)	\
		{ name, "us-ascii", FROM, subject, postmaster, body },
#include "delivery/templates.def"
#undef TEMPLATE
	};

	memcpy(templates->of, ours, sizeof(ours));
	templates->mistakes = 0;
}

static const struct {
	const char	*suffix;
	int		 seconds;
} units[] = {
	{ "_seconds", 1 }, { "_minutes", 60 }, { "_hours", 3600 },
	{ "_days", 86400 }, { "_weeks", 604800 },
};

/* $maximal_queue_lifetime_days and its like, in whole units. NULL: no time, or no such unit. */
static const char *
value_in_unit(const char *name)
{
	const struct { const char *name; int seconds; } times[] = {
		{ "bounce_queue_lifetime", config.bounce_queue_lifetime },
		{ "delay_warning_time", config.delay_warning_time },
		{ "maximal_queue_lifetime", config.maximal_queue_lifetime },
	};
	static char number[24];

	for (size_t i = 0; i < COUNT_OF(times); i++) {
		size_t length = strlen(times[i].name);

		for (size_t u = 0; u < COUNT_OF(units) &&
		    strncmp(name, times[i].name, length) == 0; u++) {
			if (strcmp(name + length, units[u].suffix) != 0)
				continue;
			snprintf(number, sizeof(number), "%lld",
			    (long long)times[i].seconds / units[u].seconds);
			return number;
		}
	}
	return NULL;
}

static const char *
value_of(const char *name, void *context)
{
	const char *value = value_in_unit(name);

	(void)context;
	return value != NULL ? value : config_get(name);
}

bool
template_expand(const struct template *template, struct text *out)
{
	bool is_unknown = false;
	struct expansion expansion = { .value = value_of,
	    .is_missing = &is_unknown };
	struct text why = TEXT_EMPTY, expanded = TEXT_EMPTY;
	bool ok = expand(&expansion, template->body, &expanded, &why) == 0 &&
	    !is_unknown;

	if (ok)
		text_append(out, text_string(&expanded), expanded.length);
	else
		log_warning("%s_template: %s", template->name,
		    is_unknown ? "a $name that is no parameter" :
		    text_string(&why));
	text_clear(&why);
	text_clear(&expanded);
	return ok;
}

/* The text of a file, line by line, and where we are for the log. */
struct reader {
	struct templates *templates;
	struct pool	*pool;
	const char	*next, *end;
	const char	*name;
	int		 number;
};

static bool
next_line(struct reader *reader, const char **line)
{
	const char *newline;
	size_t left = (size_t)(reader->end - reader->next);

	if (left == 0)
		return false;
	newline = memchr(reader->next, '\n', left);
	*line = pool_strndup(reader->pool, reader->next,
	    newline != NULL ? (size_t)(newline - reader->next) : left);
	reader->next = newline != NULL ? newline + 1 : reader->end;
	reader->number++;
	return *line != NULL;
}

static void
complain(struct reader *reader, int number, const char *what)
{
	reader->templates->mistakes++;
	log_warning("%s, line %d: %s: the built-in template is used",
	    reader->name, number, what);
}

/* A header line of a template. NULL, or what is wrong with it. */
static const char *
set_header(struct template *template, const char *line)
{
	const struct { const char *name; const char **value; } fields[] = {
		{ "Charset", &template->charset },
		{ "From", &template->from },
		{ "Subject", &template->subject },
		{ "Postmaster-Subject", &template->postmaster_subject },
	};
	size_t length = strcspn(line, ":");
	const char *value = line + length + (line[length] == ':');

	value += strspn(value, " \t");
	if (!text_is_ascii(line, strlen(line)))
		return "only ASCII may stand in a header";
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (line[length] == ':' && strlen(fields[i].name) == length &&
		    strncasecmp(line, fields[i].name, length) == 0) {
			*fields[i].value = value;
			return *value != '\0' ? NULL : "a header without a value";
		}
	}
	return "not \"Charset:\", \"From:\", \"Subject:\", "
	    "\"Postmaster-Subject:\", or an empty line behind them";
}

static const char *
check_body(const struct template *template)
{
	return *template->body == '\0' ? "no text behind the headers" :
	    strcasecmp(template->charset, "us-ascii") == 0 &&
	    !text_is_ascii(template->body, strlen(template->body)) ?
	    "its text is not us-ascii, as its Charset says" : NULL;
}

/* All up to the end marker. False (logged) if it is no good; it is read to its end all the same. */
static bool
read_template(struct reader *reader, const char *marker,
    struct template *template)
{
	const char *line, *wrong = NULL;
	struct text body = TEXT_EMPTY;
	bool in_body = false, ended = false;
	int wrong_at = 0, first = reader->number;

	while (!ended && next_line(reader, &line)) {
		ended = strcmp(line, marker) == 0;
		if (ended)
			break;
		if (in_body) {
			text_puts(&body, line);
			text_putc(&body, '\n');
		} else if (*line == '\0') {
			in_body = true;
		} else if (wrong == NULL) {
			wrong = set_header(template, line);
			wrong_at = reader->number;
		}
	}
	template->body = pool_strdup(reader->pool, text_string(&body));
	text_clear(&body);
	if (wrong == NULL) {
		wrong = !ended ? "the template has no end" :
		    template->body == NULL ? "it is too large" :
		    check_body(template);
		wrong_at = first;
	}
	if (wrong != NULL)
		complain(reader, wrong_at, wrong);
	return wrong == NULL;
}

static struct template *
find_template(struct templates *templates, const char *name, size_t length)
{
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		const char *known = templates->of[i].name;
		size_t known_length = strlen(known);

		if (length == known_length + strlen("_template") &&
		    strncmp(name, known, known_length) == 0 &&
		    memcmp(name + known_length, "_template",
		    strlen("_template")) == 0)
			return &templates->of[i];
	}
	return NULL;
}

/* "failure_template = <<EOF" */
static void
read_definition(struct reader *reader, const char *line)
{
	size_t length = strcspn(line, " \t=");
	const char *value = line + length + strspn(line + length, " \t");
	struct template *template, changed;
	struct text expanded = TEXT_EMPTY;
	int first = reader->number;
	char *marker;

	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	if (strncmp(value, "<<", 2) != 0) {
		complain(reader, reader->number, "not \"name_template = <<EOF\"");
		return;
	}
	marker = pool_strdup(reader->pool, value + 2 + strspn(value + 2, " \t"));
	if (marker == NULL || *text_trim(marker) == '\0') {
		complain(reader, reader->number,
		    "<< without the word that ends the template");
		return;
	}
	template = find_template(reader->templates, line, length);
	if (template == NULL) {
		complain(reader, reader->number, "not failure_template, "
		    "delay_template, success_template or verify_template");
		changed = reader->templates->of[0];
		read_template(reader, marker, &changed);
		return;
	}
	changed = *template;
	if (!read_template(reader, marker, &changed))
		return;
	if (template_expand(&changed, &expanded))
		*template = changed;
	else
		complain(reader, first, "it cannot be expanded");
	text_clear(&expanded);
}

void
templates_parse(struct templates *templates, struct pool *pool,
    const char *text, size_t length, const char *name)
{
	struct reader reader = { .templates = templates, .pool = pool,
	    .next = text, .end = text + length, .name = name };
	const char *line;

	while (next_line(&reader, &line)) {
		if (*line != '#' && line[strspn(line, " \t\r")] != '\0')
			read_definition(&reader, line);
	}
}

void
templates_load(struct templates *templates, struct pool *pool,
    const char *path)
{
	size_t length;
	char *text;

	templates_init(templates);
	templates->pool = pool;
	if (path == NULL)
		path = config.bounce_template_file;
	if (*path == '\0')
		return;
	text = file_read(path, FILE_MAX, &length);
	if (text == NULL) {
		templates->mistakes++;
		log_warning("bounce_template_file: cannot read %s: %m: the "
		    "built-in templates are used", path);
	} else {
		templates_parse(templates, pool, text, length, path);
	}
	free(text);
}
