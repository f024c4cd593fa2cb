/*
 * message - what a mail is made of: header fields, dates, ids, dots
 *
 * header.h    the fields of a message, found where they stand
 * date.h      RFC 5322 dates and Message-Ids
 * dot.h       the lines of DATA, of BDAT and of RETR
 * envelope.h  who sent it and to whom, as it travels through the suite
 * mime.h      its parts, their headers and bodies
 * received.h  the field that this host adds on top
 *
 * Inside the suite lines end in LF, and a bare CR does not occur.
 */

#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include "message/date.h"
#include "message/dot.h"
#include "message/envelope.h"
#include "message/header.h"
#include "message/mime.h"
#include "message/received.h"

#endif
