/*
 * dns - the grammar of the domain name system: bytes and text in, structs out
 *
 * name.h      domain names: text, wire form, compression
 * types.h     record types and classes, and what their data consist of
 * rdata.h     the data of one record: from master-file words, to text, checked
 * encodings.h octets as hexadecimal, base64, base32hex
 * message.h   questions as they come in, and the records of any message
 * key.h       shared secrets and codes made with them
 * tsig.h      messages that are signed with them
 *
 * Pure: no sockets, no files, no log, no allocation but in what prints.
 * What holds for every function that reads bytes from outside:
 *   1  It never reads past the length that it was given.
 *   2  A name that it accepts has at most 255 octets and ends in the root.
 *   3  Compression pointers go strictly backwards, so that no packet costs
 *      more than its own length.
 */

#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "dns/encodings.h"
#include "dns/key.h"
#include "dns/message.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/tsig.h"
#include "dns/types.h"

#endif
