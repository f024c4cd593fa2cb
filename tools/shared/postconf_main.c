/* postconf: the parameters of main.cf */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"
#include "config/master_cf.h"
#include "config/report.h"
#include "tools/shared/postconf.h"

#define FOLD_COLUMN	80
#define FOLD_INDENT	4

/* One word after the other; with fold a new line where one does not fit. */
static void
print_words(const char *text, bool fold, size_t column)
{
	bool first = true;

	for (;;) {
		text += strspn(text, " \t\r\n");

		size_t length = strcspn(text, " \t\r\n");

		if (length == 0)
			return;
		if (fold && !first && column + 1 + length >= FOLD_COLUMN) {
			printf("\n%*s", FOLD_INDENT, "");
			column = FOLD_INDENT;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)length, text);
		column += length;
		text += length;
		first = false;
	}
}

void
postconf_print(const struct postconf_style *style, const char *name,
    const char *value)
{
	if (style->no_value)
		printf("%s", name);
	else if (style->no_name)
		print_words(value, style->fold, 0);
	else {
		printf(*value == '\0' ? "%s =" : "%s = ", name);
		print_words(value, style->fold, strlen(name) + 3);
	}
	putchar('\n');
}

/* Is it set, and does somebody read it? What nobody reads is only warned of. */
static bool
is_used(const char *name)
{
	const char *value = config_get(name);

	return config_judge(name, value == NULL ? "" : value, NULL) !=
	    CONFIG_UNUSED;
}

/* What to show of a parameter; NULL: nothing, it is not there or not set. */
static const char *
find_value(const struct postconf_style *style, const char *name)
{
	const struct parameter *p = config_parameter(name);
	const char *definition = config_definition(name, NULL, NULL);

	if (style->defaults)
		return p == NULL ? NULL : config_default(p);
	if (strcmp(name, "config_directory") == 0 &&
	    getenv("MAIL_CONFIG") != NULL)	/* that sets it; and -c, by that */
		return config_get(name);
	if (definition == NULL ? style->only_set || p == NULL : !is_used(name))
		return NULL;
	if (style->expand)
		return config_get(name);
	return definition != NULL ? definition : config_default(p);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
show_all(const struct postconf_style *style)
{
	const char **names = NULL, *name;
	size_t count = 0, position = 0;

	for (size_t i = 0; i < config_parameter_count; i++) {
		names = mem_resize(names, count + 1, sizeof(*names));
		names[count++] = config_parameters[i].name;
	}
	while (!style->defaults &&
	    (name = config_next_definition(&position)) != NULL) {
		if (config_parameter(name) != NULL || !is_used(name))
			continue;
		names = mem_resize(names, count + 1, sizeof(*names));
		names[count++] = name;
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		const char *value = find_value(style, names[i]);

		if (value != NULL)
			postconf_print(style, names[i], value);
	}
	free(names);
	return 0;
}

int
postconf_show_main(const struct postconf_style *style, char **names)
{
	if (*names == NULL)
		return show_all(style);
	for (; *names != NULL; names++) {
		const char *value = find_value(style, *names);

		if (value != NULL)
			postconf_print(style, *names, value);
		else if (config_parameter(*names) == NULL)
			log_warning("%s: unknown parameter", *names);
	}
	return 0;
}

/* The -o parameters of master.cf. */
static void
warn_unused_overrides(void)
{
	const char *directory = config_get("config_directory");
	struct master_cf cf;

	if (master_cf_load(directory, &cf) == -1)
		return;
	for (size_t i = 0; i < cf.count; i++)
		for (size_t j = 0; j < cf.entries[i].argument_count; j++)
			config_note_references(cf.entries[i].arguments[j]);
	for (size_t i = 0; i < cf.count; i++) {
		const struct master_entry *entry = &cf.entries[i];

		for (size_t j = 1; j < entry->argument_count; j++) {
			char *name;

			if (strcmp(entry->arguments[j - 1], "-o") != 0)
				continue;
			name = mem_strndup(entry->arguments[j],
			    strcspn(entry->arguments[j], "="));
			if (config_judge(name, "", NULL) == CONFIG_UNUSED)
				log_warning("%s/master.cf, line %d: unused "
				    "parameter: %s", directory, entry->line,
				    entry->arguments[j]);
			free(name);
		}
	}
	master_cf_clear(&cf);
}

void
postconf_warn_unused(void)
{
	size_t position = 0;
	const char *name, *file, *near;
	int line;

	warn_unused_overrides();
	while ((name = config_next_definition(&position)) != NULL) {
		const char *value = config_definition(name, &file, &line);

		if (config_judge(name, value, &near) != CONFIG_UNUSED)
			continue;
		if (near != NULL)
			log_warning("%s: unused parameter: %s=%s (is %s meant?)",
			    file, name, value, near);
		else
			log_warning("%s: unused parameter: %s=%s", file, name,
			    value);
	}
}

/* Text for mdoc: a line may not begin with a dot or quote, a backslash is \e. */
static void
print_mdoc(const char *text)
{
	if (*text == '.' || *text == '\'')
		printf("\\&");
	for (; *text != '\0'; text++)
		if (*text == '\\')
			printf("\\e");
		else
			putchar(*text);
}

static const char *const type_names[] = {
	[PARAMETER_STRING] = "text", [PARAMETER_RAW] = "text, $ is kept",
	[PARAMETER_BOOL] = "yes or no", [PARAMETER_INT] = "number",
	[PARAMETER_SIZE] = "bytes", [PARAMETER_TIME] = "time",
	[PARAMETER_RATE] = "rate", [PARAMETER_FEEDBACK] = "feedback",
};

int
postconf_manual(void)
{
	for (size_t i = 0; i < config_parameter_count; i++) {
		const struct parameter *p = &config_parameters[i];

		printf(".It Ic %s\n", p->name);
		print_mdoc(p->manual);
		printf("\nDefault:\n.Ql ");
		print_mdoc(*p->preset == '\0' ? "(empty)" : p->preset);
		printf("\n.Pq %s; %s\n", type_names[p->type], p->readers);
	}
	return 0;
}
