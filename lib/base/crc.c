#include "base/crc.h"

#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL	0x82f63b78	/* reflected */

/* slice[k][b]: byte b followed by k bytes of zeros; eight bytes are taken at a time. */
static uint32_t slice[8][256];

static void
make_slices(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
		slice[0][b] = crc;
	}
	for (int k = 1; k < 8; k++) {
		for (int b = 0; b < 256; b++)
			slice[k][b] = (slice[k - 1][b] >> 8) ^
			    slice[0][slice[k - 1][b] & 0xff];
	}
}

uint32_t
crc32c(uint32_t crc, const void *bytes, size_t length)
{
	static bool ready;
	const unsigned char *p = bytes;

	if (!ready) {
		make_slices();
		ready = true;
	}
	crc = ~crc;
	for (; length >= 8; p += 8, length -= 8) {
		uint32_t low = crc ^ (p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

		crc = slice[7][low & 0xff] ^ slice[6][low >> 8 & 0xff] ^
		    slice[5][low >> 16 & 0xff] ^ slice[4][low >> 24] ^
		    slice[3][p[4]] ^ slice[2][p[5]] ^
		    slice[1][p[6]] ^ slice[0][p[7]];
	}
	for (; length > 0; p++, length--)
		crc = (crc >> 8) ^ slice[0][(crc ^ *p) & 0xff];
	return ~crc;
}
