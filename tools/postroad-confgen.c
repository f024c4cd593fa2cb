/*
 * postroad-confgen - make a key for rndc
 *
 * As BIND's rndc-confgen: with -a it writes the key file that named-lite(8)
 * and rndc read, otherwise it prints an rndc.conf and what belongs into
 * named.conf.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "dns/encodings.h"
#include "dns/key.h"

#define KEY_FILE	"/etc/bind/rndc.key"
#define BITS_MAX	512

static struct {
	bool	 writes_file, is_quiet;
	const char *algorithm, *name, *file, *address, *root, *user;
	unsigned bits, port;
	char	 secret[BITS_MAX / 8 * 2];
} o = {
	.algorithm = "hmac-sha256",
	.name = "rndc-key",
	.file = KEY_FILE,
	.address = "127.0.0.1",
	.port = 953,
};

static void
usage(void)
{
	fprintf(stderr, "usage: postroad-confgen [-aq] [-A algorithm] "
	    "[-b bits] [-c keyfile] [-k keyname]\n"
	    "    [-p port] [-s address] [-t directory] [-u user]\n");
	exit(EXIT_FAILURE);
}

static unsigned
number(const char *text, unsigned most)
{
	const char *wrong;
	unsigned value = strtonum(text, 1, most, &wrong);

	if (wrong != NULL) {
		fprintf(stderr, "postroad-confgen: '%s' is %s\n", text, wrong);
		exit(EXIT_FAILURE);
	}
	return value;
}

static void
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "aA:b:c:hk:p:qr:s:t:u:")) != -1) {
		switch (option) {
		case 'a':
			o.writes_file = true;
			break;
		case 'A':
			o.algorithm = optarg;
			break;
		case 'b':
			o.bits = number(optarg, BITS_MAX);
			break;
		case 'c':
			o.file = optarg;
			break;
		case 'k':
			o.name = optarg;
			break;
		case 'p':
			o.port = number(optarg, 65535);
			break;
		case 'q':
			o.is_quiet = true;
			break;
		case 'r':	/* a source of randomness: the kernel's is used */
			break;
		case 's':
			o.address = optarg;
			break;
		case 't':
			o.root = optarg;
			break;
		case 'u':
			o.user = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind < argc)
		usage();
}

static void
make_secret(void)
{
	struct text text = TEXT_EMPTY;
	uint8_t octets[BITS_MAX / 8];
	unsigned cut;
	int algorithm = dns_hmac_parse(o.algorithm, &cut);

	if (algorithm == -1) {
		fprintf(stderr, "postroad-confgen: Unsupported algorithm %s\n",
		    o.algorithm);
		exit(EXIT_FAILURE);
	}
	if (o.bits == 0)
		o.bits = dns_hmac_length(algorithm) * 8;
	arc4random_buf(octets, (o.bits + 7) / 8);
	dns_base64_print(octets, (o.bits + 7) / 8, &text);
	strlcpy(o.secret, text_string(&text), sizeof(o.secret));
	explicit_bzero(octets, sizeof(octets));
	text_clear(&text);
}

static void
print_key(FILE *to, const char *prefix)
{
	fprintf(to, "%skey \"%s\" {\n%s\talgorithm %s;\n%s\tsecret \"%s\";\n"
	    "%s};\n", prefix, o.name, prefix, o.algorithm, prefix, o.secret,
	    prefix);
}

/*
 * The key file, whole or not at all, for its owner alone. The name is new
 * until it is complete: whoever reads it meanwhile has the old one.
 */
static void
write_file(const char *file)
{
	char *name = mem_printf("%s.XXXXXX", file);
	struct passwd *user = o.user != NULL ? getpwnam(o.user) : NULL;
	int fd = mkstemp(name);
	FILE *to = fd != -1 ? fdopen(fd, "w") : NULL;
	bool good = to != NULL && (o.user == NULL || user != NULL);

	if (good) {
		print_key(to, "");
		good = fflush(to) == 0 && fchmod(fd, 0600) == 0 &&
		    (user == NULL || fchown(fd, user->pw_uid,
		    user->pw_gid) == 0) && fsync(fd) == 0;
	}
	if (to != NULL)
		fclose(to);
	if (!good || rename(name, file) == -1) {
		fprintf(stderr, "postroad-confgen: %s: %s\n", file,
		    o.user != NULL && user == NULL ? "no such user" :
		    strerror(errno));
		if (fd != -1)
			unlink(name);
		exit(EXIT_FAILURE);
	}
	if (!o.is_quiet)
		fprintf(stderr, "wrote key file \"%s\"\n", file);
	free(name);
}

static void
print_files(void)
{
	puts("# Start of rndc.conf");
	print_key(stdout, "");
	printf("\noptions {\n\tdefault-key \"%s\";\n\tdefault-server %s;\n"
	    "\tdefault-port %u;\n};\n# End of rndc.conf\n\n"
	    "# Use with the following in named.conf, adjusting the allow list "
	    "as needed:\n", o.name, o.address, o.port);
	print_key(stdout, "# ");
	printf("#\n# controls {\n# \tinet %s port %u\n"
	    "# \t\tallow { %s; } keys { \"%s\"; };\n# };\n"
	    "# End of named.conf\n", o.address, o.port, o.address, o.name);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	make_secret();
	if (!o.writes_file) {
		print_files();
		return EXIT_SUCCESS;
	}
	write_file(o.file);
	if (o.root != NULL) {
		char *inner = mem_printf("%s/%s", o.root, o.file);

		write_file(inner);
		free(inner);
	}
	return EXIT_SUCCESS;
}
