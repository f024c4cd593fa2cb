/*
 * unnamed - a file that gets its name once it is whole
 *
 * Where the file system can (O_TMPFILE), a file without a name vanishes by
 * itself when its writer dies. Elsewhere (old NFS, overlay file systems of
 * old kernels) it has a name that begins with ".new-", which readers pass over
 * and unnamed_sweep() removes.
 */

#ifndef SPOOL_UNNAMED_H
#define SPOOL_UNNAMED_H

#include <stdbool.h>
#include <sys/types.h>

/* For tests: behave as where O_TMPFILE is not to be had. */
extern bool unnamed_never;

struct unnamed {
	int	fd;		/* to read and write; -1: none */
	char	name[64];	/* "" if it has none */
};

/* A new file in directory. Gives its descriptor, -1 with errno. Ended by unnamed_close(). */
int	unnamed_open(struct unnamed *file, const char *directory, mode_t mode);

/* Name it path, in the same directory. 0, or -1 with errno (EEXIST). The caller makes the name durable. */
int	unnamed_link(struct unnamed *file, const char *path);

/* Close it; without a name by then it is gone. */
void	unnamed_close(struct unnamed *file);

/* Remove such a file, if it is one that a crash left. directory is open. */
void	unnamed_sweep_name(int directory, const char *name);

/* Remove what a crash left of such files in directory and its hashed ones, when it is older than an hour. */
void	unnamed_sweep(const char *directory);

#endif
