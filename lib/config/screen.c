/*
 * postscreen's lines in master.cf: one smtpd does their work.
 *
 *	smtp      inet  n  -  y  -  1  postscreen
 *	smtpd     pass  -  -  y  -  -  smtpd
 *	dnsblog   unix  -  -  y  -  0  dnsblog
 *	tlsproxy  unix  -  -  y  -  0  tlsproxy
 *
 * And postscreen(8) remembers for it who has passed:
 *
 *	postscreen unix -  -  n  -  1  postscreen
 */

#include "config/master_cf.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "screen/screen.h"

static const struct master_entry *
find_smtpd(const struct master_cf *cf)
{
	for (size_t i = 0; i < cf->count; i++)
		if (cf->entries[i].type == MASTER_PASS &&
		    strcmp(cf->entries[i].program, "smtpd") == 0)
			return &cf->entries[i];
	return NULL;
}

/* Its own -o come last, so that they win. */
static void
put_before(struct master_entry *entry, const struct master_entry *other)
{
	size_t count = other->argument_count + entry->argument_count;
	char **arguments = mem_zalloc(count + 1, sizeof(*arguments));

	for (size_t i = 0; i < other->argument_count; i++)
		arguments[i] = mem_strdup(other->arguments[i]);
	for (size_t i = 0; i < entry->argument_count; i++)
		arguments[other->argument_count + i] = entry->arguments[i];
	free(entry->arguments);
	entry->arguments = arguments;
	entry->argument_count = count;
}

static const struct master_entry screening = {
	.arguments = (char *[]){ (char []){ "-o" },
	    (char []){ "smtpd_screening=yes" }, NULL },
	.argument_count = 2,
};

static void
become_smtpd(struct master_entry *entry, const struct master_entry *smtpd)
{
	free(entry->program);
	entry->program = mem_strdup("smtpd");
	entry->process_limit = -1;
	put_before(entry, &screening);
	if (smtpd == NULL)
		return;
	entry->process_limit = smtpd->process_limit;
	put_before(entry, smtpd);
}

/* Its row, for the sites whose master.cf is Postfix's; with the -o of the line that asks for tests. */
static void
add_memory(struct master_cf *cf, const struct master_entry *asking)
{
	static const char *const columns[MASTER_COLUMNS] = { SCREEN_SERVICE,
	    "unix", "-", "-", "n", "-", "1" };
	struct master_entry memory = { .type = MASTER_UNIX,
	    .is_private = true, .unprivileged = true, .process_limit = 1,
	    .line = asking->line };

	for (size_t i = 0; i < MASTER_COLUMNS; i++)
		memory.columns[i] = mem_strdup(columns[i]);
	memory.name = mem_strdup(SCREEN_SERVICE);
	memory.program = mem_strdup("postscreen");
	memory.arguments = mem_zalloc(1, sizeof(*memory.arguments));
	put_before(&memory, asking);
	cf->entries = mem_resize(cf->entries, cf->count + 1,
	    sizeof(*cf->entries));
	cf->entries[cf->count++] = memory;
}

static bool
is_screen(const struct master_entry *entry)
{
	return entry->type == MASTER_INET &&
	    strcmp(entry->program, "postscreen") == 0;
}

static bool
has_memory(const struct master_cf *cf)
{
	for (size_t i = 0; i < cf->count; i++)
		if (cf->entries[i].type == MASTER_UNIX &&
		    strcmp(cf->entries[i].name, SCREEN_SERVICE) == 0)
			return true;
	return false;
}

void
master_cf_merge_screen(struct master_cf *cf)
{
	for (size_t i = 0; i < cf->count && !has_memory(cf); i++)
		if (is_screen(&cf->entries[i]))
			add_memory(cf, &cf->entries[i]);

	const struct master_entry *smtpd = find_smtpd(cf);

	for (size_t i = 0; i < cf->count; i++) {
		struct master_entry *entry = &cf->entries[i];

		if (is_screen(entry))
			become_smtpd(entry, smtpd);
		entry->is_merged = entry == smtpd ||
		    strcmp(entry->program, "dnsblog") == 0 ||
		    strcmp(entry->program, "tlsproxy") == 0;
	}
}
