/*
 * postscreen's lines in master.cf: one smtpd does their work.
 *
 *	smtp      inet  n  -  y  -  1  postscreen
 *	smtpd     pass  -  -  y  -  -  smtpd
 *	dnsblog   unix  -  -  y  -  0  dnsblog
 *	tlsproxy  unix  -  -  y  -  0  tlsproxy
 */

#include "config/master_cf.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

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

void
master_cf_merge_screen(struct master_cf *cf)
{
	const struct master_entry *smtpd = find_smtpd(cf);

	for (size_t i = 0; i < cf->count; i++) {
		struct master_entry *entry = &cf->entries[i];

		if (strcmp(entry->program, "postscreen") == 0)
			become_smtpd(entry, smtpd);
		entry->is_merged = entry == smtpd ||
		    strcmp(entry->program, "dnsblog") == 0 ||
		    strcmp(entry->program, "tlsproxy") == 0;
	}
}
