/* A file of templates: any bytes leave four usable ones, each within what it was given. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "delivery/template.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
ignore_line(enum log_level level, const char *line)
{
}

/* Templates name parameters: there must be some. */
static void
start(void)
{
	char directory[] = "/tmp/template.XXXXXX", path[64];
	FILE *main_cf;

	if (mkdtemp(directory) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/main.cf", directory);
	if ((main_cf = fopen(path, "w")) == NULL)
		abort();
	fputs("compatibility_level = 3.6\nmyhostname = mail.example.org\n"
	    "inet_interfaces = 127.0.0.1\n", main_cf);
	fclose(main_cf);
	log_open_function(ignore_line);
	if (config_load(directory, NULL) == -1)
		abort();
	unlink(path);
	rmdir(directory);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static bool is_started;
	struct pool *pool = pool_new(8 << 20);
	struct templates templates;

	if (!is_started)
		start();
	is_started = true;
	templates_init(&templates);
	templates_parse(&templates, pool, (const char *)bytes, length, "bounce.cf");
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		const struct template *template = &templates.of[i];
		struct text text = TEXT_EMPTY;

		/* What was taken can be expanded, and headers are one line. */
		if (strcmp(template->subject, "") == 0 ||
		    strchr(template->subject, '\n') != NULL ||
		    strchr(template->from, '\n') != NULL ||
		    !template_expand(template, &text))
			abort();
		text_clear(&text);
	}
	pool_free(&pool);
	return 0;
}
