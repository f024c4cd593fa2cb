/*
 * postqueue - look at the queue, and ask for another try
 *
 * What any user may do, unless authorized_mailq_users or
 * authorized_flush_users says otherwise. Set-gid, to reach public/. It lists
 * what showq(8) tells, and nudges qmgr(8); when the system is down the
 * superuser's postqueue reads the queue itself.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "listing/listing.h"
#include "tools/shared/command.h"

enum form { FORM_ROWS, FORM_JSON };

static void
on_message(const struct listed_message *message, void *context)
{
	struct listing_printer *printer = context;

	if (printer != NULL)
		listing_print(printer, message);
	else
		listing_print_json(stdout, message);
}

/* The stream of public/showq. NULL with errno. */
static FILE *
open_showq(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "public/%s",
	    config.showq_service_name);
	if (fd == -1 || connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) == -1) {
		fd_close(&fd);
		return NULL;
	}
	return fdopen(fd, "r");
}

static int
read_showq(FILE *in, struct listing_printer *printer)
{
	struct listed_message message;
	struct pool *pool = pool_new(0);
	int got = listing_read_begin(in);

	while (got != -1 && (got = listing_read(in, pool, &message)) == 1) {
		on_message(&message, printer);
		pool_reset(pool);
	}
	pool_free(&pool);
	return got;
}

static void
list_directly(struct listing_printer *printer)
{
	if (geteuid() != 0 && access("journal", R_OK) == -1)
		fatal("Queue report unavailable - mail system is down");
	log_warning("Mail system is down -- accessing queue directly "
	    "(Connect to the %s %s service: %m)", config.mail_name,
	    config.showq_service_name);
	command_become_owner();
	listing_collect(true, on_message, printer);
}

static void
list(enum form form)
{
	struct listing_printer rows = { .out = stdout,
	    .long_ids = config.enable_long_queue_ids };
	struct listing_printer *printer = form == FORM_ROWS ? &rows : NULL;
	FILE *in;

	command_authorize("authorized_mailq_users",
	    config.authorized_mailq_users, "view the mail queue");
	in = open_showq();
	if (in == NULL)
		list_directly(printer);
	else if (read_showq(in, printer) == -1)
		fatal("malformed %s server response",
		    config.showq_service_name);
	if (printer != NULL)
		listing_print_end(printer);
	if (in != NULL)
		fclose(in);
	if (fflush(stdout) == EOF) {
		fatal_exit_code = EX_IOERR;
		fatal("write: %m");
	}
}

/* word is what qmgr hears. */
static void
flush(const char *word)
{
	char path[64];

	command_authorize("authorized_flush_users",
	    config.authorized_flush_users, "flush the mail queue");
	snprintf(path, sizeof(path), "public/%s", config.queue_service_name);
	if (ipc_nudge(path, word) == -1)
		fatal("Cannot flush mail queue - mail system is down");
}

static void
flush_message(const char *id)
{
	char word[64];

	if (!spool_id_is_valid(id))
		fatal("Cannot flush queue ID - invalid name: \"%.100s\"", id);
	snprintf(word, sizeof(word), "flush id %s", id);
	flush(word);
}

static void
flush_site(const char *site)
{
	char word[300];

	if (!hostname_is_valid(site, strlen(site)) &&
	    !address_literal_is_valid(site, strlen(site)))
		fatal("Cannot flush mail queue - invalid destination: \"%.100s\"",
		    site);
	snprintf(word, sizeof(word), "flush site %s", site);
	flush(word);
}

static void __attribute__((noreturn))
usage(void)
{
	fatal_exit_code = EX_UNAVAILABLE;	/* as scripts know it */
	fatal("usage: postqueue -f | postqueue -i queueid | postqueue -j | "
	    "postqueue -p | postqueue -s site");
}

int
main(int argc, char **argv)
{
	const char *directory = NULL, *argument = NULL;
	int option, what = 0;

	command_start("postqueue");
	while ((option = getopt(argc, argv, "c:fi:jps:v")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'v':
			log_verbose += geteuid() == 0;
			break;
		case 'f': case 'i': case 'j': case 'p': case 's':
			if (what != 0)
				usage();
			what = option;
			argument = optarg;
			break;
		default:
			usage();
		}
	}
	if (what == 0 || optind < argc)
		usage();
	command_configure(directory);
	fatal_exit_code = EX_UNAVAILABLE;
	command_enter_queue();
	if (what == 'p' || what == 'j')
		list(what == 'p' ? FORM_ROWS : FORM_JSON);
	else if (what == 'f')
		flush("flush");
	else if (what == 'i')
		flush_message(argument);
	else
		flush_site(argument);
	return 0;
}
