/* postconf -b, -t: the words of notices */

#include "tools/shared/postconf.h"

#include <stdio.h>

#include "base/base.h"
#include "delivery/template.h"

static void
print_header(const char *name, const char *value)
{
	if (*value != '\0')
		printf("%s: %s\n", name, value);
}

static void
print_template(const struct template *template)
{
	printf("%s_template = <<EOF\n", template->name);
	print_header("Charset", template->charset);
	print_header("From", template->from);
	print_header("Subject", template->subject);
	print_header("Postmaster-Subject", template->postmaster_subject);
	printf("\n%sEOF\n", template->body);
}

static void
print_expanded(const struct template *template)
{
	struct text text = TEXT_EMPTY;

	template_expand(template, &text);
	printf("expanded_%s_text = <<EOF\n%sEOF\n", template->name,
	    text_string(&text));
	text_clear(&text);
}

int
postconf_templates(const char *file, bool expanded)
{
	struct pool *pool = pool_new(0);
	struct templates templates;

	templates_load(&templates, pool, file);
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		if (i > 0)
			putchar('\n');
		if (expanded)
			print_expanded(&templates.of[i]);
		else
			print_template(&templates.of[i]);
	}
	pool_free(&pool);
	return templates.mistakes > 0;
}
