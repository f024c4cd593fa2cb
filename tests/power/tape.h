/*
 * tape - every change to a tree since a moment at which all was durable,
 * and what a power cut may leave of it
 *
 * An image is what the disk holds after a cut before the N-th change, under
 * one of these models of a file system:
 *
 *	ext4		one journal, which any fsync commits whole and in order;
 *			an fdatasync of data in place leaves the journal alone
 *	ext4-random	the same, but data that was not synced itself may be
 *			there or not, whole or in pieces of 512 bytes
 *	perfile		fsync stores that file with its names, and no other
 *	strict		the least that POSIX promises: fsync of a file stores
 *			the file, fsync of a directory stores its names
 *	random		as strict, and of what was not synced some is stored too:
 *			names in the order of their directory, data in pieces
 *	split		as random, and a rename may be stored as either half
 *
 * What was not synced is lost in perfile and strict: one image a change. The
 * other models have many, and a seed chooses.
 */

#ifndef POWER_TAPE_H
#define POWER_TAPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "tree.h"

enum change_kind { CHANGE_MAKE, CHANGE_WRITE, CHANGE_RESIZE, CHANGE_ATTRIBUTES,
    CHANGE_LINK, CHANGE_UNLINK, CHANGE_RENAME, CHANGE_SYNC };

/* All in numbers and copies: it must be told again to another tree. */
struct change {
	enum change_kind kind;
	uint64_t	 inode;		/* what is written, named, synced; a directory's sync is one, too */
	uint64_t	 directory;	/* of the name; for a rename the old one's */
	uint64_t	 to_directory;
	char		*name, *to_name;
	char		*bytes;		/* to write, NULL: zeros */
	size_t		 length;
	int64_t		 offset;	/* or the new size */
	mode_t		 mode;
	uid_t		 uid;
	gid_t		 gid;
	int64_t		 mtime_ns;
	bool		 extends;	/* a write behind the end */
	bool		 data_only;	/* fdatasync */
	bool		 commits;	/* a sync that has ext4 commit its journal */
	bool		 durable;	/* while an image is made */
	bool		 to_durable;	/* a rename's other half */
};

enum model { MODEL_EXT4, MODEL_EXT4_RANDOM, MODEL_PERFILE, MODEL_STRICT,
    MODEL_RANDOM, MODEL_SPLIT, MODELS };

/* The model of that name, -1 if there is none. */
int	 model_find(const char *name);

struct tape;

/* Begin: tree as it is now is durable; it is copied. Released with tape_free(). */
struct tape *tape_new(const struct tree *tree);
void	 tape_free(struct tape **tape);
size_t	 tape_length(const struct tape *tape);

/* Record a change; takes what it points to. */
void	 tape_record(struct tape *tape, const struct change *change);

/* What stands on the disk after a cut before change `at`. Released with tree_free(). */
struct tree *tape_image(const struct tape *tape, size_t at, enum model model,
	    uint64_t seed);

/* A line about one change, for people. */
void	 tape_describe(const struct tape *tape, size_t at, struct text *out);

#endif
