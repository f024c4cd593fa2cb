/*
 * tree - the files of forgetfs, in memory
 *
 * A tree can be copied cheaply: pages are shared until one side writes. An
 * inode keeps its number in every copy, so that what was recorded of one tree
 * can be done again to a copy of an earlier one.
 *
 * The kernel refers to inodes of the served tree by address; one that it has
 * not forgotten outlives its names and its tree.
 */

#ifndef POWER_TREE_H
#define POWER_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

struct page;

struct entry {
	RB_ENTRY(entry)		 by_name;
	TAILQ_ENTRY(entry)	 in_order;	/* as made: readdir goes on where it was */
	uint64_t		 cookie;
	struct inode		*inode;
	char			 name[];
};

RB_HEAD(entries, entry);
RB_HEAD(inodes, inode);

struct inode {
	RB_ENTRY(inode)		 by_number;
	uint64_t		 number;
	mode_t			 mode;
	uid_t			 uid;
	gid_t			 gid;
	int64_t			 mtime_ns;
	int64_t			 size;
	struct page		**pages;	/* NULL is a page of zeros */
	size_t			 page_count;
	struct entries		 entries;	/* of a directory */
	TAILQ_HEAD(, entry)	 order;
	struct inode		*parent;	/* of a directory */
	uint64_t		 last_cookie;
	unsigned int		 names;
	uint64_t		 lookups;	/* the kernel's references */
	bool			 detached;	/* its tree is gone: only the kernel's */
	uint64_t		 home;		/* the directory it was made in */
	size_t			 changed_at;	/* positions on the tape, for its tape alone */
	size_t			 resized_at;
	bool			 data_synced;	/* while an image is made */
	bool			 synced;
	bool			 stopped;
};

struct tree {
	struct inodes	 inodes;
	struct inode	*root;
};

#define ROOT_NUMBER	1

RB_PROTOTYPE(entries, entry, by_name, entry_compare)
RB_PROTOTYPE(inodes, inode, by_number, inode_compare)

/* A tree of one directory. Released with tree_free(). */
struct tree *tree_new(void);
struct tree *tree_copy(const struct tree *tree);
void	 tree_free(struct tree **tree);

/* Release what no name leads to. */
void	 tree_prune(struct tree *tree);

/* A checksum of all names, owners, modes and contents; times and sockets do not count. */
uint64_t tree_checksum(const struct tree *tree);

/* A new inode, without a name. The tree owns it until it has neither names nor lookups. */
struct inode *inode_new(struct tree *tree, uint64_t number, mode_t mode,
	    uid_t uid, gid_t gid);

/* The inode of that number, NULL if there is none. */
struct inode *inode_find(struct tree *tree, uint64_t number);

/* Release it if nothing refers to it any more. */
void	 inode_settle(struct tree *tree, struct inode *inode);

struct entry *entry_find(struct inode *directory, const char *name);

/* Name an inode, in place of what had the name. */
void	 entry_link(struct tree *tree, struct inode *directory,
	    const char *name, struct inode *inode);

/* Take a name away; nothing happens if there is none. */
void	 entry_unlink(struct tree *tree, struct inode *directory,
	    const char *name);

/* Contents. A read gives the bytes that there are; NULL bytes are zeros to write. */
size_t	 inode_read(const struct inode *inode, void *bytes, size_t length,
	    int64_t offset);
void	 inode_write(struct inode *inode, const void *bytes, size_t length,
	    int64_t offset);
void	 inode_resize(struct inode *inode, int64_t size);

#endif
