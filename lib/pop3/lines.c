/* lines - commands in, messages out: no socket, no file */

#include "pop3/pop3.h"

#include <ctype.h>
#include <string.h>

void
pop3_input_append(struct pop3_input *input, const char *bytes, size_t length)
{
	text_drop(&input->text, input->start);
	input->start = 0;
	text_append(&input->text, bytes, length);
}

enum pop3_next
pop3_input_next(struct pop3_input *input, char **line, size_t *length)
{
	char *begin = input->text.bytes + input->start;
	size_t left = input->text.length - input->start;
	char *newline = left > 0 ? memchr(begin, '\n', left) : NULL;
	bool was_discarding = input->is_discarding;

	if (newline == NULL) {
		if (left > POP3_LINE_MAX)
			input->is_discarding = true;
		if (input->is_discarding || left == 0) {
			text_truncate(&input->text, 0);
			input->start = 0;
		}
		return POP3_NO_LINE;
	}
	input->start += (size_t)(newline + 1 - begin);
	input->is_discarding = false;
	if (newline > begin && newline[-1] == '\r')
		newline--;
	*newline = '\0';
	*line = begin;
	*length = (size_t)(newline - begin);
	return was_discarding || *length > POP3_LINE_MAX ? POP3_LONG_LINE : POP3_LINE;
}

void
pop3_input_clear(struct pop3_input *input)
{
	if (input->text.bytes != NULL)
		explicit_bzero(input->text.bytes, input->text.size);
	text_clear(&input->text);
	input->start = 0;
	input->is_discarding = false;
}

void
pop3_command_parse(char *line, size_t length, struct pop3_command *command)
{
	size_t n = 0;

	command->keyword[0] = '\0';
	command->argument = NULL;
	if (memchr(line, '\0', length) != NULL || memchr(line, '\r', length) != NULL)
		return;
	while (n < length && line[n] != ' ') {
		if (n + 1 == POP3_KEYWORD_SIZE || !isgraph((unsigned char)line[n])) {
			command->keyword[0] = '\0';
			return;
		}
		command->keyword[n] = (char)toupper((unsigned char)line[n]);
		n++;
	}
	command->keyword[n] = '\0';
	if (n < length)
		command->argument = line + n + 1;
}

const char *
pop3_capabilities(bool is_logged_in)
{
	return is_logged_in
	    ? "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\n"
	      "AUTH-RESP-CODE\r\n.\r\n"
	    : "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\n"
	      "AUTH-RESP-CODE\r\nUSER\r\n.\r\n";
}

void
pop3_stuffer_init(struct pop3_stuffer *stuffer, long long lines)
{
	*stuffer = (struct pop3_stuffer) { .lines_left = lines };
}

bool
pop3_stuff(struct pop3_stuffer *s, const char *bytes, size_t length,
    struct text *out)
{
	const char *p = bytes, *end = bytes + length;

	while (p < end) {
		if (s->octets == 0 && s->in_body && s->lines_left == 0)
			return false;
		if (s->octets == 0 && *p == '.')
			text_putc(out, '.');

		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline != NULL ? newline : end;

		text_append(out, p, (size_t)(stop - p));
		if (stop > p) {
			s->octets += (size_t)(stop - p);
			s->last = stop[-1];
		}
		if (newline == NULL)
			return true;

		bool has_cr = s->octets > 0 && s->last == '\r';

		text_puts(out, has_cr ? "\n" : "\r\n");
		if (!s->in_body)
			s->in_body = s->octets == has_cr;
		else if (s->lines_left > 0)
			s->lines_left--;
		s->octets = 0;
		p = newline + 1;
	}
	return true;
}

void
pop3_stuff_end(struct pop3_stuffer *s, struct text *out)
{
	text_puts(out, s->octets > 0 ? "\r\n.\r\n" : ".\r\n");
}
