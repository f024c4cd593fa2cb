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
} views[] = {
	{ 'p', postconf_show_main, postconf_edit_main },
	{ 'M', postconf_show_entries, postconf_edit_entries },
	{ 'F', postconf_show_columns, postconf_edit_columns },
	{ 'P', postconf_show_overrides, postconf_edit_overrides },
};

static void __attribute__((noreturn))
usage(void)
{
	fatal("usage: postconf [-deFfHhMmnPpvXx#] [-c config_dir] "
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

int
main(int argc, char **argv)
{
	const char *overrides[OVERRIDES_MAX + 1] = { NULL };
	const char *directory = NULL;
	struct postconf_style style = { 0 };
	const struct view *view = find_view('p');
	enum postconf_edit edit = POSTCONF_SET;
	bool edits = false, types = false, manual = false;
	bool templates = false, expanded = false;
	size_t override_count = 0;
	int option;

	log_open_stderr("postconf");
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "bc:defFhHmMno:pPtT:vxX#")) != -1) {
		switch (option) {
		case 'b': case 't':
			templates = true;
			expanded = option == 'b';
			break;
		case 'c':
			directory = optarg;
			break;
		case 'd':
			style.defaults = true;
			break;
		case 'e':
			edits = true;
			break;
		case 'X':
			edits = true;
			edit = POSTCONF_REMOVE;
			break;
		case '#':
			edits = true;
			edit = POSTCONF_COMMENT;
			break;
		case 'f':
			style.fold = true;
			break;
		case 'h':
			style.no_name = true;
			break;
		case 'H':
			style.no_value = true;
			break;
		case 'm':
			types = true;
			break;
		case 'n':
			style.only_set = true;
			break;
		case 'o':
			if (override_count == OVERRIDES_MAX)
				fatal("too many -o options");
			overrides[override_count++] = optarg;
			break;
		case 'M': case 'F': case 'P': case 'p':
			view = find_view((char)option);
			break;
		case 'T':
			manual = strcmp(optarg, "manual") == 0;
			if (!manual)
				usage();
			break;
		case 'v':
			log_verbose++;
			break;
		case 'x':
			style.expand = true;
			break;
		default:
			usage();
		}
	}
	if (manual)
		return postconf_manual();
	if (types)
		return list_table_types();
	if (directory != NULL)
		setenv("MAIL_CONFIG", directory, 1);
	edits |= looks_like_edit(argv + optind);
	if ((style.defaults && !edits && view->option == 'p' ?
	    config_read_defaults(directory, overrides) :
	    config_read(directory, overrides)) == -1)
		fatal("the configuration cannot be read, see above");
	if (templates)
		return postconf_templates(argv[optind], expanded);
	if (edits) {
		if (argv[optind] == NULL)
			fatal("nothing to edit: name it");
		return view->edit(edit, argv + optind);
	}

	int result = view->show(&style, argv + optind);

	fflush(stdout);
	if (!style.defaults)
		postconf_warn_unused();
	return result;
}
