/* bitmap - the set of types in NSEC, NSEC3 and CSYNC records */

#include <string.h>

#include "dns/internal.h"
#include "dns/types.h"

int
dns_bitmap_parse(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	uint8_t set[8192] = { 0 };

	for (size_t i = 0; i < count; i++) {
		int type = dns_type_parse(words[i].text, words[i].length);

		if (type == -1) {
			w->why = "unknown class/type";
			return -1;
		}
		set[type / 8] |= 0x80 >> type % 8;
	}
	for (unsigned window = 0; window < 256; window++) {
		const uint8_t *octets = set + window * 32;
		uint8_t head[2] = { window, 32 };

		while (head[1] > 0 && octets[head[1] - 1] == 0)
			head[1]--;
		if (head[1] > 0 && (dns_rdata_put(w, head, 2) == -1 ||
		    dns_rdata_put(w, octets, head[1]) == -1))
			return -1;
	}
	return 0;
}

bool
dns_bitmap_check(const uint8_t *bitmap, size_t size)
{
	int last = -1;

	while (size > 0) {
		if (size < 2 || bitmap[0] <= last || bitmap[1] == 0 ||
		    bitmap[1] > 32 || size - 2 < bitmap[1])
			return false;
		last = bitmap[0];
		size -= 2 + bitmap[1];
		bitmap += 2 + bitmap[1];
	}
	return true;
}

void
dns_bitmap_print(const uint8_t *bitmap, size_t size, struct text *to)
{
	char mnemonic[DNS_MNEMONIC_MAX];
	const char *separator = "";

	while (size > 0) {
		for (int bit = 0; bit < bitmap[1] * 8; bit++) {
			if ((bitmap[2 + bit / 8] & 0x80 >> bit % 8) == 0)
				continue;
			text_printf(to, "%s%s", separator,
			    dns_type_print(bitmap[0] * 256 + bit, mnemonic));
			separator = " ";
		}
		size -= 2 + bitmap[1];
		bitmap += 2 + bitmap[1];
	}
}
