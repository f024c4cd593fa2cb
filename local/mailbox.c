/* mailbox - Maildir, mbox and /file: where, with whose rights, and what to say of it */

#include "local/local.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"

void
delivery_headers(struct text *headers, const struct delivery_request *request,
    const struct recipient *recipient)
{
	text_puts(headers, "Return-Path: <");
	address_quote(headers, request->envelope->sender);
	text_puts(headers, ">\n");
	if (config.enable_original_recipient) {
		text_puts(headers, "X-Original-To: ");
		address_quote(headers, recipient->original[0] != '\0'
		    ? recipient->original : recipient->address);
		text_putc(headers, '\n');
	}
	text_puts(headers, "Delivered-To: ");
	address_quote(headers, recipient->address);
	text_putc(headers, '\n');
}

void
mailbox_place(struct mailbox_place *place, const struct user *user,
    struct pool *pool)
{
	if (config.home_mailbox[0] != '\0') {
		place->root = user->home;
		place->path = config.home_mailbox;
		place->is_spool = false;
		place->is_maildir = text_ends_with(config.home_mailbox, "/");
		return;
	}
	place->is_spool = true;
	place->root = config.mail_spool_directory;
	place->is_maildir = text_ends_with(config.mail_spool_directory, "/");
	place->path = pool_printf(pool, "%s%s", user->name,
	    place->is_maildir ? "/" : "");
}

/* A full disk or quota is the weather; so is everything else that a mailbox may suffer from. */
static const char *
dsn_of_error(int error)
{
	return error == ENOSPC || error == EDQUOT ? "4.2.2" : "4.2.0";
}

void
maildir_decide(struct plan *plan, const struct mailbox_delivery *done)
{
	if (done->why != NULL)
		plan_decide(plan, DELIVERY_DEFERRED, dsn_of_error(done->error),
		    "maildir delivery failed: cannot %s %s/%s: %s", done->why,
		    done->root, done->path, strerror(done->error));
}

static void
deliver_maildir(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, const struct user *user,
    const char *root, const char *path)
{
	struct text headers = TEXT_EMPTY;
	char name[MAILBOX_NAME_SIZE];

	delivery_headers(&headers, request, recipient);
	mailbox_unique_name(name, request->envelope->unique, (unsigned int)recipient->number,
	    config.myhostname);

	struct iovec pieces[] = {
		{ headers.bytes, headers.length },
		{ (char *)(uintptr_t)request->content, request->content_length },
	};
	struct mailbox_delivery delivery = {
		.root = root, .path = path, .name = name,
		.content = { pieces, 2, -1, 0, 0 },
		.perhaps_delivered = request->perhaps_delivered,
	};

	become(user);
	mailbox_maildir_deliver(&delivery, 1);
	become(NULL);
	maildir_decide(plan, &delivery);
	text_clear(&headers);
}

/*
 * Rights for a mailbox in the spool directory, as Postfix has them: the
 * recipient's if everybody may write there, with the directory's group if that
 * may; else root's, and a new mailbox is given to the recipient.
 */
static struct user
spool_rights(const struct user *user, const char *spool, bool *is_root)
{
	struct user rights = *user;
	struct stat st;

	*is_root = false;
	if (getuid() != 0 || stat(spool, &st) == -1 || (st.st_mode & S_IWOTH))
		return rights;
	if (st.st_mode & S_IWGRP) {
		rights.gid = st.st_gid;
		return rights;
	}
	*is_root = true;
	return rights;
}

static bool
deliver_mbox(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, const struct user *user,
    struct mailbox_append *append, bool may_wait)
{
	struct text headers = TEXT_EMPTY, from = TEXT_EMPTY;
	time_t arrived = (time_t)(request->envelope->arrival_us / 1000000);
	char date[32];
	const char *why;

	delivery_headers(&headers, request, recipient);
	text_puts(&from, "From ");
	if (request->envelope->sender[0] == '\0')
		text_puts(&from, "MAILER-DAEMON");
	else
		address_quote(&from, request->envelope->sender);
	text_printf(&from, "  %.24s", asctime_r(localtime(&arrived),
	    date));

	struct iovec pieces[] = {
		{ headers.bytes, headers.length },
		{ (char *)(uintptr_t)request->content, request->content_length },
	};

	append->from_line = text_string(&from);
	append->content = (struct mailbox_content) { pieces, 2, -1, 0, 0 };
	append->limit = config.mailbox_size_limit;
	append->lock = (struct mailbox_lock) {
		mailbox_lock_kinds(config.mailbox_delivery_lock),
		may_wait ? config.deliver_lock_attempts : 1,
		config.deliver_lock_delay, config.stale_lock_time,
	};
	/* Also when this recipient's other deliveries failed the last time. */
	append->perhaps_delivered = request->perhaps_delivered
	    || plan->target_count + plan->forward_count > 1;
	become(user);

	int result = mailbox_mbox_append(append, &why);
	int error = errno;

	become(NULL);
	text_clear(&headers);
	text_clear(&from);
	if (result == -1 && error == EAGAIN && !may_wait)
		return false;
	if (result == -1)
		plan_decide(plan, error == EFBIG ? DELIVERY_BOUNCED : DELIVERY_DEFERRED,
		    error == EFBIG ? "5.2.2" : dsn_of_error(error),
		    "cannot update mailbox %s/%s for user %s. cannot %s: %s",
		    append->root, append->path, plan->name, why, strerror(error));
	return true;
}

static bool
deliver_mailbox(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, const struct user *user, bool may_wait)
{
	struct mailbox_place place;
	bool is_root = false;

	mailbox_place(&place, user, plan->pool);
	if (place.is_maildir) {
		deliver_maildir(plan, request, recipient, user, place.root, place.path);
		return true;
	}

	struct user rights = place.is_spool ? spool_rights(user, place.root, &is_root)
	    : *user;
	struct mailbox_append append = {
		.root = place.root, .path = place.path,
		.owner = getuid() == 0 && config.strict_mailbox_ownership
		    ? user->uid : (uid_t)-1,
		.group = rights.gid, .is_root = is_root,
	};

	if (is_root)
		append.owner = user->uid;
	return deliver_mbox(plan, request, recipient, is_root ? NULL : &rights,
	    &append, may_wait);
}

/* An absolute path as the directory that must exist and the name in it, a '/' at its end kept. */
static void
split_path(struct pool *pool, const char *path, const char **directory,
    const char **name)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	while (length > 1 && path[length - 1] != '/')
		length--;
	*directory = pool_strndup(pool, path, length);
	*name = path + length;
}

static bool
deliver_file(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, const struct target *target, bool may_wait)
{
	struct mailbox_append append = {
		.owner = (uid_t)-1, .group = target->user->gid,
	};

	if (strcmp(target->what, "/dev/null") == 0)
		return true;
	split_path(plan->pool, target->what, &append.root, &append.path);
	if (!text_ends_with(append.path, "/"))
		return deliver_mbox(plan, request, recipient, target->user,
		    &append, may_wait);
	deliver_maildir(plan, request, recipient, target->user, append.root,
	    append.path);
	return true;
}

bool
deliver_target(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, const struct target *target,
    bool may_wait)
{
	return target->kind == TARGET_MAILBOX
	    ? deliver_mailbox(plan, request, recipient, target->user, may_wait)
	    : deliver_file(plan, request, recipient, target, may_wait);
}
