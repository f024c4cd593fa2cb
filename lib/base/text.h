/* text - a string that grows, and small words on strings */

#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that grow. Always has a NUL after its length, so that text.bytes is
 * a string once anything was appended; text_string() is one at any time.
 * Embedded by its owner: TEXT_EMPTY or all zeros to begin, text_clear() to end.
 */
struct text {
	char	*bytes;
	size_t	 length;
	size_t	 size;
};

#define TEXT_EMPTY	{ NULL, 0, 0 }

void	 text_append(struct text *text, const void *bytes, size_t length);
void	 text_puts(struct text *text, const char *string);
void	 text_putc(struct text *text, char c);
void	 text_put_number(struct text *text, uint64_t number);	/* in decimal */
void	 text_printf(struct text *text, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
void	 text_vprintf(struct text *text, const char *format, va_list arguments)
	    __attribute__((format(printf, 2, 0)));

/* Room for length more bytes at the end; the caller fills it and adds to text->length. */
char	*text_reserve(struct text *text, size_t length);

/* Drop the first length bytes; all of them if there are fewer. */
void	 text_drop(struct text *text, size_t length);

/* Cut to length bytes and keep the memory. */
void	 text_truncate(struct text *text, size_t length);

/* The contents as a string, "" when empty. Borrowed until the next change. */
const char *text_string(const struct text *text);

/* Move the contents out; the text is empty afterwards. Released with free(3). */
char	*text_take(struct text *text);

/* Release the memory; the text is empty and can be used again. */
void	 text_clear(struct text *text);

/*
 * Cut the next word off *cursor, which moves behind it. Words are separated
 * by one or more of the separators. NULL when none is left. Writes into the string.
 */
char	*word_next(char **cursor, const char *separators);

/* White space and comma, which separate the words of a main.cf list. */
#define LIST_SEPARATORS	", \t\r\n"

/* Does a main.cf list have the word? Case does not count. */
bool	 list_has_word(const char *list, const char *word);

bool	 text_equal_nocase(const char *a, const char *b);
bool	 text_starts_with(const char *string, const char *prefix);
bool	 text_ends_with(const char *string, const char *suffix);

/* ASCII letters in lower case, in place; gives its argument. Leaves UTF-8 alone. */
char	*text_lower(char *string);

/* Everything that is not printable ASCII or part of a UTF-8 sequence becomes '?', in place. */
char	*text_printable(char *string);

bool	 text_is_ascii(const char *text, size_t length);
bool	 text_is_utf8(const char *text, size_t length);

/* Without white space at both ends: gives the first character that counts, cuts the tail in place. */
char	*text_trim(char *string);

#endif
