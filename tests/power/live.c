#include "live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

static void
begin_tape(struct live *live)
{
	struct inode *inode;

	live->tape = tape_new(live->tree);
	live->committed_at = 0;
	*live->position = 0;
	RB_FOREACH(inode, inodes, &live->tree->inodes)
		inode->changed_at = inode->resized_at = 0;
}

void
live_start(struct live *live)
{
	live->tree = tree_new();
	live->last_number = ROOT_NUMBER;
	begin_tape(live);
}

void
live_record(struct live *live)
{
	tape_free(&live->tape);
	begin_tape(live);
}

int64_t
live_keep(struct live *live)
{
	if (live->kept_count == TAPES_MAX)
		return -1;

	int64_t length = (int64_t)tape_length(live->tape);

	live->kept[live->kept_count++] = live->tape;
	live->tape = NULL;
	begin_tape(live);
	return length;
}

uint64_t
live_image(struct live *live, size_t at, enum model model, uint64_t seed)
{
	struct tree *image = tape_image(live->kept[live->kept_count - 1], at,
	    model, seed);

	tree_free(&live->tree);
	live->tree = image;
	live_record(live);
	return tree_checksum(image);
}

void
live_drop(struct live *live)
{
	tape_free(&live->kept[--live->kept_count]);
}

struct inode *
live_find(struct live *live, const char *path)
{
	char *copy = mem_strdup(path), *cursor = copy, *name;
	struct inode *inode = live->tree->root;

	while (inode != NULL && (name = word_next(&cursor, "/")) != NULL) {
		struct entry *entry = entry_find(inode, name);

		inode = entry != NULL ? entry->inode : NULL;
	}
	free(copy);
	return inode;
}

/* On the tape, and into the inodes that it changes (NULL: only one). */
static void
record(struct live *live, struct inode *inode, struct inode *directory,
    struct change *change)
{
	size_t position;

	change->inode = inode->number;
	if (directory != NULL)
		change->directory = directory->number;
	change->mtime_ns = inode->mtime_ns;
	tape_record(live->tape, change);
	position = tape_length(live->tape);
	inode->changed_at = position;
	if (change->kind == CHANGE_MAKE || change->kind == CHANGE_RESIZE ||
	    change->extends)
		inode->resized_at = position;
	if (directory != NULL)
		directory->changed_at = position;
	*live->position = position;
	if (live->delay_us > 0)
		usleep(live->delay_us);
}

static int64_t
now_ns(void)
{
	return clock_wall_us() * 1000;
}

struct inode *
live_make(struct live *live, struct inode *home, mode_t mode, uid_t uid,
    gid_t gid)
{
	struct inode *inode = inode_new(live->tree, ++live->last_number, mode,
	    uid, gid);

	inode->home = home->number;
	record(live, inode, home, &(struct change){ .kind = CHANGE_MAKE,
	    .mode = mode, .uid = uid, .gid = gid });
	return inode;
}

void
live_link(struct live *live, struct inode *directory, const char *name,
    struct inode *inode)
{
	entry_link(live->tree, directory, name, inode);
	directory->mtime_ns = now_ns();
	record(live, inode, directory, &(struct change){ .kind = CHANGE_LINK,
	    .name = mem_strdup(name) });
}

void
live_unlink(struct live *live, struct inode *directory, const char *name)
{
	struct inode *inode = entry_find(directory, name)->inode;

	record(live, inode, directory, &(struct change){ .kind = CHANGE_UNLINK,
	    .name = mem_strdup(name) });
	directory->mtime_ns = now_ns();
	entry_unlink(live->tree, directory, name);
}

void
live_rename(struct live *live, struct inode *from, const char *name,
    struct inode *to, const char *to_name)
{
	struct inode *inode = entry_find(from, name)->inode;

	inode->names++;		/* it may have both names already */
	entry_unlink(live->tree, from, name);
	entry_link(live->tree, to, to_name, inode);
	inode->names--;
	from->mtime_ns = to->mtime_ns = now_ns();
	record(live, inode, from, &(struct change){ .kind = CHANGE_RENAME,
	    .name = mem_strdup(name), .to_name = mem_strdup(to_name),
	    .to_directory = to->number });
	to->changed_at = from->changed_at;
}

void
live_write(struct live *live, struct inode *inode, const char *bytes,
    size_t length, int64_t offset)
{
	struct change change = { .kind = CHANGE_WRITE, .length = length,
	    .offset = offset,
	    .extends = offset + (int64_t)length > inode->size };

	if (length > 0 && (bytes[0] != '\0' ||
	    memcmp(bytes, bytes + 1, length - 1) != 0)) {
		change.bytes = mem_alloc(length);
		memcpy(change.bytes, bytes, length);
	}
	inode_write(inode, change.bytes, length, offset);
	inode->mtime_ns = now_ns();
	record(live, inode, NULL, &change);
}

void
live_resize(struct live *live, struct inode *inode, int64_t size)
{
	inode_resize(inode, size);
	inode->mtime_ns = now_ns();
	record(live, inode, NULL, &(struct change){ .kind = CHANGE_RESIZE,
	    .offset = size });
}

void
live_attributes(struct live *live, struct inode *inode)
{
	record(live, inode, NULL, &(struct change){ .kind = CHANGE_ATTRIBUTES,
	    .mode = inode->mode, .uid = inode->uid, .gid = inode->gid });
}

static bool
is_lie(const struct live *live, const struct inode *inode)
{
	for (int i = 0; i < live->lie_count; i++) {
		if (live->lies[i] == inode->number ||
		    live->lies[i] == inode->home)
			return true;
	}
	return live->lie_directories && S_ISDIR(inode->mode);
}

void
live_sync(struct live *live, struct inode *inode, bool data_only)
{
	struct change change = { .kind = CHANGE_SYNC, .inode = inode->number,
	    .data_only = data_only };

	if (is_lie(live, inode))
		return;
	/* ext4 commits when what is synced has changed since the last time; for fdatasync, its size must have. */
	change.commits = (data_only ? inode->resized_at : inode->changed_at) >
	    live->committed_at;
	tape_record(live->tape, &change);
	*live->position = tape_length(live->tape);
	if (change.commits)
		live->committed_at = tape_length(live->tape);
}
