/* A .forward file or an alias's value: any bytes are members, or a decision; nothing has more than its limit. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "local/local.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
ignore_line(enum log_level level, const char *line)
{
}

/* A configuration in which ada@example.org is local, and no alias exists. */
static void
start(void)
{
	char directory[] = "/tmp/local-list.XXXXXX", path[64];
	FILE *main_cf;

	if (mkdtemp(directory) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/main.cf", directory);
	if ((main_cf = fopen(path, "w")) == NULL)
		abort();
	fputs("compatibility_level = 3.6\nmyhostname = mail.example.org\n"
	    "mydestination = example.org\nmyorigin = example.org\nalias_maps =\n"
	    "default_privs = root\ninet_interfaces = 127.0.0.1\n", main_cf);
	fclose(main_cf);
	log_open_function(ignore_line);
	if (config_load(directory, NULL) == -1)
		abort();
	unlink(path);
	rmdir(directory);
	expand_start();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static bool is_started;
	struct delivery_request request = { .content = "" };
	struct recipient recipient = { .address = "ada@example.org", .original = "" };
	struct plan plan;

	if (!is_started)
		start();
	is_started = true;
	request.pool = pool_new(8 << 20);
	plan_recipient(&plan, &request, &recipient);	/* unknown user: a decision */
	plan.is_decided = false;

	char *text = mem_strndup((const char *)bytes, length);

	expand_text(&plan, text, "list");
	if (plan.forward_count > 1000
	    || (plan.target_count > 1000 && !plan.is_decided))
		abort();
	free(text);
	plan_clear(&plan);
	pool_free(&request.pool);
	return 0;
}
