/* crc - CRC-32C (Castagnoli, RFC 3720 appendix B.4), against torn and rotten blocks */

#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of bytes that follow those which crc covers; start with 0. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

#endif
