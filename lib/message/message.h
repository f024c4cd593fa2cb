/*
 * message - what a mail is made of: header fields, dates, ids, dots
 *
 * header.h    the fields of a message, found where they stand
 * date.h      RFC 5322 dates and Message-Ids
 * dot.h       the lines of DATA, of BDAT and of RETR
 * verp.h      a sender's address for each recipient
 * envelope.h  who sent it and to whom, as it travels through the suite
 * mime.h      its parts, their headers and bodies
 * downgrade.h mail of 8 bits for hosts that take 7
 * received.h  the field that this host adds on top
 *
 * Inside the suite lines end in LF, and a bare CR does not occur.
 */

#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include "message/date.h"
#include "message/dot.h"
#include "message/downgrade.h"
#include "message/envelope.h"
#include "message/header.h"
#include "message/mime.h"
#include "message/received.h"
#include "message/verp.h"

#endif
