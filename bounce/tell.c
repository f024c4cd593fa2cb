/*
 * tell - who hears of it
 *
 * The sender, of what he did not ask to be spared (RFC 3461 section 4.1); the
 * postmaster, if notify_classes says so. A notice that comes back is the
 * postmaster's alone, and what comes back from there is nobody's.
 */

#include "bounce/bounce.h"

#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/classes.h"

static const struct {
	int		 notify;	/* who asked for one kind is told of that alone; 0: he is told in any case */
	bool		 by_default;	/* who asked for nothing is told */
	bool		 returns_whole;
	unsigned int	 class;		/* of the postmaster's copy; 0: there is none */
	const char	**postmaster;
} kinds[] = {
	[NOTICE_FAILURE] = { DSN_NOTIFY_FAILURE, true, true, NOTIFY_BOUNCE,
	    &config.bounce_notice_recipient },
	[NOTICE_DELAY] = { DSN_NOTIFY_DELAY, true, false, NOTIFY_DELAY,
	    &config.delay_notice_recipient },
	[NOTICE_SUCCESS] = { DSN_NOTIFY_SUCCESS, false, false, 0, NULL },
	[NOTICE_TRACE] = { 0, true, false, 0, NULL },
	[NOTICE_VERIFY] = { 0, true, false, 0, NULL },
};

/* Is it this kind of notice that tells of this result? */
static bool
belongs(const struct notice *notice, const struct delivery_result *result)
{
	switch (notice->kind) {
	case NOTICE_FAILURE:
		return result->status == DELIVERY_BOUNCED ||
		    (notice->is_expired && result->status == DELIVERY_DEFERRED);
	case NOTICE_DELAY:
		return result->status == DELIVERY_DEFERRED;
	case NOTICE_SUCCESS:
		return result->status == DELIVERY_SENT;
	default:
		return true;
	}
}

static bool
is_wanted(const struct notice *notice, const struct delivery_result *result)
{
	int64_t notify =
	    notice->envelope->recipients[result->number].dsn_notify;
	int asked = kinds[notice->kind].notify;

	return asked == 0 || (notify == 0 ? kinds[notice->kind].by_default :
	    (notify & asked) != 0);
}

/* The sender hears of what he wants, the postmaster of all. False if there is nothing to hear. */
static bool
choose_results(struct letter *letter)
{
	const struct notice *notice = letter->notice;

	letter->count = 0;
	letter->results = pool_alloc(notice->pool,
	    (notice->count + 1) * sizeof(*letter->results));
	for (size_t i = 0; letter->results != NULL && i < notice->count; i++) {
		const struct delivery_result *result = &notice->results[i];

		if (belongs(notice, result) &&
		    (letter->to_postmaster || is_wanted(notice, result)))
			letter->results[letter->count++] = result;
	}
	return letter->count > 0;
}

static bool
is_double_bounce(const char *address)
{
	const char *domain = address_domain(address);
	size_t length = address_localpart_length(address);

	return domain != NULL && strcasecmp(domain, config.myhostname) == 0 &&
	    length == strlen(config.double_bounce_sender) &&
	    strncasecmp(address, config.double_bounce_sender, length) == 0;
}

/* A notice that could not be delivered: the postmaster's, whole, if he wants it. */
static size_t
tell_postmaster_alone(struct notice *notice, struct letter *letter)
{
	if (notice->kind != NOTICE_FAILURE ||
	    !(notify_classes() & NOTIFY_2BOUNCE)) {
		if (notice->kind == NOTICE_FAILURE)
			log_info("%s: a notice that cannot be delivered, "
			    "dropped: no notice is sent about a notice",
			    notice->envelope->queue_id);
		return 0;
	}
	*letter = (struct letter){ .notice = notice, .to_postmaster = true,
	    .to = config._2bounce_notice_recipient, .returns_whole = true };
	return choose_results(letter);
}

size_t
notice_letters(struct notice *notice, struct letter letters[LETTERS_MAX])
{
	const char *sender = notice->envelope->sender;
	size_t count = 0;

	if (is_double_bounce(sender)) {
		if (notice->kind == NOTICE_FAILURE)
			log_warning("%s: undeliverable postmaster notification discarded",
			    notice->envelope->queue_id);
		return 0;
	}
	if (*sender == '\0')
		return tell_postmaster_alone(notice, letters);
	letters[count] = (struct letter){ .notice = notice, .to = sender,
	    .returns_whole = kinds[notice->kind].returns_whole &&
	    notice->envelope->dsn_ret != DSN_RET_HDRS };
	count += choose_results(&letters[count]);
	if (!(notify_classes() & kinds[notice->kind].class))
		return count;
	letters[count] = (struct letter){ .notice = notice,
	    .to = *kinds[notice->kind].postmaster, .to_postmaster = true };
	return count + choose_results(&letters[count]);
}
