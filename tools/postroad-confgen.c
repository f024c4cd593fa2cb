/*
 * postroad-confgen - make a key for rndc
 *
 * As BIND's rndc-confgen: with -a it writes the key file that named-lite(8)
 * and rndc read, otherwise it prints an rndc.conf and what belongs into
 * named.conf.
 */

#include <arpa/inet.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "dns/encodings.h"
#include "dns/key.h"

#define BITS_MAX	512

static struct {
	bool	 writes_file, is_quiet;
	const char *algorithm, *name, *file, *address, *root, *user;
	unsigned bits, port;
	char	 secret[BITS_MAX / 8 * 2];
} o = {
	.algorithm = "hmac-sha256",
	.name = "rndc-key",
	.address = "127.0.0.1",
	.port = 953,
};

__attribute__((noreturn)) static void
usage(int code)
{
	fprintf(stderr, "usage: %s [-aq] [-A algorithm] "
	    "[-b bits] [-c keyfile] [-k keyname]\n"
	    "    [-p port] [-s address] [-t directory] [-u user]\n",
	    getprogname());
	exit(code);
}

__attribute__((format(printf, 1, 2), noreturn)) static void
complain(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", getprogname());
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static unsigned
read_bits(const char *text)
{
	const char *wrong;
	unsigned value = strtonum(text, 1, BITS_MAX, &wrong);

	if (wrong != NULL)
		complain("keysize %s out of range (must be 1-%d)\n", text,
		    BITS_MAX);
	return value;
}

static unsigned
read_port(const char *text)
{
	const char *wrong;
	unsigned value = strtonum(text, 0, 65535, &wrong);

	if (wrong != NULL)
		complain("port '%s' out of range", text);
	return value;
}

static const char *
read_address(const char *text)
{
	uint8_t octets[16];

	if (inet_pton(AF_INET, text, octets) != 1 &&
	    inet_pton(AF_INET6, text, octets) != 1)
		complain("-s should be an IPv4 or IPv6 address");
	return text;
}

static void
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "aA:b:c:hk:mMp:qr:s:t:u:V")) != -1) {
		switch (option) {
		case 'a':
			o.writes_file = true;
			break;
		case 'A':
			o.algorithm = optarg;
			break;
		case 'b':
			o.bits = read_bits(optarg);
			break;
		case 'c':
			o.file = optarg;
			break;
		case 'k':
			o.name = optarg;
			break;
		case 'p':
			o.port = read_port(optarg);
			break;
		case 'q':
			o.is_quiet = true;
			break;
		case 'r':
			complain("The -r option has been deprecated.");
		case 's':
			o.address = read_address(optarg);
			break;
		case 't':
			o.root = optarg;
			break;
		case 'u':
			o.user = optarg;
			break;
		case 'h':
			usage(EXIT_SUCCESS);
		case 'm':	/* BIND's memory */
		case 'M':
		case 'V':
			break;
		default:
			usage(EXIT_FAILURE);
		}
	}
	if (optind < argc)
		usage(EXIT_FAILURE);
}

static void
make_secret(void)
{
	struct text text = TEXT_EMPTY;
	uint8_t octets[BITS_MAX / 8];
	unsigned cut;
	int algorithm;

	if (!text_starts_with(o.algorithm, "hmac-"))
		o.algorithm = mem_printf("hmac-%s", o.algorithm);
	algorithm = dns_hmac_parse(o.algorithm, &cut);
	if (algorithm == -1)
		complain("Unsupported algorithm '%s'",
		    o.algorithm + strlen("hmac-"));
	if (strcmp(o.algorithm, "hmac-md5") == 0)
		fputs("warning: use of hmac-md5 for RNDC keys is deprecated; "
		    "hmac-sha256 is now recommended.\n", stderr);
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
		int error = errno;

		if (fd != -1)
			unlink(name);
		if (o.user != NULL && (user == NULL || to != NULL))
			complain("unable to set file owner\n");
		complain("create keyfile: %s", error == ENOENT ?
		    "file not found" : error == EACCES ? "permission denied" :
		    strerror(error));
	}
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
	printf("# \n# controls {\n# \tinet %s port %u\n"
	    "# \t\tallow { %s; } keys { \"%s\"; };\n# };\n"
	    "# End of named.conf\n", o.address, o.port, o.address, o.name);
}

int
main(int argc, char **argv)
{
	char *inner = NULL;

	o.file = mem_printf("%s/rndc.key", named_directory);
	read_options(argc, argv);
	make_secret();
	if (!o.writes_file) {
		print_files();
		return EXIT_SUCCESS;
	}
	write_file(o.file);
	if (o.root != NULL)
		inner = mem_printf("%s%s%s", o.root,
		    *o.file == '/' ? "" : "/", o.file);
	if (inner != NULL)
		write_file(inner);
	if (!o.is_quiet)
		printf("wrote key file \"%s\"\n", o.file);
	if (!o.is_quiet && inner != NULL)
		printf("wrote key file \"%s\"\n", inner);
	free(inner);
	return EXIT_SUCCESS;
}
