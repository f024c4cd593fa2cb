#include "table/rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "config/lines.h"
#include "config/values.h"

#define TEXT_LIMIT	(64 * 1024 * 1024)
#define DEPTH_MAX	100	/* IFs within one another */

struct rules {
	const struct rule_dialect *dialect;
	const struct table	*table;
	struct rule		*list;
	size_t			 count;
	size_t			 open[DEPTH_MAX];	/* IFs without an ENDIF yet */
	size_t			 depth;
	int			 line;
};

void
rules_warn(const struct rules *rules, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	log_warning("%s map %s, line %d: %s", rules->table->backend->type,
	    rules->table->path, rules->line, text_string(&text));
	text_clear(&text);
}

static char *
skip_space(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

char *
rules_cut_pattern(struct rules *rules, char **text, char **flags)
{
	char *at = *text, delimiter = *at, *pattern;

	if (delimiter == '\0') {
		rules_warn(rules, "no regexp: skipping this rule");
		return NULL;
	}
	pattern = ++at;
	while (*at != '\0' && *at != delimiter)
		at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
	if (*at == '\0') {
		rules_warn(rules, "no closing regexp delimiter \"%c\": "
		    "skipping this rule", delimiter);
		return NULL;
	}
	*at++ = '\0';
	*flags = at;
	while (*at != '\0' && !isspace((unsigned char)*at))
		at++;
	if (*at != '\0')
		*at++ = '\0';
	*text = skip_space(at);
	return pattern;
}

bool
rules_read_flags(struct rules *rules, const char *letters,
    const struct rule_flag *known, size_t count, uint32_t *bits)
{
	for (; *letters != '\0'; letters++) {
		size_t i = 0;

		while (i < count && known[i].letter != *letters)
			i++;
		if (i == count) {
			rules_warn(rules, "unknown regexp option \"%c\": "
			    "skipping this rule", *letters);
			return false;
		}
		*bits ^= known[i].bit;
	}
	return true;
}

/* Results: text with $1, ${1}, $(1), and $$ for a dollar. */

struct piece {
	enum { PIECE_TEXT, PIECE_CAPTURE, PIECE_WRONG } kind;
	const char	*text;		/* or the name, in a capture */
	size_t		 length;
	size_t		 index;		/* of a capture */
	const char	*wrong;
};

static void
read_name(const char **at, struct piece *piece)
{
	const char *p = *at;
	char closer = *p == '(' ? ')' : *p == '{' ? '}' : '\0';

	if (closer != '\0') {
		const char *end = strchr(++p, closer);

		if (end == NULL) {
			piece->kind = PIECE_WRONG;
			piece->wrong = "truncated macro reference";
			return;
		}
		piece->length = (size_t)(end - p);
		*at = end + 1;
	} else {
		while (isalnum((unsigned char)p[piece->length]) ||
		    p[piece->length] == '_')
			piece->length++;
		*at = p + piece->length;
	}
	piece->text = p;
	piece->kind = PIECE_CAPTURE;
	if (piece->length == 0) {
		piece->kind = PIECE_WRONG;
		piece->wrong = "empty macro name";
		return;
	}
	for (size_t i = 0; i < piece->length; i++) {
		if (!isdigit((unsigned char)p[i])) {
			piece->kind = PIECE_WRONG;
			piece->wrong = "non-numeric replacement index";
			return;
		}
		if (piece->index < CAPTURES_MAX)
			piece->index = piece->index * 10 + (size_t)(p[i] - '0');
	}
}

/* The next piece of a result; false at its end. */
static bool
next_piece(const char **at, struct piece *piece)
{
	const char *p = *at;

	*piece = (struct piece){ .kind = PIECE_TEXT, .text = p };
	if (*p == '\0')
		return false;
	if (p[0] == '$' && p[1] == '$') {
		piece->length = 1;
		*at = p + 2;
	} else if (p[0] == '$') {
		*at = p + 1;
		read_name(at, piece);
	} else {
		piece->length = strcspn(p, "$");
		*at = p + piece->length;
	}
	return true;
}

/* A mistake in a result is found when it is read. */
static bool
check_result(struct rules *rules, struct rule *rule)
{
	const char *at = rule->result;
	size_t groups = rules->dialect->groups(rule->pattern);
	struct piece piece;

	rule->substitutes = strchr(at, '$') != NULL;
	while (next_piece(&at, &piece)) {
		if (piece.kind == PIECE_TEXT)
			continue;
		if (piece.kind == PIECE_WRONG) {
			rules_warn(rules, "%s in \"%s\": bad replacement "
			    "syntax: skipping this rule", piece.wrong,
			    rule->result);
			return false;
		}
		if (rules->table->flags & TABLE_NO_SUBSTITUTION) {
			rules_warn(rules, "regular expression substitution is "
			    "not allowed: skipping this rule");
			return false;
		}
		if (rule->negated) {
			rules_warn(rules, "$number found in negative match "
			    "replacement text: skipping this rule");
			return false;
		}
		if (piece.index < 1 || piece.index > groups ||
		    piece.index >= CAPTURES_MAX) {
			rules_warn(rules, "out of range replacement index "
			    "\"%.*s\": skipping this rule", (int)piece.length,
			    piece.text);
			return false;
		}
	}
	return true;
}

static void
expand(struct text *to, const struct rule *rule,
    const struct rule_subject *subject)
{
	const char *at = rule->result;
	struct piece piece;

	while (next_piece(&at, &piece)) {
		const struct capture *c = &subject->captures[piece.index];

		if (piece.kind == PIECE_TEXT)
			text_append(to, piece.text, piece.length);
		else if (piece.index < subject->capture_count &&
		    c->end >= c->start)
			text_append(to, subject->key + c->start,
			    c->end - c->start);
	}
}

/* Reading. */

static struct rule *
add(struct rules *rules, const struct rule *rule)
{
	rules->list = mem_resize(rules->list, rules->count + 1,
	    sizeof(*rules->list));
	rules->list[rules->count] = *rule;
	return &rules->list[rules->count++];
}

static bool
compile(struct rules *rules, struct rule *rule, char **text)
{
	while (**text == '!') {
		rule->negated = !rule->negated;
		*text = skip_space(*text + 1);
	}
	rule->pattern = rules->dialect->compile(rules, rule, text);
	return rule->pattern != NULL;
}

static void
add_if(struct rules *rules, char *text)
{
	struct rule rule = { .kind = RULE_IF, .line = rules->line };

	text = skip_space(text);
	if (!compile(rules, &rule, &text))
		return;
	if (*text != '\0') {
		rules_warn(rules, "ignoring extra text after IF statement: "
		    "\"%s\"", text);
		rules_warn(rules, "do not prepend whitespace to statements "
		    "between IF and ENDIF");
	}
	if (rules->depth == DEPTH_MAX) {
		rules_warn(rules, "too many IFs within one another: "
		    "skipping this rule");
		rules->dialect->release(rule.pattern);
		return;
	}
	rules->open[rules->depth++] = rules->count;
	add(rules, &rule);
}

static void
add_endif(struct rules *rules, const char *rest)
{
	if (rules->depth == 0) {
		rules_warn(rules, "ENDIF without IF: skipping this rule");
		return;
	}
	if (*rest != '\0')
		rules_warn(rules, "ignoring extra text after ENDIF");
	rules->list[rules->open[--rules->depth]].past = rules->count;
}

static void
add_match(struct rules *rules, char *text)
{
	struct rule rule = { .kind = RULE_MATCH, .line = rules->line };
	bool takes_groups = rules->dialect->groups != NULL;

	if (!compile(rules, &rule, &text))
		return;
	rule.result = mem_strdup(text);
	if (*text == '\0' && takes_groups)
		rules_warn(rules, "no replacement text: using empty string");
	else if (*text == '\0')
		rules_warn(rules, "no lookup result: skipping this rule");
	if ((takes_groups && check_result(rules, &rule)) ||
	    (!takes_groups && *text != '\0'))
		add(rules, &rule);
	else {
		rules->dialect->release(rule.pattern);
		free(rule.result);
	}
}

static bool
is_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	return strncasecmp(text, word, length) == 0 &&
	    !isalnum((unsigned char)text[length]);
}

static void
add_line(struct rules *rules, char *line)
{
	char *text = text_trim(line);

	if (is_word(text, "IF"))
		add_if(rules, text + 2);
	else if (is_word(text, "ENDIF"))
		add_endif(rules, skip_space(text + 5));
	else if (rules->dialect->groups != NULL &&
	    isalnum((unsigned char)*text))
		rules_warn(rules, "ignoring unrecognized request");
	else
		add_match(rules, text);
}

static int
read_file(struct rules *rules, struct text *why)
{
	struct lines lines;
	size_t length;
	char *text = file_read(rules->table->path, TEXT_LIMIT, &length), *line;

	if (text == NULL) {
		text_printf(why, "open %s: %s", rules->table->path,
		    strerror(errno));
		return -1;
	}
	lines_open(&lines, text, length);
	while ((line = lines_next(&lines)) != NULL) {
		rules->line = lines.first;
		add_line(rules, line);
	}
	lines_close(&lines);
	free(text);
	return 0;
}

/* "{ {/pattern/ result}, {/pattern/ result} }": what would be a line has braces. */
static int
read_inline(struct rules *rules, struct text *why)
{
	char *copy = mem_strdup(rules->table->path), *cursor, *word, *line;
	const char *wrong = table_open_braces(copy, &cursor);

	while (wrong == NULL && (word = config_word(&cursor, &wrong)) != NULL)
		if (wrong == NULL &&
		    (wrong = table_open_braces(word, &line)) == NULL) {
			rules->line++;
			add_line(rules, line);
		}
	free(copy);
	if (wrong == NULL)
		return 0;
	text_puts(why, wrong);
	return -1;
}

int
rules_open(struct table *table, const struct rule_dialect *dialect)
{
	struct rules *rules = mem_zalloc(1, sizeof(*rules));

	rules->dialect = dialect;
	rules->table = table;
	table->handle = rules;
	if ((*table->path == '{' ? read_inline : read_file)(rules,
	    &table->why) == -1) {
		rules_close(table);
		table->handle = NULL;
		return -1;
	}
	while (rules->depth > 0) {
		struct rule *open = &rules->list[rules->open[--rules->depth]];

		rules->line = open->line;
		rules_warn(rules, "IF has no matching ENDIF");
		open->past = rules->count;
	}
	return 0;
}

enum table_answer
rules_get(struct table *table, const char *key)
{
	const struct rules *rules = table->handle;
	struct rule_subject subject;
	size_t at = 0;

	subject.key = key;
	subject.length = strlen(key);
	subject.failed = NULL;
	subject.is_address = rules->dialect->groups == NULL &&
	    network_from_text(key, &subject.address);
	while (at < rules->count) {
		const struct rule *rule = &rules->list[at];
		bool fits = rules->dialect->fits(rule, &subject);

		if (subject.failed != NULL) {
			text_printf(&table->why, "line %d: %s", rule->line,
			    subject.failed);
			return TABLE_ERROR;
		}
		if (fits && rule->kind == RULE_MATCH) {
			table->line = rule->line;
			if (rule->substitutes)
				expand(&table->value, rule, &subject);
			else
				text_puts(&table->value, rule->result);
			return TABLE_FOUND;
		}
		at = rule->kind == RULE_IF && !fits ? rule->past : at + 1;
	}
	return TABLE_NONE;
}

void
rules_close(struct table *table)
{
	struct rules *rules = table->handle;

	for (size_t i = 0; i < rules->count; i++) {
		rules->dialect->release(rules->list[i].pattern);
		free(rules->list[i].result);
	}
	free(rules->list);
	free(rules);
}
