/* postconf: the entries of master.cf, as lines, columns and parameters */

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"
#include "config/master_cf.h"
#include "config/report.h"
#include "tools/shared/postconf.h"
#include "tools/shared/postconf_master.h"

const char *const postconf_columns[] = { "service", "type", "private",
    "unprivileged", "chroot", "wakeup", "process_limit", "command", NULL };

bool
postconf_name_fits(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, 0) == 0;
}

bool
postconf_entry_fits(const struct master_entry *entry, const char *pattern)
{
	char *copy = mem_strdup(pattern);
	char *type = strchr(copy, '/'), *rest;
	bool fits;

	if (type != NULL) {
		*type++ = '\0';
		if ((rest = strchr(type, '/')) != NULL)
			*rest = '\0';
	}
	fits = postconf_name_fits(copy, entry->name) && (type == NULL ||
	    postconf_name_fits(type, master_type_name(entry->type)));
	free(copy);
	return fits;
}

/* What follows the second slash of a pattern: the column or parameter; "*" if nothing does. */
static const char *
third_part(const char *pattern)
{
	const char *slash = strchr(pattern, '/');

	slash = slash == NULL ? NULL : strchr(slash + 1, '/');
	return slash == NULL ? "*" : slash + 1;
}

/* Braces where an argument would not stay one word. */
static void
append_argument(struct text *text, const char *argument)
{
	bool grouped = *argument == '\0' || strpbrk(argument, " \t{") != NULL;

	/* ${name} holds braces, but is one word. */
	if (grouped && *argument != '{' && strpbrk(argument, " \t") == NULL &&
	    *argument != '\0')
		grouped = false;
	text_printf(text, grouped ? "{%s}" : "%s", argument);
}

char *
postconf_command(const struct master_entry *entry)
{
	struct text text = TEXT_EMPTY;

	text_puts(&text, entry->program);
	for (size_t i = 0; i < entry->argument_count; i++) {
		text_putc(&text, ' ');
		append_argument(&text, entry->arguments[i]);
	}
	return text_take(&text);
}

/* $service_name and $process_name, the entry's own -o, and main.cf. */
static const char *
value_for_entry(const char *name, void *context)
{
	const struct master_entry *entry = context;
	const struct parameter *p = config_parameter(name);
	const char *value = config_definition(name, NULL, NULL);
	size_t length = strlen(name);

	if (entry != NULL && strcmp(name, "service_name") == 0)
		return entry->name;
	if (entry != NULL && strcmp(name, "process_name") == 0)
		return entry->program;
	for (size_t i = 1; entry != NULL && i < entry->argument_count; i++)
		if (strcmp(entry->arguments[i - 1], "-o") == 0 &&
		    strncmp(entry->arguments[i], name, length) == 0 &&
		    entry->arguments[i][length] == '=')
			value = entry->arguments[i] + length + 1;
	if (value == NULL)
		value = p != NULL ? config_default(p)
		    : postconf_other_default(name);
	return value;
}

const char *
postconf_expand(const char *value, const struct master_entry *entry)
{
	static struct text out;
	struct text why = TEXT_EMPTY;
	struct expansion expansion = {
		.value = value_for_entry,
		.context = (struct master_entry *)entry,
		.recursive = true,
	};

	text_truncate(&out, 0);
	if (expand(&expansion, value, &out, &why) == -1) {
		log_warning("%.200s: %s", value, text_string(&why));
		text_truncate(&out, 0);
		text_puts(&out, value);
	}
	text_clear(&why);
	return text_string(&out);
}

/* A line of master.cf that is being written. */
struct writer {
	struct text	*out;
	size_t		 column;
	bool		 fold;
	bool		 alone;		/* what was written last has its line for itself */
};

/* The next thing, on a line of its own where it must be or where it does not fit. */
static void
write_item(struct writer *w, const char *item, bool alone)
{
	size_t length = strlen(item);

	if (w->fold && (alone || w->alone ||
	    w->column + 1 + length >= POSTCONF_FOLD_COLUMN)) {
		text_printf(w->out, "\n%*s", POSTCONF_FOLD_INDENT, "");
		w->column = POSTCONF_FOLD_INDENT;
	} else {
		text_putc(w->out, ' ');
		w->column++;
	}
	text_puts(w->out, item);
	w->column += length;
	w->alone = alone;
}

/* Each column begins at its place, or one blank behind a word that is too long for the one before. */
static size_t
write_columns(const struct master_entry *entry, struct text *out)
{
	static const size_t places[MASTER_COLUMNS] = { 0, 11, 17, 25, 33, 41,
	    49 };
	size_t column = 0;

	for (int i = 0; i <= MASTER_COLUMNS; i++) {
		const char *word = i < MASTER_COLUMNS ? entry->columns[i]
		    : entry->program;
		size_t place = i < MASTER_COLUMNS ? places[i] : 57;

		for (bool first = i > 0; first || column < place; first = false) {
			text_putc(out, ' ');
			column++;
		}
		text_puts(out, word);
		column += strlen(word);
	}
	return column;
}

/* "-o name=value", its value expanded if style says so. Released with free(3). */
static char *
override_item(const struct postconf_style *style,
    const struct master_entry *entry, const char *setting)
{
	struct text item = TEXT_EMPTY;
	const char *value = strchr(setting, '=');
	char *expanded = NULL;

	if (style->expand && value != NULL)
		expanded = mem_printf("%.*s=%s", (int)(value - setting),
		    setting, postconf_expand(value + 1, entry));
	text_puts(&item, "-o ");
	append_argument(&item, expanded != NULL ? expanded : setting);
	free(expanded);
	return text_take(&item);
}

void
postconf_format_entry(const struct postconf_style *style,
    const struct master_entry *entry, struct text *out)
{
	struct writer w = { .out = out, .fold = style->fold };

	w.column = write_columns(entry, out);
	for (size_t i = 0; i < entry->argument_count; i++) {
		bool override = strcmp(entry->arguments[i], "-o") == 0 &&
		    i + 1 < entry->argument_count;
		struct text word = TEXT_EMPTY;
		char *item;

		if (override)
			item = override_item(style, entry,
			    entry->arguments[++i]);
		else {
			append_argument(&word, entry->arguments[i]);
			item = text_take(&word);
		}
		write_item(&w, item, override);
		free(item);
	}
	text_putc(out, '\n');
}

/* show says whether it found what the pattern asks for. */
static int
for_each_entry(const struct postconf_style *style, char **patterns,
    bool (*show)(const struct postconf_style *, const struct master_entry *,
    const char *))
{
	static char any[] = "*";
	static char *everything[] = { any, NULL };
	const struct master_cf *cf = postconf_master_cf(true);
	bool all = *patterns == NULL;

	if (all)
		patterns = everything;
	for (; *patterns != NULL; patterns++) {
		bool found = all;

		for (size_t i = 0; i < cf->count; i++)
			if (postconf_entry_fits(&cf->entries[i], *patterns) &&
			    show(style, &cf->entries[i],
			    third_part(*patterns)))
				found = true;
		if (!found)
			log_warning("unmatched request: \"%s\"", *patterns);
	}
	return 0;
}

static bool
show_entry(const struct postconf_style *style,
    const struct master_entry *entry, const char *pattern)
{
	struct text text = TEXT_EMPTY;

	(void)pattern;
	postconf_format_entry(style, entry, &text);
	fputs(text_string(&text), stdout);
	text_clear(&text);
	return true;
}

static bool
show_column(const struct postconf_style *style,
    const struct master_entry *entry, const char *pattern)
{
	char *command = postconf_command(entry);
	bool found = false;

	for (int i = 0; postconf_columns[i] != NULL; i++) {
		char *name;

		if (!postconf_name_fits(pattern, postconf_columns[i]))
			continue;
		found = true;
		name = mem_printf("%s/%s/%s", entry->name,
		    master_type_name(entry->type), postconf_columns[i]);
		postconf_print(style, name, i < MASTER_COLUMNS
		    ? entry->columns[i] : command);
		free(name);
	}
	free(command);
	return found;
}

static int
compare_settings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The settings of -o, by name. Gives how many; *settings is released with free(3). */
static size_t
sorted_overrides(const struct master_entry *entry, const char ***settings)
{
	size_t count = 0;

	*settings = mem_zalloc(entry->argument_count + 1, sizeof(**settings));
	for (size_t i = 1; i < entry->argument_count; i++)
		if (strcmp(entry->arguments[i - 1], "-o") == 0)
			(*settings)[count++] = entry->arguments[i];
	qsort(*settings, count, sizeof(**settings), compare_settings);
	return count;
}

static bool
show_overrides(const struct postconf_style *style,
    const struct master_entry *entry, const char *pattern)
{
	const char **settings;
	size_t count = sorted_overrides(entry, &settings);
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(settings[i], "=");
		const char *value = settings[i] + length +
		    (settings[i][length] == '=');
		char *parameter = mem_strndup(settings[i], length);
		char *name = mem_printf("%s/%s/%s", entry->name,
		    master_type_name(entry->type), parameter);

		if (postconf_name_fits(pattern, parameter)) {
			found = true;
			postconf_print(style, name, style->expand
			    ? postconf_expand(value, entry) : value);
		}
		free(name);
		free(parameter);
	}
	free(settings);
	return found;
}

int
postconf_show_entries(const struct postconf_style *style, char **names)
{
	return for_each_entry(style, names, show_entry);
}

int
postconf_show_columns(const struct postconf_style *style, char **names)
{
	return for_each_entry(style, names, show_column);
}

int
postconf_show_overrides(const struct postconf_style *style, char **names)
{
	return for_each_entry(style, names, show_overrides);
}
