/* print - named.conf in one form: a statement a line, blocks indented */

#include <string.h>

#include "named/conf.h"

static void
print_quoted(const char *text, FILE *to)
{
	putc('"', to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', to);
		putc(*text, to);
	}
	putc('"', to);
}

static void
indent(unsigned depth, FILE *to)
{
	for (unsigned i = 0; i < depth; i++)
		putc('\t', to);
}

static void
print_list(const struct conf_statement *list, unsigned depth, bool hide,
    FILE *to)
{
	for (const struct conf_statement *at = list; at != NULL;
	    at = at->next) {
		bool is_secret = hide && (conf_is(at, "secret") ||
		    conf_is(at, "cookie-secret"));

		indent(depth, to);
		for (const struct conf_item *item = at->items; item != NULL;
		    item = item->next) {
			const char *space = item->next != NULL &&
			    item->kind != CONF_NOT ? " " : "";

			if (item->kind == CONF_NOT)
				fputs("!", to);
			else if (item->kind == CONF_BLOCK) {
				fputs("{\n", to);
				print_list(item->block, depth + 1, hide, to);
				indent(depth, to);
				fputs("}", to);
			} else if (is_secret && item != at->items)
				fputs("\"????????????????\"", to);
			else if (item->kind == CONF_STRING)
				print_quoted(item->text, to);
			else
				fputs(item->text, to);
			fputs(space, to);
		}
		fputs(";\n", to);
	}
}

void
conf_print(const struct conf *conf, bool hide_secrets, FILE *to)
{
	print_list(conf->statements, 0, hide_secrets, to);
}
