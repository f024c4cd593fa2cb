/*
 * expand - sender and recipients in standard form, as canonical.c has them, and virtual aliases
 *
 * What an address stands for is decided here, once: it is committed with the
 * message, so that a later change of the table, or a stop, changes nothing.
 * Of recipients that come to the same address one is kept, unless they were
 * different before, which X-Original-To tells apart (enable_original_recipient).
 */

#include "cleanup/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "rewrite/rewrite.h"
#include "table/asker.h"

static struct maps *virtual_maps;
static bool propagates;		/* user+ext that was found as user hands ext on */

/* Look-ups for one recipient, as a multiple of virtual_alias_expansion_limit: aliases may lead to the same ones over and over. */
#define STEPS_FACTOR	10

struct expansion {
	struct submission	*submission;
	struct envelope		*result;
	struct map		*seen;		/* "original\naddress", folded */
	const struct recipient	*from;		/* whose expansion this is */
	const char		*original;
	int64_t			 steps;		/* taken for it */
};

void
expand_open(void)
{
	copies_open();
	virtual_maps = maps_open("virtual_alias_maps", config.virtual_alias_maps);
	rewrite_open();
	canonical_open();
	propagates = rewrite_propagates("virtual");
}

/* user@domain with a dot inside is in standard form already; that saves a question for nearly all mail. */
static bool
is_standard(const char *address)
{
	const char *domain = address_domain(address);
	size_t length;

	if (*address == '@' || domain == NULL)
		return false;
	length = strlen(domain);
	return length > 0 && domain[length - 1] != '.' &&
	    (domain[0] == '[' || memchr(domain + 1, '.', length - 1) != NULL);
}

int
rewrite_internal(const char *context, const char *address, struct text *out)
{
	static int connection = -1;
	struct ipc_packet question = IPC_PACKET_EMPTY, answer = IPC_PACKET_EMPTY;
	struct ipc_rewritten rewritten;
	int result = -1;

	text_truncate(out, 0);
	if (*address == '\0' || is_standard(address)) {
		text_puts(out, address);
		return 0;
	}
	ipc_encode_rewrite(&question, 0, &(struct ipc_rewrite){
	    .context = context, .address = address });
	if (ipc_call(&connection, config.rewrite_service_name, &question,
	    &answer) == 0 && ipc_decode_rewritten(&answer, &rewritten) == 0) {
		text_puts(out, rewritten.address);
		result = 0;
	} else {
		log_warning("the %s service does not answer: %m",
		    config.rewrite_service_name);
	}
	ipc_packet_clear(&question);
	ipc_packet_clear(&answer);
	return result;
}

static void
out_of_memory(struct submission *submission)
{
	submission_refuse(submission, 452, "4.5.3",
	    "Error: too many recipients");
}

static void
add_recipient(struct expansion *expansion, const char *address)
{
	struct pool *pool = expansion->submission->pool;
	bool keeps_original = config.enable_original_recipient ||
	    (expansion->submission->envelope->flags & ENVELOPE_PROBE);
	const char *original = keeps_original ? expansion->original : "";
	char *key = text_lower(mem_printf("%s\n%s", original, address));
	const char *copy = NULL;
	struct recipient *recipient = NULL;

	if (map_get(expansion->seen, key) != NULL) {
		free(key);
		return;
	}
	map_set(expansion->seen, key, expansion);
	free(key);
	copy = pool_strdup(pool, address);
	if (copy != NULL)
		recipient = envelope_add_recipient(expansion->result, copy);
	if (recipient == NULL) {
		out_of_memory(expansion->submission);
		return;
	}
	recipient->dsn_orcpt = expansion->from->dsn_orcpt;
	recipient->dsn_notify = expansion->from->dsn_notify;
	recipient->original = strcmp(original, address) == 0 ? "" : original;
}

static void expand(struct expansion *expansion, const char *address, int depth);

static void
refuse_expansion(struct expansion *expansion, const char *what)
{
	if (table_is_asking())
		return;
	log_warning("%s: unreasonable virtual_alias_maps map %s for %s: look "
	    "for a loop", expansion->submission->id, what,
	    expansion->original);
	submission_refuse(expansion->submission, 451, "4.6.0",
	    "Alias expansion error");
}

/* Each address of a table's value, completed, is expanded in its turn. */
static void
expand_value(struct expansion *expansion, const char *address,
    const char *value, const char *extension, int depth)
{
	struct text whole = TEXT_EMPTY;
	struct address_list list = { .is_spaced = true };
	struct address_found found;

	rewrite_keep_user(value, address, extension, &whole);
	list.text = text_string(&whole);
	list.length = whole.length;
	while (expansion->submission->status == 0 &&
	    address_list_next(&list, &found)) {
		struct text next = TEXT_EMPTY;

		if (rewrite_internal("local", found.address, &next) == -1) {
			submission_refuse(expansion->submission, 451, "4.3.0",
			    "Error: address rewriting unavailable");
		} else if (next.length > 0) {
			if (propagates && *extension != '\0')
				rewrite_add_extension(&next, extension);
			if (next.length >
			    (size_t)config.virtual_alias_address_length_limit)
				refuse_expansion(expansion, "result length");
			/* What stands for itself, perhaps among others, is final. */
			if (strcasecmp(text_string(&next), address) == 0)
				add_recipient(expansion, text_string(&next));
			else
				expand(expansion, text_string(&next), depth + 1);
		}
		text_clear(&next);
	}
	text_clear(&whole);
}

static void
expand(struct expansion *expansion, const char *address, int depth)
{
	struct text extension = TEXT_EMPTY;
	char *value = NULL;
	struct submission *submission = expansion->submission;
	enum table_answer answer;

	if (depth > config.virtual_alias_recursion_limit ||
	    expansion->steps++ > (int64_t)STEPS_FACTOR *
	    config.virtual_alias_expansion_limit ||
	    expansion->result->recipient_count >
	    (size_t)config.virtual_alias_expansion_limit +
	    submission->envelope->recipient_count) {
		refuse_expansion(expansion, "expansion size");
		return;
	}
	answer = rewrite_look_up(virtual_maps, address, &value, &extension);
	if (answer == TABLE_ERROR)
		submission_refuse(submission, 451, "4.3.0",
		    "Error: alias table lookup problem");
	else if (answer == TABLE_NONE)
		add_recipient(expansion, address);
	else
		expand_value(expansion, address, value, text_string(&extension),
		    depth);
	free(value);
	text_clear(&extension);
}

/*
 * The alias at address became the recipients from first on. If its sender
 * wants to hear of success, that is one: it becomes a recipient of which qmgr
 * reports just that, and those that it stands for owe no report.
 */
static void
note_expansion(struct expansion *expansion, size_t first, const char *address)
{
	struct envelope *result = expansion->result;
	struct recipient *alias;

	if (!(expansion->from->dsn_notify & DSN_NOTIFY_SUCCESS) ||
	    expansion->submission->status != 0 ||
	    result->recipient_count == first ||
	    (result->recipient_count == first + 1 &&
	    strcasecmp(result->recipients[first].address, address) == 0))
		return;
	for (size_t i = first; i < result->recipient_count; i++)
		result->recipients[i].dsn_notify = envelope_notify_expanded(
		    result->recipients[i].dsn_notify);
	alias = envelope_add_recipient(result, expansion->original);
	if (alias == NULL) {
		out_of_memory(expansion->submission);
		return;
	}
	alias->expanded = expansion->original;
	alias->dsn_orcpt = expansion->from->dsn_orcpt;
	alias->dsn_notify = DSN_NOTIFY_SUCCESS;
}

/* address is in standard form; from says where it comes from, and what was asked for. */
static void
expand_recipient(struct expansion *expansion, const struct recipient *from,
    const char *address)
{
	struct submission *submission = expansion->submission;
	size_t first = expansion->result->recipient_count;

	expansion->from = from;
	expansion->steps = 0;
	expansion->original = *from->original != '\0' ? from->original :
	    *from->address != '\0' ? from->address :
	    pool_strdup(submission->pool, address);
	if (expansion->original == NULL)
		out_of_memory(submission);
	else if (maps_are_empty(virtual_maps) ||
	    (submission->envelope->flags & ENVELOPE_NO_EXPAND))
		add_recipient(expansion, address);
	else
		expand(expansion, address, 0);
	note_expansion(expansion, first, address);
}

static bool
complete(struct submission *submission, const char *address, int class,
    struct text *out)
{
	if (rewrite_internal("local", address, out) == 0)
		return canonical_rewrite(submission, class, out) == 0;
	submission_refuse(submission, 451, "4.3.0",
	    "Error: address rewriting unavailable");
	return false;
}

/* Blind copies: further recipients, whose failure is not told to the sender. */
static void
add_copies(struct expansion *expansion, enum table_answer answer,
    const char *copies)
{
	struct recipient copy = { .address = "", .original = "",
	    .dsn_orcpt = "", .expanded = "", .dsn_notify = DSN_NOTIFY_NEVER };
	struct address_list list = { .text = copies, .is_spaced = true };
	struct address_found found;
	struct text address = TEXT_EMPTY;

	if (answer == TABLE_ERROR)
		submission_refuse(expansion->submission, 451, "4.3.0",
		    "Error: bcc table lookup problem");
	if (answer != TABLE_FOUND)
		return;
	list.length = strlen(copies);
	while (address_list_next(&list, &found) &&
	    complete(expansion->submission, found.address,
	    REWRITE_ENVELOPE_RECIPIENT, &address)) {
		copy.address = pool_strdup(expansion->submission->pool,
		    found.address);
		if (copy.address == NULL)
			out_of_memory(expansion->submission);
		else if (address.length > 0)
			expand_recipient(expansion, &copy,
			    text_string(&address));
	}
	text_clear(&address);
}

static void
take_recipient(struct expansion *expansion, const struct recipient *recipient)
{
	struct submission *submission = expansion->submission;
	struct text address = TEXT_EMPTY;
	enum table_answer answer = TABLE_NONE;
	char *copies = NULL;

	if (complete(submission, recipient->address,
	    REWRITE_ENVELOPE_RECIPIENT, &address)) {
		expand_recipient(expansion, recipient, text_string(&address));
		if (copies_are_wanted(submission->envelope))
			answer = copies_of_recipient(text_string(&address),
			    &copies);
	}
	add_copies(expansion, answer, copies);
	free(copies);
	text_clear(&address);
}

/* Nobody is called so: a notice that has lost its null sender. */
static bool
is_mailer_daemon(const char *sender)
{
	static const char name[] = "MAILER-DAEMON";
	const char *domain = address_domain(sender);

	return address_localpart_length(sender) == strlen(name) &&
	    strncasecmp(sender, name, strlen(name)) == 0 && (domain == NULL ||
	    strcasecmp(domain, config.myorigin) == 0);
}

static void
complete_sender(struct submission *submission)
{
	struct text sender = TEXT_EMPTY;
	struct envelope *envelope = submission->envelope;

	if (complete(submission, is_mailer_daemon(envelope->sender) ? "" :
	    envelope->sender, REWRITE_ENVELOPE_SENDER, &sender))
		envelope->sender = pool_strdup(submission->pool,
		    text_string(&sender));
	text_clear(&sender);
	if (envelope->sender == NULL)
		out_of_memory(submission);
}

/* In Postfix's order: the sender's copy, each recipient and his, what always gets one. */
static void
expand_all(struct expansion *expansion)
{
	struct submission *submission = expansion->submission;
	const struct envelope *envelope = submission->envelope;
	bool with_copies = submission->status == 0 &&
	    copies_are_wanted(envelope);
	enum table_answer answer = TABLE_NONE;
	char *copies = NULL;

	if (with_copies)
		answer = copies_of_sender(envelope->sender, &copies);
	add_copies(expansion, answer, copies);
	free(copies);
	for (size_t i = 0; i < envelope->recipient_count &&
	    submission->status == 0; i++)
		take_recipient(expansion, &envelope->recipients[i]);
	if (with_copies && *config.always_bcc != '\0')
		add_copies(expansion, TABLE_FOUND, config.always_bcc);
}

void
expand_envelope(struct submission *submission)
{
	struct expansion expansion = { .submission = submission };
	struct envelope *envelope = submission->envelope;

	if (submission->status != 0)
		return;
	complete_sender(submission);
	expansion.result = envelope_new(submission->pool);
	expansion.seen = map_new();
	if (expansion.result == NULL)
		out_of_memory(submission);
	else
		expand_all(&expansion);
	map_free(&expansion.seen, NULL);
	if (submission->status != 0)
		return;
	envelope->recipients = expansion.result->recipients;
	envelope->recipient_count = expansion.result->recipient_count;
	envelope->recipient_room = expansion.result->recipient_room;
}

void
expand_copy(struct submission *submission, const char *address)
{
	struct expansion expansion = { .submission = submission,
	    .result = submission->envelope, .seen = map_new() };

	/* Only this recipient is expanded: the envelope stands for all before. */
	add_copies(&expansion, TABLE_FOUND, address);
	map_free(&expansion.seen, NULL);
}

void
expand_redirect(struct submission *submission)
{
	struct envelope *envelope = submission->envelope;
	struct text address = TEXT_EMPTY;
	const char *copy = NULL;

	if (submission->status == 0 &&
	    complete(submission, submission->redirect, 0, &address))
		copy = pool_strdup(submission->pool, text_string(&address));
	envelope->recipient_count = 0;
	if (submission->status == 0 && (copy == NULL ||
	    envelope_add_recipient(envelope, copy) == NULL))
		out_of_memory(submission);
	/* Who is redirected gets what came: no filter sees it. */
	envelope->filter = "";
	text_clear(&address);
}
