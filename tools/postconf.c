/* postconf - show and edit main.cf and master.cf */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/report.h"
#include "table/table.h"
#include "tools/shared/postconf.h"

#define OVERRIDES_MAX	200

/* What to work on: main.cf, or one view of master.cf. */
static const struct view {
	char	option;
	int	(*show)(const struct postconf_style *style, char **names);
	int	(*edit)(enum postconf_edit edit, char **words);
	void	(*warn)(void);
} views[] = {
	{ 'p', postconf_show_main, postconf_edit_main,
	    postconf_warn_main },
	{ 'M', postconf_show_entries, postconf_edit_entries,
	    postconf_warn_entries },
	{ 'F', postconf_show_columns, postconf_edit_columns,
	    postconf_warn_entries },
	{ 'P', postconf_show_overrides, postconf_edit_overrides,
	    postconf_warn_entries },
};

static void __attribute__((noreturn))
usage(void)
{
	fatal("usage: postconf [-AadeFfHhlMmnPpvXx#] [-c config_dir] "
	    "[-o name=value] [-T manual] [name...], "
	    "or postconf -b|-t [template_file]");
}

static const struct view *
find_view(char option)
{
	for (size_t i = 0; i < COUNT_OF(views); i++)
		if (views[i].option == option)
			return &views[i];
	return NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
list_table_types(void)
{
	const char *types[100] = { "proxy" };
	size_t count = 1;

	while (count < COUNT_OF(types) &&
	    (types[count] = table_type(count - 1)) != NULL)
		count++;
	qsort(types, count, sizeof(types[0]), by_name);
	for (size_t i = 0; i < count; i++)
		printf("%s\n", types[i]);
	return 0;
}

/* "postconf name=value" is an edit without -e. */
static bool
looks_like_edit(char **words)
{
	return words[0] != NULL && strchr(words[0], '=') != NULL;
}

/* What the command line asks for. */
static struct {
	const char	*directory;
	const char	*overrides[OVERRIDES_MAX + 1];
	size_t		 override_count;
	struct postconf_style style;
	const struct view *view;
	enum postconf_edit edit;
	bool		 edits, manual;
	int		 list;		/* -m or its like */
	int		 templates;	/* -b or -t */
} asked = { .view = &views[0], .edit = POSTCONF_SET };

/* -l; of -a and -A, the kinds of logins, there are none. */
static int
list_locks(void)
{
	if (asked.list == 'l')
		printf("flock\nfcntl\ndotlock\n");
	return 0;
}

/* False if the letter is none that says how to show things. */
static bool
take_style(int letter)
{
	struct postconf_style *style = &asked.style;
	const struct { char letter; bool *field; } styles[] = {
		{ 'd', &style->defaults }, { 'f', &style->fold },
		{ 'h', &style->no_name }, { 'H', &style->no_value },
		{ 'n', &style->only_set }, { 'x', &style->expand },
	};

	for (size_t i = 0; i < COUNT_OF(styles); i++) {
		if (styles[i].letter == letter)
			return *styles[i].field = true;
	}
	return false;
}

static void
take_edit(enum postconf_edit edit)
{
	asked.edits = true;
	asked.edit = edit;
}

static void
take_option(int letter)
{
	switch (letter) {
	case 'b': case 't':
		asked.templates = letter;
		break;
	case 'c':
		asked.directory = optarg;
		break;
	case 'e':
		asked.edits = true;
		break;
	case 'X':
		take_edit(POSTCONF_REMOVE);
		break;
	case '#':
		take_edit(POSTCONF_COMMENT);
		break;
	case 'm': case 'l': case 'a': case 'A':
		asked.list = letter;
		break;
	case 'o':
		if (asked.override_count == OVERRIDES_MAX)
			fatal("too many -o options");
		asked.overrides[asked.override_count++] = optarg;
		break;
	case 'M': case 'F': case 'P': case 'p':
		asked.view = find_view((char)letter);
		break;
	case 'T':
		asked.manual = strcmp(optarg, "manual") == 0;
		if (!asked.manual)
			usage();
		break;
	case 'v':
		log_verbose++;
		break;
	default:
		if (!take_style(letter))
			usage();
	}
}

/* Defaults are the same whether there is a main.cf or not. */
static void
read_configuration(void)
{
	bool defaults = asked.style.defaults && !asked.edits &&
	    asked.view->option == 'p';

	if (asked.directory != NULL)
		setenv("MAIL_CONFIG", asked.directory, 1);
	if ((defaults ? config_read_defaults(asked.directory, asked.overrides) :
	    config_read(asked.directory, asked.overrides)) == -1)
		fatal("the configuration cannot be read, see above");
}

/* What a notice says depends on values, so they must be good ones. */
static void
load_configuration(void)
{
	if (config_load(asked.directory, asked.overrides) == -1)
		fatal("the configuration has errors, see above");
}

int
main(int argc, char **argv)
{
	int option, result;

	log_open_stderr("postconf");
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "aAbc:defFhHlmMno:pPtT:vxX#")) != -1)
		take_option(option);
	if (asked.manual)
		return postconf_manual();
	if (asked.list != 0)
		return asked.list == 'm' ? list_table_types() : list_locks();
	asked.edits |= looks_like_edit(argv + optind);
	if (asked.templates != 0) {
		load_configuration();
		return postconf_templates(argv[optind], asked.templates == 'b');
	}
	read_configuration();
	if (asked.edits) {
		if (argv[optind] == NULL)
			fatal("-%c requires %s argument", asked.edit ==
			    POSTCONF_SET ? 'e' : asked.edit ==
			    POSTCONF_REMOVE ? 'X' : '#', asked.edit ==
			    POSTCONF_SET ? "name=value" : "name");
		return asked.view->edit(asked.edit, argv + optind);
	}
	result = asked.view->show(&asked.style, argv + optind);
	fflush(stdout);
	if (asked.style.defaults)
		return result;
	if (asked.view->option == 'p')
		postconf_warn_entries();
	asked.view->warn();
	return result;
}
