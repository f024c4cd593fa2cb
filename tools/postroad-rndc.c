/*
 * postroad-rndc - tell the name server what to do, as BIND's rndc does
 *
 * Speaks its protocol (lib/rndc) and reads its files, rndc.conf or rndc.key,
 * so that either client works with either server.
 */

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "dns/message.h"
#include "named/conf.h"
#include "rndc/rndc.h"
#include "tools/shared/command.h"

#define PATIENCE	60	/* seconds for an answer */
#define REPLY_MAX	(1 << 24)

static struct {
	const char *config, *key_file, *key_name;
	const char *server, *port;
	int	 family;
	bool	 is_quiet;
	bool	 shows_result;
	struct dns_key key;
} o;

static void
usage(void)
{
	fprintf(stderr, "usage: postroad-rndc [-46qr] [-c config-file] "
	    "[-k key-file] [-p port]\n"
	    "                     [-s server] [-y key] command\n");
	exit(1);
}

/* Files */

static const struct conf_statement *
find(const struct conf_statement *list, const char *name, const char *argument)
{
	for (; list != NULL; list = list->next) {
		const struct conf_item *item = list->items;

		if (item->text != NULL && strcasecmp(item->text, name) == 0 &&
		    (argument == NULL || (item->next != NULL &&
		    item->next->text != NULL &&
		    strcasecmp(item->next->text, argument) == 0)))
			return list;
	}
	return NULL;
}

static const char *
value(const struct conf_statement *list, const char *name)
{
	const struct conf_statement *at = find(list, name, NULL);

	return at != NULL && at->items->next != NULL ?
	    at->items->next->text : NULL;
}

/* What stands in braces at the end of a statement; NULL if there is none. */
static const struct conf_statement *
block(const struct conf_statement *at)
{
	const struct conf_item *item = at != NULL ? at->items : NULL;

	while (item != NULL && item->kind != CONF_BLOCK)
		item = item->next;
	return item != NULL ? item->block : NULL;
}

static void
read_key(const struct conf *conf, const char *path)
{
	const struct conf_statement *at = find(conf->statements, "key",
	    o.key_name), *inside = block(at);
	const char *algorithm = value(inside, "algorithm");
	const char *secret = value(inside, "secret"), *why;

	if (algorithm == NULL || secret == NULL)
		fatal("%s: there is no key %s with algorithm and secret", path,
		    o.key_name != NULL ? o.key_name : "");
	if (dns_key_init(&o.key, at->items->next->text, algorithm, secret,
	    &why) == -1)
		fatal("%s:%u: %s", at->file, at->line, why);
}

static void
use_default(const char **to, const char *text)
{
	if (*to == NULL)
		*to = text;
}

/* rndc.conf if there is one, else rndc.key. */
static void
read_files(void)
{
	bool has_config = access(o.config, F_OK) == 0;
	const char *path = has_config ? o.config : o.key_file;
	const struct conf_statement *options, *server;
	static struct conf conf;	/* whose words are used later */

	if (!has_config && access(path, F_OK) == -1)
		fatal("neither %s nor %s was found", o.config, path);
	if (conf_read(&conf, path) == -1)
		fatal("could not load rndc configuration");
	options = block(find(conf.statements, "options", NULL));
	use_default(&o.server, value(options, "default-server"));
	use_default(&o.server, "127.0.0.1");
	server = block(find(conf.statements, "server", o.server));
	use_default(&o.port, value(server, "port"));
	use_default(&o.port, value(options, "default-port"));
	use_default(&o.port, "953");
	use_default(&o.key_name, value(server, "key"));
	use_default(&o.key_name, value(options, "default-key"));
	read_key(&conf, path);
}

/* Talking */

static int
connect_to(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_family = o.family,
	    .ai_socktype = SOCK_STREAM };
	const struct timeval patience = { PATIENCE, 0 };
	struct addrinfo *list;
	int fd = -1, error = getaddrinfo(host, port, &hints, &list);

	if (error != 0)
		fatal("cannot find %s: %s", host, gai_strerror(error));
	for (const struct addrinfo *at = list; at != NULL && fd == -1;
	    at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd == -1)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof(patience));
		if (connect(fd, at->ai_addr, at->ai_addrlen) == -1)
			fd_close(&fd);
	}
	if (fd == -1)
		fatal("connect failed: %s#%s: %m", host, port);
	freeaddrinfo(list);
	return fd;
}

static void
send_command(int fd, const char *command, const char *nonce)
{
	struct text message = TEXT_EMPTY;
	time_t now = time(NULL);
	char number[24];
	size_t table;

	rndc_begin(&message, &o.key);
	table = rndc_open_table(&message, "_ctrl");
	snprintf(number, sizeof(number), "%u", arc4random());
	rndc_put(&message, "_ser", number);
	snprintf(number, sizeof(number), "%lld", (long long)now);
	rndc_put(&message, "_tim", number);
	snprintf(number, sizeof(number), "%lld", (long long)now + PATIENCE);
	rndc_put(&message, "_exp", number);
	if (nonce != NULL)
		rndc_put(&message, "_nonce", nonce);
	rndc_close_table(&message, table);
	table = rndc_open_table(&message, "_data");
	rndc_put(&message, "type", command);
	rndc_close_table(&message, table);
	rndc_finish(&message, &o.key);
	if (fd_write_all(fd, message.bytes, message.length) == -1)
		fatal("cannot send: %m");
	text_clear(&message);
}

/* The message borrows bytes, which are the caller's. */
static char *
receive(int fd, struct rndc_message *message)
{
	uint8_t head[4];
	const char *why;
	char *bytes;
	size_t length;

	if (fd_read_full(fd, head, sizeof(head)) != sizeof(head))
		fatal("connection to the server was closed: perhaps it knows "
		    "another key, does not let this address in, or the clocks "
		    "differ");
	length = dns_get32(head);
	if (length > REPLY_MAX)
		fatal("malformed answer");
	bytes = mem_alloc(length + 1);
	if (fd_read_full(fd, bytes, length) != (ssize_t)length)
		fatal("connection to the server was closed");
	if (rndc_read(message, bytes, length, &o.key, 1, &why) == -1)
		fatal("recv failed: %s", why);
	return bytes;
}

static int
tell(const struct rndc_message *message, const char *command)
{
	char *error = rndc_value(message, "_data", "err");
	char *result = rndc_value(message, "_data", "result");
	char *text = rndc_value(message, "_data", "text");
	bool failed = error != NULL ||
	    (result != NULL && strcmp(result, "0") != 0);

	if (failed)
		fprintf(stderr, "%s: '%s' failed: %s\n", getprogname(),
		    command, error != NULL ? error : "failure");
	if (text != NULL && (failed || !o.is_quiet))
		fprintf(failed ? stderr : stdout, "%s\n", text);
	if (o.shows_result)
		printf("%s\n", result != NULL ? result : "0");
	free(error);
	free(result);
	free(text);
	return failed ? 1 : 0;
}

static void
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+46b:c:k:Mmp:qrs:Vy:")) != -1) {
		switch (option) {
		case '4':
			o.family = AF_INET;
			break;
		case '6':
			o.family = AF_INET6;
			break;
		case 'c':
			o.config = optarg;
			break;
		case 'k':
			o.key_file = optarg;
			o.config = "";
			break;
		case 'p':
			o.port = optarg;
			break;
		case 'q':
			o.is_quiet = true;
			break;
		case 'r':
			o.shows_result = true;
			break;
		case 's':
			o.server = optarg;
			break;
		case 'y':
			o.key_name = optarg;
			break;
		case 'V':
			break;
		default:
			usage();
		}
	}
	if (optind == argc)
		usage();
}

int
main(int argc, char **argv)
{
	struct text command = TEXT_EMPTY;
	struct rndc_message message;
	char *bytes, *nonce;
	int fd, code;

	command_start(getprogname());
	fatal_exit_code = 1;
	o.config = mem_printf("%s/rndc.conf", named_directory);
	o.key_file = mem_printf("%s/rndc.key", named_directory);
	read_options(argc, argv);
	if (strcmp(argv[optind], "restart") == 0) {
		fprintf(stderr, "%s: 'restart' is not implemented\n",
		    getprogname());
		return 1;
	}
	for (int i = optind; i < argc; i++)
		text_printf(&command, "%s%s", i > optind ? " " : "", argv[i]);
	read_files();
	fd = connect_to(o.server, o.port);
	send_command(fd, "null", NULL);
	bytes = receive(fd, &message);
	nonce = rndc_value(&message, "_ctrl", "_nonce");
	free(bytes);
	send_command(fd, text_string(&command), nonce);
	bytes = receive(fd, &message);
	code = tell(&message, argv[optind]);
	free(bytes);
	free(nonce);
	text_clear(&command);
	fd_close(&fd);
	return code;
}
