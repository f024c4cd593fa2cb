/* postconf: the entries of master.cf, as lines, columns and parameters */

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
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

/* "smtp/inet" or what begins a longer pattern: does the entry fit as far as the pattern goes? */
static bool
entry_fits(const struct master_entry *entry, const char *pattern)
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

void
postconf_format_entry(const struct master_entry *entry, bool fold,
    struct text *out)
{
	char **c = (char **)entry->columns;

	text_printf(out, "%-10s %-5s %-7s %-7s %-7s %-7s %-7s %s", c[0], c[1],
	    c[2], c[3], c[4], c[5], c[6], entry->program);
	for (size_t i = 0; i < entry->argument_count; i++) {
		bool option = strcmp(entry->arguments[i], "-o") == 0 &&
		    i + 1 < entry->argument_count;

		text_puts(out, fold ? "\n    " : " ");
		append_argument(out, entry->arguments[i]);
		if (option) {
			text_putc(out, ' ');
			append_argument(out, entry->arguments[++i]);
		}
	}
	text_putc(out, '\n');
}

static int
for_each_entry(const struct postconf_style *style, char **patterns,
    void (*show)(const struct postconf_style *, const struct master_entry *,
    const char *))
{
	static char any[] = "*";
	static char *everything[] = { any, NULL };
	struct master_cf cf;

	if (*patterns == NULL)
		patterns = everything;
	if (master_cf_load(config_get("config_directory"), &cf) == -1)
		return 1;
	for (; *patterns != NULL; patterns++) {
		bool found = false;

		for (size_t i = 0; i < cf.count; i++) {
			if (!entry_fits(&cf.entries[i], *patterns))
				continue;
			show(style, &cf.entries[i], third_part(*patterns));
			found = true;
		}
		if (!found)
			log_warning("unmatched request: \"%s\"", *patterns);
	}
	master_cf_clear(&cf);
	return 0;
}

static void
show_entry(const struct postconf_style *style,
    const struct master_entry *entry, const char *pattern)
{
	struct text text = TEXT_EMPTY;

	postconf_format_entry(entry, style->fold, &text);
	fputs(text_string(&text), stdout);
	text_clear(&text);
}

static void
show_column(const struct postconf_style *style,
    const struct master_entry *entry, const char *pattern)
{
	char *command = postconf_command(entry);

	for (int i = 0; postconf_columns[i] != NULL; i++) {
		char *name;

		if (!postconf_name_fits(pattern, postconf_columns[i]))
			continue;
		name = mem_printf("%s/%s/%s", entry->name,
		    master_type_name(entry->type), postconf_columns[i]);
		postconf_print(style, name, i < MASTER_COLUMNS
		    ? entry->columns[i] : command);
		free(name);
	}
	free(command);
}

static void
show_overrides(const struct postconf_style *style,
    const struct master_entry *entry, const char *pattern)
{
	for (size_t i = 1; i < entry->argument_count; i++) {
		const char *setting = entry->arguments[i];
		size_t length = strcspn(setting, "=");
		char *parameter, *name;

		if (strcmp(entry->arguments[i - 1], "-o") != 0)
			continue;
		parameter = mem_strndup(setting, length);
		name = mem_printf("%s/%s/%s", entry->name,
		    master_type_name(entry->type), parameter);
		if (postconf_name_fits(pattern, parameter))
			postconf_print(style, name, setting + length +
			    (setting[length] == '='));
		free(name);
		free(parameter);
	}
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
