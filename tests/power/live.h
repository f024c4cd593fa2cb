/*
 * live - the tree that is served now, and the tapes behind it
 *
 * Every change is made to the tree and recorded on its tape. A tape can be
 * kept, and then any image of it be served in place of the tree: again and
 * again, from one recording. Tapes are kept on a stack, so that a recovery can be cut
 * as the work before it was.
 */

#ifndef POWER_LIVE_H
#define POWER_LIVE_H

#include "tape.h"
#include "tree.h"

#define TAPES_MAX	8
#define LIES_MAX	8

struct live {
	struct tree	*tree;
	struct tape	*tape;
	struct tape	*kept[TAPES_MAX];
	int		 kept_count;
	uint64_t	 last_number;		/* of an inode */
	size_t		 committed_at;		/* where the tape last committed ext4's journal */
	uint64_t	*position;		/* how long the tape is, for all to see */
	unsigned int	 delay_us;		/* after each change, so that the test sees it alone */
	int64_t		 limit;			/* no file grows beyond it; 0: they may */
	bool		 lie_directories;	/* their syncs do nothing, */
	uint64_t	 lies[LIES_MAX];	/* nor do these directories' and those of what was made in them */
	int		 lie_count;
};

void	 live_start(struct live *live);

/* All is durable now, and a new tape begins. */
void	 live_record(struct live *live);

/* Keep the tape; gives its length. -1: too many. The tree can go on only as an image. */
int64_t	 live_keep(struct live *live);

/* Serve an image of the tape kept last; gives its checksum. */
uint64_t live_image(struct live *live, size_t at, enum model model,
	    uint64_t seed);

/* Forget the tape kept last. */
void	 live_drop(struct live *live);

/* A directory by path; NULL if there is none. */
struct inode *live_find(struct live *live, const char *path);

/* Changes. What may not be has been refused by the kernel or the caller. */
struct inode *live_make(struct live *live, struct inode *home, mode_t mode,
	    uid_t uid, gid_t gid);
void	 live_link(struct live *live, struct inode *directory,
	    const char *name, struct inode *inode);
void	 live_unlink(struct live *live, struct inode *directory,
	    const char *name);
void	 live_rename(struct live *live, struct inode *from, const char *name,
	    struct inode *to, const char *to_name);
void	 live_write(struct live *live, struct inode *inode,
	    const char *bytes, size_t length, int64_t offset);
void	 live_resize(struct live *live, struct inode *inode, int64_t size);

/* Mode, owner and times, as they stand in the inode now. */
void	 live_attributes(struct live *live, struct inode *inode);
void	 live_sync(struct live *live, struct inode *inode, bool data_only);

#endif
