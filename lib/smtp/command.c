#include "smtp/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void
smtp_command_split(const char *line, size_t length,
    struct smtp_command *command)
{
	size_t at = 0, verb = 0;

	while (length > 0 && is_blank(line[length - 1]))
		length--;
	while (at < length && is_blank(line[at]))
		at++;
	for (; at < length && !is_blank(line[at]); at++, verb++)
		if (verb < SMTP_VERB_SIZE - 1)
			command->verb[verb] = toupper((unsigned char)line[at]);
	command->verb[verb < SMTP_VERB_SIZE ? verb : 0] = '\0';
	while (at < length && is_blank(line[at]))
		at++;
	command->argument = line + at;
	command->argument_length = length - at;
}

/* What a command is being read into: one of the two. */
struct reading {
	struct smtp_mail	*mail;
	struct smtp_rcpt	*rcpt;
};

/* What a reader gives for a value that stands for nothing we do. */
static const char unsupported[] = "";

/* A parameter's value into its place; the complaint, or NULL. */
typedef const char *read_parameter(struct reading *reading, const char *value,
    size_t length);

static const char *
read_size(struct reading *reading, const char *value, size_t length)
{
	static const char complaint[] = "501 5.5.4 Bad message size syntax";
	int64_t size = 0;

	if (length == 0)
		return complaint;
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)value[i]))
			return complaint;
		if (i == 18)
			return "552 5.3.4 Message size exceeds file system "
			    "imposed limit";
		size = size * 10 + value[i] - '0';
	}
	reading->mail->size = size;
	return NULL;
}

static bool
is_word(const char *value, size_t length, const char *word)
{
	return length == strlen(word) && strncasecmp(value, word, length) == 0;
}

static const char *
read_body(struct reading *reading, const char *value, size_t length)
{
	if (is_word(value, length, "8BITMIME"))
		reading->mail->body = SMTP_BODY_8BITMIME;
	else if (is_word(value, length, "7BIT"))
		reading->mail->body = SMTP_BODY_7BIT;
	else
		return unsupported;
	return NULL;
}

static const char *
read_ret(struct reading *reading, const char *value, size_t length)
{
	bool full = is_word(value, length, "FULL");

	if (reading->mail->ret != SMTP_RET_UNSAID ||
	    (!full && !is_word(value, length, "HDRS")))
		return "501 5.5.4 Bad RET parameter syntax";
	reading->mail->ret = full ? SMTP_RET_FULL : SMTP_RET_HDRS;
	return NULL;
}

static const char *
read_envid(struct reading *reading, const char *value, size_t length)
{
	char *envid = reading->mail->envid;

	if (envid[0] != '\0' || length == 0 ||
	    smtp_xtext_decode(value, length, envid, SMTP_ENVID_MAX + 1) == -1)
		return "501 5.5.4 Bad ENVID parameter syntax";
	return NULL;
}

static const char *
read_smtputf8(struct reading *reading, const char *value, size_t length)
{
	reading->mail->smtputf8 = true;
	return NULL;
}

static const char *
read_verp(struct reading *reading, const char *value, size_t length)
{
	reading->mail->wants_verp = true;
	return NULL;
}

/* Which delimiters are good is for the server to say; no others than two are. */
static const char *
read_delimiters(struct reading *reading, const char *value, size_t length)
{
	char *verp = reading->mail->verp;

	reading->mail->wants_verp = true;
	memcpy(verp, length == 2 ? value : "  ", 2);
	return NULL;
}

/* Who it was that logged in elsewhere is not told on (RFC 4954 section 5). */
static const char *
read_auth(struct reading *reading, const char *value, size_t length)
{
	char name[SMTP_ORCPT_MAX];

	return length > 0 && smtp_xtext_decode(value, length, name,
	    sizeof(name)) == 0 ? NULL : "501 5.5.4 Bad AUTH parameter syntax";
}

static const char *
read_notify(struct reading *reading, const char *value, size_t length)
{
	static const char complaint[] =
	    "501 5.5.4 Error: Bad NOTIFY parameter syntax";
	static const struct { const char *word; unsigned flag; } words[] = {
		{ "NEVER", SMTP_NOTIFY_NEVER },
		{ "SUCCESS", SMTP_NOTIFY_SUCCESS },
		{ "FAILURE", SMTP_NOTIFY_FAILURE },
		{ "DELAY", SMTP_NOTIFY_DELAY },
	};
	unsigned notify = 0;

	for (const char *end = value + length; value <= end;) {
		const char *comma = memchr(value, ',', end - value);
		size_t size = (comma == NULL ? end : comma) - value;
		unsigned flag = 0;

		for (size_t i = 0; i < 4; i++)
			if (is_word(value, size, words[i].word))
				flag = words[i].flag;
		if (flag == 0)
			return complaint;
		notify |= flag;
		value += size + 1;
	}
	if (reading->rcpt->notify != 0 ||
	    ((notify & SMTP_NOTIFY_NEVER) && notify != SMTP_NOTIFY_NEVER))
		return complaint;
	reading->rcpt->notify = notify;
	return NULL;
}

static const char *
read_orcpt(struct reading *reading, const char *value, size_t length)
{
	char *orcpt = reading->rcpt->orcpt;
	const char *semicolon = memchr(value, ';', length);
	size_t type = semicolon == NULL ? length : (size_t)(semicolon - value);
	bool good = orcpt[0] == '\0' && semicolon != NULL && type > 0 &&
	    type < 32 && type + 1 < length;

	for (size_t i = 0; good && i < type; i++)
		good = isalnum((unsigned char)value[i]) || value[i] == '-';
	if (good) {
		memcpy(orcpt, value, type + 1);
		good = (smtp_is_utf8_type(value, type) ?
		    smtp_utf8_xtext_decode : smtp_xtext_decode)(semicolon + 1,
		    length - type - 1, orcpt + type + 1,
		    SMTP_ORCPT_MAX - type) == 0;
	}
	return good ? NULL : "501 5.5.4 Error: Bad ORCPT parameter syntax";
}

enum { OF_MAIL = 1 << 0, OF_RCPT = 1 << 1 };

static const struct parameter {
	const char	*name;
	unsigned	 command;
	unsigned	 honoured;	/* when the server honours this; 0: always */
	bool		 has_value;
	read_parameter	*read;
} parameters[] = {
	{ "SIZE",     OF_MAIL, SMTP_HONOUR_SIZE,     true,  read_size },
	{ "BODY",     OF_MAIL, SMTP_HONOUR_8BITMIME, true,  read_body },
	{ "AUTH",     OF_MAIL, 0,                    true,  read_auth },
	{ "RET",      OF_MAIL, SMTP_HONOUR_DSN,      true,  read_ret },
	{ "ENVID",    OF_MAIL, SMTP_HONOUR_DSN,      true,  read_envid },
	{ "SMTPUTF8", OF_MAIL, SMTP_HONOUR_SMTPUTF8, false, read_smtputf8 },
	{ "XVERP",    OF_MAIL, SMTP_HONOUR_XVERP,    false, read_verp },
	{ "XVERP",    OF_MAIL, SMTP_HONOUR_XVERP,    true,  read_delimiters },
	{ "NOTIFY",   OF_RCPT, SMTP_HONOUR_DSN,      true,  read_notify },
	{ "ORCPT",    OF_RCPT, SMTP_HONOUR_DSN,      true,  read_orcpt },
};

static const char *
read_one(struct reading *reading, unsigned honoured, const char *word,
    size_t length, struct text *reply)
{
	unsigned command = reading->mail != NULL ? OF_MAIL : OF_RCPT;
	const char *equals = memchr(word, '=', length);
	size_t name = equals == NULL ? length : (size_t)(equals - word);

	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const struct parameter *p = &parameters[i];

		if (!(p->command & command) ||
		    (p->honoured != 0 && !(p->honoured & honoured)) ||
		    p->has_value != (equals != NULL) ||
		    !is_word(word, name, p->name))
			continue;

		const char *complaint = p->read(reading,
		    word + name + p->has_value, length - name - p->has_value);

		if (complaint != unsupported)
			return complaint;
	}
	text_truncate(reply, 0);
	text_puts(reply, "555 5.5.4 Unsupported option: ");
	text_append(reply, word, length < 100 ? length : 100);
	return text_string(reply);
}

static const char *
read_parameters(struct reading *reading, unsigned honoured, const char *text,
    size_t length, struct text *reply)
{
	size_t at = 0;

	for (;;) {
		while (at < length && is_blank(text[at]))
			at++;
		if (at == length)
			return NULL;

		size_t start = at;

		while (at < length && !is_blank(text[at]))
			at++;

		const char *complaint = read_one(reading, honoured,
		    text + start, at - start, reply);

		if (complaint != NULL)
			return complaint;
	}
}

/* Past "FROM:" or "TO:"; 0 if the argument does not begin so. */
static size_t
keyword_length(const char *argument, size_t length, const char *keyword)
{
	size_t size = strlen(keyword);

	return length <= size || strncasecmp(argument, keyword, size) != 0 ? 0
	    : size;
}

/* With strict_rfc821_envelopes an address stands in <>; a blank before it is forgiven. */
static bool
is_well_framed(const char *path, size_t length, unsigned honoured)
{
	size_t blanks = 0;

	while (blanks < length && path[blanks] == ' ')
		blanks++;
	return !(honoured & SMTP_STRICT_PATH) ||
	    (blanks < length && path[blanks] == '<');
}

static bool
is_numeric(const char *domain)
{
	return *domain != '\0' && domain[strspn(domain, "0123456789.")] == '\0';
}

/* The grammar permits more addresses than a server may want. */
static bool
is_wanted(const char *address, unsigned honoured, bool smtputf8)
{
	const char *domain = address_domain(address);
	const char *judged = (honoured & SMTP_STRICT_UTF8) || domain == NULL ?
	    address : domain;

	if ((honoured & SMTP_REFUSE_MINUS) && address[0] == '-')
		return false;
	if (domain != NULL && *domain == '\0' &&
	    !(honoured & SMTP_NULL_DOMAIN))
		return false;
	if (domain != NULL && is_numeric(domain) &&
	    !(honoured & SMTP_NUMERIC_DOMAIN))
		return false;
	return smtputf8 || text_is_ascii(judged, strlen(judged)) ||
	    (domain == NULL && !(honoured & SMTP_STRICT_UTF8));
}

const char *
smtp_mail_parse(const char *argument, size_t length, unsigned honoured,
    struct smtp_mail *mail, struct text *reply)
{
	static const char bad[] = "501 5.1.7 Bad sender address syntax";
	struct reading reading = { .mail = mail };
	size_t keyword = keyword_length(argument, length, "FROM:");
	const char *why;

	*mail = (struct smtp_mail){ .size = -1 };
	if (keyword == 0)
		return "501 5.5.4 Syntax: MAIL FROM:<address>";

	ssize_t path = address_path_parse_odd(argument + keyword,
	    length - keyword, mail->sender, &why);

	if (path == -1 || !is_well_framed(argument + keyword, length - keyword,
	    honoured))
		return bad;

	const char *complaint = read_parameters(&reading, honoured,
	    argument + keyword + path, length - keyword - path, reply);

	return complaint != NULL ? complaint :
	    is_wanted(mail->sender, honoured, mail->smtputf8) ? NULL : bad;
}

const char *
smtp_rcpt_parse(const char *argument, size_t length, unsigned honoured,
    struct smtp_rcpt *rcpt, struct text *reply)
{
	struct reading reading = { .rcpt = rcpt };
	size_t keyword = keyword_length(argument, length, "TO:");
	const char *why;

	*rcpt = (struct smtp_rcpt){ .notify = 0 };
	if (keyword == 0)
		return "501 5.5.4 Syntax: RCPT TO:<address>";

	ssize_t path = address_path_parse_odd(argument + keyword,
	    length - keyword, rcpt->recipient, &why);

	if (path == -1 || rcpt->recipient[0] == '\0' ||
	    !is_well_framed(argument + keyword, length - keyword, honoured) ||
	    !is_wanted(rcpt->recipient, honoured,
	    honoured & SMTP_HONOUR_SMTPUTF8))
		return "501 5.1.3 Bad recipient address syntax";
	return read_parameters(&reading, honoured, argument + keyword + path,
	    length - keyword - path, reply);
}
