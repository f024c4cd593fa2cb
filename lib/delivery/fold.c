#include "delivery/fold.h"

#include <string.h>

void
fold(struct text *out, const char *text, size_t start, size_t indent)
{
	static const char blanks[] = "        ";
	size_t column = out->length - start;

	if (indent >= sizeof(blanks))
		indent = sizeof(blanks) - 1;
	while (*text != '\0') {
		size_t gap = strspn(text, " "), word = strcspn(text + gap, " ");

		if (gap > 0 && word > 0 && column + gap + word > FOLD_WIDTH) {
			text_putc(out, '\n');
			text_append(out, blanks, indent);
			column = indent;
		} else if (word > 0) {
			text_append(out, text, gap);
			column += gap;
		}
		text_append(out, text + gap, word);
		column += word;
		text += gap + word;
	}
}
