/* serve - an answering process: sockets and an image, and nothing else that it could touch */

#ifndef NAMED_LITE_ANSWERER_SERVE_H
#define NAMED_LITE_ANSWERER_SERVE_H

/*
 * Which files count: their number, in memory that all processes share. The
 * supervisor sets it when all answerers have been sent the files, and each
 * looks at it before it answers; so nobody who has seen a serial from one
 * gets an older one from another.
 */
extern _Atomic unsigned *serve_turn;

/*
 * Answer until the supervisor closes the other end of control. What primaries
 * tell goes to notices. Give up user
 * and root directory first: empty_root is a descriptor of an empty
 * directory, -1 if we are not root. number is ours among those that answer.
 * Gives an exit code.
 */
int	serve_run(int control, int notices, int empty_root, unsigned number,
	    const char *user);

#endif
