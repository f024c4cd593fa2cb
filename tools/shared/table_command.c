#include "tools/shared/table_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/lines.h"
#include "table/build.h"
#include "table/table.h"
#include "tools/shared/message_keys.h"

#define SOURCE_LIMIT	((size_t)1 << 30)

/* What was asked for on the command line. */
struct request {
	const struct table_command *command;
	const char	*query;		/* -q */
	const char	*deletion;	/* -d */
	bool		 list;		/* -s */
	bool		 incremental;	/* -i */
	bool		 replace;	/* -r */
	bool		 quiet;		/* -w */
	bool		 keep_case;	/* -f */
	bool		 as_root;	/* -o */
	bool		 headers;	/* -h */
	bool		 body;		/* -b */
	bool		 parts;		/* -m */
	int		 build_flags;
};

/* "file" is of the default type. */
static char *
full_name(const char *name)
{
	return strchr(name, ':') != NULL ? mem_strdup(name)
	    : mem_printf("%s:%s", config.default_database_type, name);
}

/* The lines of a standard input that is a list of keys. */
static char *
read_key(char **line, size_t *size)
{
	ssize_t length = getline(line, size, stdin);

	if (length == -1)
		return NULL;
	(*line)[strcspn(*line, "\r\n")] = '\0';
	return *line;
}

/* The first table of the command line that has the key; listing is NULL for its value alone. 1, 0, or the end of the process. */
static int
query(char **names, struct table **tables, const char *key,
    const char *listing)
{
	const char *value;

	for (size_t i = 0; names[i] != NULL; i++) {
		switch (table_get(tables[i], key, &value)) {
		case TABLE_ERROR:
			fatal("%s", table_why(tables[i]));
		case TABLE_NONE:
			continue;
		case TABLE_FOUND:
			if (*value == '\0')
				log_warning("table %s: key %s: empty string "
				    "result is not allowed",
				    table_name(tables[i]), key);
			if (listing == NULL)
				printf("%s\n", value);
			else
				printf(listing, key, value);
			return 1;
		}
	}
	return 0;
}

/* The keys of a message, each asked as it comes. */
struct asked {
	char		**names;
	struct table	**tables;
	const char	*listing;
	int		  found;
};

static void
query_part(const char *key, void *context)
{
	struct asked *asked = context;

	asked->found += query(asked->names, asked->tables, key,
	    asked->listing);
}

static int
do_query(const struct request *r, char **names)
{
	size_t count = 0, size = 0;
	struct table **tables;
	char *line = NULL, *key;
	struct asked asked = { .names = names,
	    .listing = r->command->listing };

	while (names[count] != NULL)
		count++;
	tables = mem_zalloc(count, sizeof(*tables));
	for (size_t i = 0; i < count; i++)
		tables[i] = table_open(names[i],
		    TABLE_QUIET | (r->keep_case ? TABLE_KEEP_CASE : 0));
	if (strcmp(r->query, "-") != 0)
		return query(names, tables, r->query, NULL) ? 0 : 1;
	asked.tables = tables;
	if (r->parts && (r->headers || r->body))
		message_keys_of_parts(r->headers, r->body, query_part, &asked);
	else if (r->headers || r->body)
		message_keys(r->headers, r->body, query_part, &asked);
	else
		while ((key = read_key(&line, &size)) != NULL)
			query_part(key, &asked);
	return asked.found > 0 ? 0 : 1;
}

static int
do_list(const struct request *r, char **names)
{
	for (; *names != NULL; names++) {
		struct table *table = table_open(*names, TABLE_KEEP_CASE);
		const char *key, *value;
		enum table_answer answer;
		int position = 0;

		while ((answer = table_next(table, &position, &key,
		    &value)) == TABLE_FOUND)
			printf(r->command->listing, key, value);
		if (answer == TABLE_ERROR)
			fatal("table %s: %s", *names, table_why(table));
	}
	return 0;
}

static struct table_build *
begin(const char *name, int flags)
{
	struct text why = TEXT_EMPTY;
	struct table_build *build = table_build_begin(name, flags, &why);

	if (build == NULL)
		fatal("%s", text_string(&why));
	return build;
}

static void
commit(struct table_build **build)
{
	struct text why = TEXT_EMPTY;

	if (table_build_commit(build, &why) == -1)
		fatal("%s", text_string(&why));
}

static bool
delete_key(const struct request *r, struct table_build *build, const char *key)
{
	struct text why = TEXT_EMPTY;
	char *copy = mem_strdup(key);

	if (!r->keep_case)
		text_lower(copy);

	int result = table_build_delete(build, copy, &why);

	if (result == -1) {
		table_build_abandon(&build);
		fatal("%s", text_string(&why));
	}
	free(copy);
	return result == 0;
}

static int
do_delete(const struct request *r, char **names)
{
	int found = 0;

	for (; *names != NULL; names++) {
		struct table_build *build = begin(*names,
		    r->build_flags | TABLE_BUILD_KEEP);
		char *line = NULL, *key;
		size_t size = 0;

		if (strcmp(r->deletion, "-") != 0)
			found += delete_key(r, build, r->deletion);
		else
			while ((key = read_key(&line, &size)) != NULL)
				found += delete_key(r, build, key);
		commit(&build);
		free(line);
	}
	return found > 0 ? 0 : 1;
}

static void
put(const struct request *r, struct table_build *build, const char *key,
    const char *value)
{
	struct text why = TEXT_EMPTY;

	switch (table_build_put(build, key, value, r->replace, &why)) {
	case -1:
		table_build_abandon(&build);
		fatal("%s", text_string(&why));
	case 1:
		if (!r->quiet && !r->replace)
			log_warning("%s: duplicate entry: \"%s\"",
			    table_build_path(build), key);
	}
}

static void
put_line(const struct request *r, struct table_build *build, const char *file,
    int number, char *line)
{
	char *key, *value;
	const char *wrong = r->command->split(line, &key, &value);

	if (wrong != NULL) {
		log_warning("%s, line %d: %s -- ignoring this line", file,
		    number, wrong);
		return;
	}
	if (r->command->hint_alias && text_ends_with(key, ":"))
		log_warning("%s, line %d: record is in \"key: value\" format; "
		    "is this an alias file?", file, number);
	if (!r->keep_case)
		text_lower(key);

	if (r->command->tidy == NULL) {
		put(r, build, key, value);
		return;
	}

	struct text tidy = TEXT_EMPTY;

	r->command->tidy(value, &tidy);
	put(r, build, key, text_string(&tidy));
	text_clear(&tidy);
}

static char *
read_input(size_t *length)
{
	struct text text = TEXT_EMPTY;
	ssize_t n;

	while ((n = read(STDIN_FILENO, text_reserve(&text, 65536),
	    65536)) > 0)
		text.length += (size_t)n;
	*length = text.length;
	return text_take(&text);
}

/* When a table was made, and where, in the form that NIS wants. */
static void
put_marks(const struct request *r, struct table_build *build)
{
	char *seconds = mem_printf("%lld", (long long)time(NULL));

	put(r, build, "@", "@");
	put(r, build, "YP_LAST_MODIFIED", seconds);
	put(r, build, "YP_MASTER_NAME", config.myhostname);
	free(seconds);
}

/* A table is as safe as its source: root does not write as root where another user owns the directory's files. */
static void
become_owner_of(const char *source)
{
	struct stat owner;

	if (geteuid() != 0 || stat(source, &owner) == -1 || owner.st_uid == 0)
		return;
	if (setegid(owner.st_gid) == -1 || seteuid(owner.st_uid) == -1)
		fatal("become the owner of %s: %m", source);
}

static void
become_root_again(void)
{
	if (getuid() == 0 && (seteuid(0) == -1 || setegid(getgid()) == -1))
		fatal("become root again: %m");
}

static int
do_build(const struct request *r, char **names)
{
	for (; *names != NULL; names++) {
		const char *path = strchr(*names, ':') + 1;
		const char *file = r->incremental ? "stdin" : path;
		struct lines lines;
		size_t length;
		char *text = r->incremental ? read_input(&length)
		    : file_read(path, SOURCE_LIMIT, &length), *line;

		if (text == NULL)
			fatal("open %s: %m", path);
		if (!r->as_root)
			become_owner_of(path);

		struct table_build *build = begin(*names, r->build_flags |
		    (r->incremental ? TABLE_BUILD_KEEP : 0));

		lines_open(&lines, text, length);
		while ((line = lines_next(&lines)) != NULL)
			put_line(r, build, file, lines.first, line);
		lines_close(&lines);
		if (r->command->marks && !r->incremental)
			put_marks(r, build);
		commit(&build);
		become_root_again();
		free(text);
	}
	return 0;
}

static void __attribute__((noreturn))
usage(const struct table_command *command)
{
	fatal("usage: %s [-bfhimNnoprsuUvw] [-c config_dir] [-d key] [-q key] "
	    "[map_type:]file...", command->name);
}

/* Gives the directory of the configuration; NULL: the usual one. */
static const char *
read_options(struct request *r, int argc, char **argv)
{
	const char *directory = NULL;
	int option;

	while ((option = getopt(argc, argv, "bc:d:fFhimnNopq:rsuUvw")) != -1) {
		switch (option) {
		case 'b':
			r->body = true;
			break;
		case 'h':
			r->headers = true;
			break;
		case 'm':
			r->parts = true;
			break;
		case 'c':
			directory = optarg;
			break;
		case 'd':
			r->deletion = optarg;
			break;
		case 'f':
			r->keep_case = true;
			break;
		case 'i':
			r->incremental = true;
			break;
		case 'N':
			r->build_flags &= ~TABLE_BUILD_NO_NUL;
			break;
		case 'n':
			r->build_flags |= TABLE_BUILD_NO_NUL;
			break;
		case 'o':
			r->as_root = true;
			break;
		case 'p':
			r->build_flags |= TABLE_BUILD_OWN_MODE;
			break;
		case 'q':
			r->query = optarg;
			break;
		case 'r':
			r->replace = true;
			break;
		case 's':
			r->list = true;
			break;
		case 'u': case 'U':	/* keys are bytes either way */
			break;
		case 'v':
			log_verbose++;
			break;
		case 'w':
			r->quiet = true;
			break;
		default:
			usage(r->command);
		}
	}
	if (optind == argc)
		usage(r->command);
	if ((r->query != NULL) + (r->deletion != NULL) + r->list > 1)
		fatal("specify only one of -q, -d and -s");
	if (r->parts && !r->headers && !r->body)
		log_warning("ignoring -m option without -b or -h");
	return directory;
}

int
table_command_run(const struct table_command *command, int argc, char **argv)
{
	struct request r = { .command = command };
	char **names;

	log_open_stderr(command->name);
	fatal_exit_code = 1;
	if (config_load(read_options(&r, argc, argv), NULL) == -1)
		fatal("the configuration has errors, see above");
	names = argv + optind;
	for (size_t i = 0; names[i] != NULL; i++)
		names[i] = full_name(names[i]);
	if (r.query != NULL)
		return do_query(&r, names);
	if (r.list)
		return do_list(&r, names);
	return r.deletion != NULL ? do_delete(&r, names) : do_build(&r, names);
}
