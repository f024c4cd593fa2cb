/*
 * A service of postscreen in master.cf: who talks before his turn?
 *
 * A client that is not known gets the first line of a greeting of two, and
 * some seconds later the second. Honest ones wait. Who waited is remembered:
 * in two maps that change places every half of postscreen_greet_ttl, so that
 * nothing is searched for what is too old.
 */

#include "smtpd/smtpd.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "config/config.h"

static struct map *passed, *passed_before;
static int64_t turned_ms;

void
screen_check(void)
{
	char *list = mem_strdup(config.postscreen_access_list);
	char *cursor = list, *word;

	while (config.smtpd_screening &&
	    (word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		if (!text_equal_nocase(word, "permit_mynetworks"))
			log_warning("postscreen_access_list: %s is not "
			    "implemented yet: such clients are screened as "
			    "others are", word);
	free(list);
}

static void
turn_maps(void)
{
	int64_t half_ms = config.postscreen_greet_ttl * 1000LL / 2;
	int64_t age_ms = clock_ms() - turned_ms;

	if (passed != NULL && age_ms < half_ms)
		return;
	map_free(&passed_before, NULL);
	if (age_ms < 2 * half_ms)
		passed_before = passed;
	else
		map_free(&passed, NULL);
	passed = map_new();
	turned_ms = clock_ms();
}

static bool
has_passed(const struct session *s)
{
	turn_maps();
	return map_get(passed, s->client_address) != NULL ||
	    (passed_before != NULL &&
	    map_get(passed_before, s->client_address) != NULL);
}

/* "[192.0.2.1]:4000", as postscreen's log has it. */
static void
tell(const struct session *s, const char *what)
{
	log_info("%s [%s]:%u", what, s->client_address,
	    ntohs(s->address.v4.sin_port));
}

static double
seconds_since(int64_t since_ms)
{
	return (double)(clock_ms() - since_ms) / 1000;
}

bool
screen_begin(struct session *s)
{
	bool failed;

	if (!config.smtpd_screening)
		return false;
	tell(s, "CONNECT from");
	if (list_has_word(config.postscreen_access_list,
	    "permit_mynetworks") && smtpd_is_mynetworks(s, &failed)) {
		tell(s, "ALLOWLISTED");
		return false;
	}
	if (has_passed(s)) {
		tell(s, "PASS OLD");
		return false;
	}
	s->screened_ms = clock_ms();
	s->is_screening = true;
	if (*config.postscreen_greet_banner != '\0')
		text_printf(&s->output, "220-%s\r\n",
		    config.postscreen_greet_banner);
	return true;
}

void
screen_waited(struct session *s)
{
	s->is_screening = false;
	turn_maps();
	map_set(passed, s->client_address, s);	/* never looked behind */
	tell(s, "PASS NEW");
}

bool
screen_heard(struct session *s)
{
	char piece[101];
	ssize_t length = recv(s->fd, piece, sizeof(piece) - 1, MSG_PEEK);

	s->is_screening = false;
	if (length <= 0) {
		log_info("HANGUP after %.1f from [%s]:%u in tests before SMTP "
		    "handshake", seconds_since(s->screened_ms),
		    s->client_address, ntohs(s->address.v4.sin_port));
		session_finish(s);
		return false;
	}
	piece[length] = '\0';
	log_info("PREGREET %zd after %.2f from [%s]:%u: %s", length,
	    seconds_since(s->screened_ms), s->client_address,
	    ntohs(s->address.v4.sin_port), text_printable(piece));
	if (text_equal_nocase(config.postscreen_greet_action, "drop")) {
		/* Unread, it would reset the connection, and the reply be lost. */
		length = recv(s->fd, piece, sizeof(piece), 0);
		session_say(s, "521 5.5.1 Protocol error");
		session_finish(s);
		return false;
	}
	s->is_screened_out = text_equal_nocase(config.postscreen_greet_action,
	    "enforce");
	return true;
}

bool
screen_refuses(struct session *s)
{
	static const char reply[] = "550 5.5.1 Protocol error";

	if (!s->is_screened_out)
		return false;
	report_action(s, "reject", reply);
	session_reply(s, reply);
	return true;
}
