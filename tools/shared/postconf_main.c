/* postconf: the parameters of main.cf */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/report.h"
#include "tools/shared/postconf.h"
#include "tools/shared/postconf_master.h"

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
		if (fold && !first && column + 1 + length >= POSTCONF_FOLD_COLUMN) {
			printf("\n%*s", POSTCONF_FOLD_INDENT, "");
			column = POSTCONF_FOLD_INDENT;
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

/* The value of a name that a main.cf may use without defining it, expanded if it is to be. */
static const char *
default_of(const struct postconf_style *style, const char *name)
{
	const char *value = postconf_derived_default(name);

	if (value == NULL)
		value = postconf_other_default(name);
	return value != NULL && style->expand ? postconf_expand(value, NULL)
	    : value;
}

/* What to show of a parameter; NULL: nothing, it is not there or not set. */
static const char *
find_value(const struct postconf_style *style, const char *name)
{
	const struct parameter *p = config_parameter(name);
	const char *definition = config_definition(name, NULL, NULL);

	if (p == NULL && (definition == NULL || style->defaults))
		return style->only_set ? NULL : default_of(style, name);
	if (style->defaults)
		return style->expand ? postconf_expand(config_default(p), NULL)
		    : config_default(p);
	if (strcmp(name, "config_directory") == 0 &&
	    getenv("MAIL_CONFIG") != NULL)	/* that sets it; and -c, by that */
		return config_get(name);
	if (definition == NULL ? style->only_set : !postconf_is_used(name))
		return NULL;
	if (style->expand)
		return config_get(name);
	return definition != NULL ? definition : config_default(p);
}

struct names {
	char	**name;
	size_t	 count;
};

static void
add_name(const char *name, const char *value, void *context)
{
	struct names *names = context;

	(void)value;
	names->name = mem_resize(names->name, names->count + 1,
	    sizeof(*names->name));
	names->name[names->count++] = mem_strdup(name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
show_all(const struct postconf_style *style)
{
	struct names names = { 0 };
	const char *name;
	size_t position = 0;

	for (size_t i = 0; i < config_parameter_count; i++)
		add_name(config_parameters[i].name, NULL, &names);
	while (!style->defaults &&
	    (name = config_next_definition(&position)) != NULL)
		if (config_parameter(name) == NULL && postconf_is_used(name))
			add_name(name, NULL, &names);
	if (!style->only_set)
		postconf_each_derived(add_name, &names);
	qsort(names.name, names.count, sizeof(*names.name), compare_names);
	for (size_t i = 0; i < names.count; i++) {
		bool again = i > 0 &&
		    strcmp(names.name[i], names.name[i - 1]) == 0;
		const char *value = again ? NULL
		    : find_value(style, names.name[i]);

		if (value != NULL)
			postconf_print(style, names.name[i], value);
	}
	for (size_t i = 0; i < names.count; i++)
		free(names.name[i]);
	free(names.name);
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
