#include "qmgr/schedule/window.h"

/* The square root of a small whole number, by Newton: all that would need libm. */
static double
root(int square)
{
	double r = square;

	for (int i = 0; i < 32 && r * r > square; i++)
		r = (r + square / r) / 2;
	return r;
}

static double
worth(const struct config_feedback *feedback, int size)
{
	switch (feedback->form) {
	case FEEDBACK_BY_WIDTH:
		return feedback->amount / size;
	case FEEDBACK_BY_ROOT:
		return feedback->amount / root(size);
	default:
		return feedback->amount;
	}
}

void
window_init(struct window *window, const struct window_rules *rules)
{
	*window = (struct window){ .size = rules->initial < rules->limit ?
	    rules->initial : rules->limit };
}

void
window_succeeded(struct window *window, const struct window_rules *rules,
    int underway)
{
	window->failed_cohorts = 0;
	if (window->size >= rules->limit ||
	    window->size - rules->initial >= underway + 1)
		return;

	double part = worth(&rules->positive, window->size);

	window->gained += part;
	/* Half a part may be missing: thirds and sevenths do not add up to one. */
	if (window->gained + part / 2 >= 1) {
		window->gained -= 1;
		window->left = 0;
		window->size++;
	}
}

bool
window_failed(struct window *window, const struct window_rules *rules)
{
	double part = worth(&rules->negative, window->size);

	window->failed_cohorts += 1.0 / window->size;
	window->left -= part;
	if (window->left - part / 2 < 0 && part > 0) {
		window->left += 1;
		window->gained = 0;
		if (window->size > 1)
			window->size--;
	}
	return rules->failed_cohorts > 0 &&
	    window->failed_cohorts >= rules->failed_cohorts - 1e-9;
}
