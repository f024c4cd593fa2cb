/* What a parameter is to us, and what is to be said of it. */

#include "config/report.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/internal.h"

#define LATER(name, value, standing, why) \
	{ name, value, CONFIG_##standing, why },
static const struct later {
	const char		*name;
	const char		*value;
	enum config_standing	 standing;
	const char		*why;
} laters[] = {
#include "config/postfix.def"
};
#undef LATER

static struct map *references;	/* the names that values refer to */
static bool all_noted;		/* those in main.cf are among them */

/*
 * ldap:NAME, without a slash, has its settings in main.cf: NAME_server_host
 * and so on. Noted as "NAME_".
 */
static void
note_prefixes(const char *text)
{
	static const char *const types[] = { "ldap:", "memcache:", "mysql:",
	    "pgsql:", "sqlite:" };

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		for (const char *at = text; (at = strstr(at, types[i])) != NULL;) {
			size_t length;
			char *name;

			at += strlen(types[i]);
			length = strcspn(at, "/ ,\t{}");
			if (length == 0 || at[length] == '/')
				continue;
			name = mem_printf("%.*s_", (int)length, at);
			map_set(references, name, references);
			free(name);
		}
	}
}

static bool
has_noted_prefix(const char *name)
{
	const char *end = strchr(name, '_');
	bool found = false;

	for (; end != NULL && !found; end = strchr(end + 1, '_')) {
		char *prefix = mem_strndup(name, (size_t)(end + 1 - name));

		found = map_get(references, prefix) != NULL;
		free(prefix);
	}
	return found;
}

void
config_note_references(const char *text)
{
	if (references == NULL)
		references = map_new();
	note_prefixes(text);
	while ((text = strchr(text, '$')) != NULL) {
		text++;
		if (*text == '{' || *text == '(')
			text++;
		text += strspn(text, " \t");

		size_t length = 0;

		while (isalnum((unsigned char)text[length]) ||
		    text[length] == '_')
			length++;
		if (length > 0) {
			char *name = mem_strndup(text, length);

			map_set(references, name, references);
			free(name);
		}
	}
}

/* A list of names in the value of a parameter, such as smtpd_restriction_classes. */
static void
note_words(const char *list)
{
	char *copy = mem_strdup(list), *cursor = copy, *word;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		map_set(references, word, references);
	free(copy);
}

static void
note_all_references(void)
{
	size_t position = 0;
	const char *name;

	if (references == NULL)
		references = map_new();
	all_noted = true;
	while ((name = config_next_definition(&position)) != NULL)
		config_note_references(config_definition(name, NULL, NULL));
	/* Old names live on in defaults. */
	for (size_t i = 0; i < config_parameter_count; i++)
		config_note_references(config_parameters[i].preset);

	const char *classes = config_get("smtpd_restriction_classes");

	if (classes != NULL)
		note_words(classes);
}

/* How many single changes lead from a to b; names are short. */
static size_t
distance(const char *a, const char *b)
{
	size_t columns = strlen(b), row[128];

	if (columns >= COUNT_OF(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= columns; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[columns];
}

/* The name that was probably meant; NULL if none is near. */
static const char *
nearest(const char *name)
{
	const char *best = NULL;
	size_t least = strlen(name) / 4 + 1;

	for (size_t i = 0; i < config_parameter_count; i++) {
		size_t d = distance(name, config_parameters[i].name);

		if (d <= least && (best == NULL || d < least)) {
			best = config_parameters[i].name;
			least = d;
		}
	}
	return best;
}

enum config_standing
config_judge(const char *name, const char *value, const char **why)
{
	const char *ignored;

	if (why == NULL)
		why = &ignored;
	*why = NULL;
	if (config_parameter(name) != NULL ||
	    config_transport_suffix(name) != NULL)
		return CONFIG_OURS;
	if (!all_noted)
		note_all_references();
	if (map_get(references, name) != NULL || has_noted_prefix(name))
		return CONFIG_REFERRED;
	*why = nearest(name);
	for (size_t i = 0; i < COUNT_OF(laters); i++) {
		const struct later *l = &laters[i];

		if (fnmatch(l->name, name, 0) == 0 &&
		    (*value == '\0' || fnmatch(l->value, value, 0) == 0)) {
			*why = l->why;
			return *value == '\0' ? CONFIG_IGNORED : l->standing;
		}
	}
	return CONFIG_UNUSED;
}

static int
report_one(const char *name)
{
	const char *file, *why, *value = config_get(name);
	int line;

	config_definition(name, &file, &line);
	switch (config_judge(name, value == NULL ? "" : value, &why)) {
	case CONFIG_MISSED:
		log_warning("%s, line %d: %s: %s", file, line, name, why);
		return 0;
	case CONFIG_UNSAFE:
		log_error("%s, line %d: %s: %s", file, line, name, why);
		return 1;
	case CONFIG_UNUSED:
		if (why != NULL)
			log_warning("%s, line %d: unused parameter: %s "
			    "(is %s meant?)", file, line, name, why);
		else
			log_warning("%s, line %d: unused parameter: %s",
			    file, line, name);
		return 0;
	default:
		return 0;
	}
}

int
config_report(void)
{
	size_t position = 0;
	const char *name;
	int errors = 0;

	note_all_references();
	while ((name = config_next_definition(&position)) != NULL) {
		config_warn_earlier(name);
		errors += report_one(name);
	}
	return errors;
}
