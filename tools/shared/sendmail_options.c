#include "tools/shared/sendmail_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "message/envelope.h"

void
sendmail_refuse(int code, const char *format, const char *what)
{
	char *text = mem_printf(format, what);

	fatal_exit_code = code;
	fatal("%s", text);
}

static void
set_mode(struct sendmail_options *options, const char *letters)
{
	static const struct {
		char	letter;
		enum sendmail_mode mode;
	} modes[] = {
		{ 'a', MODE_SUBMIT }, { 'm', MODE_SUBMIT },
		{ 's', MODE_DIALOGUE }, { 'p', MODE_LIST },
		{ 'i', MODE_ALIASES }, { 'd', MODE_START }, { 'D', MODE_START },
		{ 'l', MODE_START }, { 'v', MODE_VERIFY },
		{ 'h', MODE_NOTHING }, { 'H', MODE_NOTHING },
	};

	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		if (*letters == modes[i].letter) {
			options->mode = modes[i].mode;
			return;
		}
	}
	sendmail_refuse(EX_TEMPFAIL, "unsupported: -b%s", letters);
}

static void
set_queue_run(struct sendmail_options *options, const char *what)
{
	if (what == NULL) {
		options->mode = MODE_FLUSH;
	} else if (isdigit((unsigned char)*what)) {
		/* An interval, for a daemon: queue_run_delay says it. */
		if (options->mode == MODE_SUBMIT)
			options->mode = MODE_START;
	} else if (*what == 'R' && what[1] != '\0') {
		options->mode = MODE_FLUSH;
		options->site = what + 1;
	} else if (*what == 'I' && what[1] != '\0') {
		options->mode = MODE_FLUSH;
		options->queue_id = what + 1;
	} else {
		sendmail_refuse(EX_TEMPFAIL, *what == 'R' ? "specify: -q%ssitename" :
		    *what == 'I' ? "specify: -q%squeueid" :
		    "-q%s is not implemented", what);
	}
}

/* -N: never, or some of success, failure, delay. */
static void
set_notify(struct sendmail_options *options, const char *list)
{
	static const struct {
		const char	*word;
		int64_t		 bit;
	} words[] = {
		{ "never", DSN_NOTIFY_NEVER }, { "success", DSN_NOTIFY_SUCCESS },
		{ "failure", DSN_NOTIFY_FAILURE }, { "delay", DSN_NOTIFY_DELAY },
	};
	char *copy = mem_strdup(list), *cursor = copy, *word;
	bool known = true;

	options->dsn_notify = 0;
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL && known) {
		known = false;
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (text_equal_nocase(word, words[i].word)) {
				options->dsn_notify |= words[i].bit;
				known = true;
			}
		}
	}
	free(copy);
	if (!known || ((options->dsn_notify & DSN_NOTIFY_NEVER) &&
	    options->dsn_notify != DSN_NOTIFY_NEVER)) {
		log_warning("bad -N option value \"%s\" -- ignored", list);
		options->dsn_notify = 0;
	}
}

static void
set_return(struct sendmail_options *options, const char *what)
{
	if (text_equal_nocase(what, "full"))
		options->dsn_ret = DSN_RET_FULL;
	else if (text_equal_nocase(what, "hdrs"))
		options->dsn_ret = DSN_RET_HDRS;
	else
		log_warning("bad -R option value \"%s\" -- ignored", what);
}

static void
set_body(struct sendmail_options *options, const char *type)
{
	if (text_equal_nocase(type, "8BITMIME"))
		options->flags |= ENVELOPE_8BIT;
	else if (!text_equal_nocase(type, "7BIT"))
		sendmail_refuse(EX_TEMPFAIL,
		    "-%s option needs 8BITMIME or 7BIT", "B");
}

/* The id of the envelope; two delimiters meant VERP, once. */
static void
set_envid(struct sendmail_options *options, const char *text)
{
	bool is_printable = true;

	for (const char *p = text; *p != '\0'; p++)
		is_printable &= isprint((unsigned char)*p) != 0;
	if (strlen(text) == 2 && ispunct((unsigned char)text[0]) &&
	    ispunct((unsigned char)text[1])) {
		log_warning("option -V%s is deprecated with Postfix 2.3; "
		    "specify -XV%s instead", text, text);
		options->verp = text;
	} else if (strlen(text) > 100) {
		log_warning("too long -V option value -- ignored");
	} else if (!is_printable) {
		log_warning("bad syntax in -V option value -- ignored");
	} else {
		options->envid = text;
	}
}

static void
usage(void)
{
	sendmail_refuse(EX_TEMPFAIL, "usage: %s [options] [recipient ...]",
	    "sendmail");
}

static void
read_option(struct sendmail_options *options, int option)
{
	switch (option) {
	case 'B':
		set_body(options, optarg);
		break;
	case 'C':
		options->configuration = optarg;
		break;
	case 'F':
		options->full_name = optarg;
		break;
	case 'G':		/* from elsewhere: complete and rewrite nothing */
		options->flags &= ~ENVELOPE_LOCAL_ORIGIN;
		break;
	case 'I':
		options->mode = MODE_ALIASES;
		break;
	case 'N':
		set_notify(options, optarg);
		break;
	case 'R':
		set_return(options, optarg);
		break;
	case 'V':
		set_envid(options, optarg);
		break;
	case 'b':
		set_mode(options, optarg);
		break;
	case 'f': case 'r':
		options->sender = optarg;
		break;
	case 'i':
		options->dots_mean_nothing = true;
		break;
	case 'o':
		options->dots_mean_nothing |= *optarg == 'i';
		break;
	case 'q':
		set_queue_run(options, optarg);
		break;
	case 't':
		options->from_header = true;
		break;
	case 'v':
		options->verbosity++;
		break;
	case 'n':
		sendmail_refuse(EX_TEMPFAIL, "-%s option not supported", "n");
	case 'X':
		if (*optarg != 'V')
			sendmail_refuse(EX_TEMPFAIL, "unsupported: -X%s", optarg);
		options->verp = optarg + 1;
		break;
	case 'A': case 'L': case 'O': case 'U': case 'c': case 'd': case 'e':
	case 'h': case 'm': case 'p': case 's': case 'x':
		break;		/* said in vain since long */
	default:
		usage();
	}
}

static void
choose_mode_by_name(struct sendmail_options *options, const char *name)
{
	const char *base = strrchr(name, '/');

	base = base == NULL ? name : base + 1;
	if (strstr(base, "mailq") != NULL)
		options->mode = MODE_LIST;
	else if (strstr(base, "newaliases") != NULL)
		options->mode = MODE_ALIASES;
}

/* What does not go together, and what -v means in each mode. */
static void
reconcile(struct sendmail_options *options)
{
	bool verifies = options->mode == MODE_VERIFY;
	const char *surplus = !verifies ? NULL : options->from_header ? "t" :
	    options->dsn_notify != 0 ? "N" : options->dsn_ret != 0 ? "R" :
	    options->verbosity == 1 ? "v" : NULL;

	if (surplus != NULL)
		sendmail_refuse(EX_TEMPFAIL, "-%s option cannot be used with -bv",
		    surplus);
	if (options->from_header && options->mode != MODE_SUBMIT)
		sendmail_refuse(EX_TEMPFAIL,
		    "-%s can be used only in delivery mode", "t");
	if (verifies)
		options->flags |= ENVELOPE_VERIFY;
	if (options->mode == MODE_SUBMIT && options->verbosity == 1)
		options->flags |= ENVELOPE_TRACE;
	else
		log_verbose += options->verbosity;
}

void
sendmail_options_read(struct sendmail_options *options, int argc, char **argv)
{
	int option;

	*options = (struct sendmail_options){ .flags = ENVELOPE_LOCAL_ORIGIN };
	choose_mode_by_name(options, argv[0]);
	while ((option = getopt(argc, argv,
	    "A:B:C:F:GIL:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:s:tvx")) != -1)
		read_option(options, option);
	reconcile(options);
}
