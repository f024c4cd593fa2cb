/* filer.h - the child that waits for the disk; filer.c is its story */

#ifndef QMGR_FILING_FILER_H
#define QMGR_FILING_FILER_H

/*
 * What a forked child does until the other end of socket is closed. lock is
 * the open file whose lock says that there is a queue manager: it is kept,
 * so that no successor begins before the last change is made.
 */
void	filer_run(int socket, int lock) __attribute__((noreturn));

#endif
