/* lines - commands, and what TOP means: no socket, no file */

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
		if (left > POP3_LINE_MAX + 1)	/* the last may be a CR */
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

size_t
pop3_top_take(struct pop3_top *top, const char *bytes, size_t length)
{
	const char *p = bytes, *end = bytes + length, *newline;

	while (p < end) {
		if (top->octets == 0 && top->in_body && top->lines_left == 0)
			break;
		newline = memchr(p, '\n', (size_t)(end - p));

		const char *stop = newline != NULL ? newline : end;

		if (stop > p) {
			top->octets += (size_t)(stop - p);
			top->last = stop[-1];
		}
		if (newline == NULL)
			return length;
		if (top->in_body)
			top->lines_left--;
		else	/* an empty line ends the header, with or without its CR */
			top->in_body = top->octets == 0
			    || (top->octets == 1 && top->last == '\r');
		top->octets = 0;
		p = newline + 1;
	}
	return (size_t)(p - bytes);
}
