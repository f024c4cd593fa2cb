#include "tape.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"

#define SECTOR	512

struct tape {
	struct tree	*base;
	struct change	*changes;
	size_t		 count, room;
};

static const char *const model_names[MODELS] = {
	[MODEL_EXT4] = "ext4",
	[MODEL_EXT4_RANDOM] = "ext4-random",
	[MODEL_PERFILE] = "perfile",
	[MODEL_STRICT] = "strict",
	[MODEL_RANDOM] = "random",
	[MODEL_SPLIT] = "split",
};

int
model_find(const char *name)
{
	for (int i = 0; i < MODELS; i++) {
		if (strcmp(model_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* ----------------------------------------------------------- recording */

struct tape *
tape_new(const struct tree *tree)
{
	struct tape *tape = mem_zalloc(1, sizeof(*tape));

	tape->base = tree_copy(tree);
	return tape;
}

void
tape_free(struct tape **tape)
{
	if (*tape == NULL)
		return;
	for (size_t i = 0; i < (*tape)->count; i++) {
		free((*tape)->changes[i].name);
		free((*tape)->changes[i].to_name);
		free((*tape)->changes[i].bytes);
	}
	free((*tape)->changes);
	tree_free(&(*tape)->base);
	free(*tape);
	*tape = NULL;
}

size_t
tape_length(const struct tape *tape)
{
	return tape->count;
}

void
tape_record(struct tape *tape, const struct change *change)
{
	if (tape->count == tape->room) {
		tape->room = tape->room > 0 ? tape->room * 2 : 256;
		tape->changes = mem_resize(tape->changes, tape->room,
		    sizeof(*tape->changes));
	}
	tape->changes[tape->count++] = *change;
}

void
tape_describe(const struct tape *tape, size_t at, struct text *out)
{
	static const char *const kinds[] = {
		[CHANGE_MAKE] = "make", [CHANGE_WRITE] = "write",
		[CHANGE_RESIZE] = "resize", [CHANGE_ATTRIBUTES] = "attributes",
		[CHANGE_LINK] = "link", [CHANGE_UNLINK] = "unlink",
		[CHANGE_RENAME] = "rename", [CHANGE_SYNC] = "sync",
	};
	const struct change *change = &tape->changes[at];

	text_printf(out, "%zu %s %llu", at, kinds[change->kind],
	    (unsigned long long)change->inode);
	if (change->name != NULL)
		text_printf(out, " %llu/%s",
		    (unsigned long long)change->directory, change->name);
	if (change->to_name != NULL)
		text_printf(out, " to %llu/%s",
		    (unsigned long long)change->to_directory, change->to_name);
	if (change->kind == CHANGE_WRITE || change->kind == CHANGE_RESIZE)
		text_printf(out, " %zu at %lld", change->length,
		    (long long)change->offset);
	if (change->kind == CHANGE_SYNC)
		text_puts(out, change->data_only ? " data" : " all");
}

/* ----------------------------------------------------------- what survives */

struct cut {
	struct change	*changes;	/* a copy, to mark what is durable */
	size_t		 count;
	enum model	 model;
	uint64_t	 random;
	unsigned int	 survival;	/* per cent of what was not synced */
	size_t		 committed;	/* ext4: the journal up to here is on the disk */
	struct tree	*image;
};

/* splitmix64 */
static uint64_t
next_random(struct cut *cut)
{
	uint64_t z = cut->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static bool
survives(struct cut *cut)
{
	return next_random(cut) % 100 < cut->survival;
}

static bool
is_ext4(const struct cut *cut)
{
	return cut->model == MODEL_EXT4 || cut->model == MODEL_EXT4_RANDOM;
}

static bool
is_synced(const struct cut *cut, uint64_t number)
{
	const struct inode *inode = inode_find(cut->image, number);

	return inode != NULL && inode->synced;
}

static bool
is_data_synced(const struct cut *cut, uint64_t number)
{
	const struct inode *inode = inode_find(cut->image, number);

	return inode != NULL && inode->data_synced;
}

/* Was its name stored: by a sync of the directory, or in perfile of the file? */
static bool
is_name_durable(const struct cut *cut, const struct change *change,
    uint64_t directory)
{
	return is_synced(cut, directory) ||
	    (cut->model == MODEL_PERFILE && is_data_synced(cut, change->inode));
}

/* Atomic, so that either directory's sync stores it; but not in split. */
static void
find_durable_rename(const struct cut *cut, struct change *change)
{
	change->durable = is_name_durable(cut, change, change->directory);
	change->to_durable = is_name_durable(cut, change, change->to_directory);
	if (cut->model != MODEL_SPLIT)
		change->durable = change->to_durable =
		    change->durable || change->to_durable;
}

static bool
is_durable(const struct cut *cut, size_t at)
{
	const struct change *change = &cut->changes[at];
	bool by_journal = is_ext4(cut) && at < cut->committed;

	switch (change->kind) {
	case CHANGE_MAKE:
		return true;		/* what has no name is not there anyway */
	case CHANGE_WRITE:
		return is_data_synced(cut, change->inode) ||
		    (cut->model == MODEL_EXT4 && by_journal);
	case CHANGE_RESIZE:
		return is_data_synced(cut, change->inode) || by_journal;
	case CHANGE_ATTRIBUTES:
		return by_journal || (!is_ext4(cut) &&
		    is_synced(cut, change->inode));
	case CHANGE_LINK:
	case CHANGE_UNLINK:
		return is_ext4(cut) ? by_journal :
		    is_name_durable(cut, change, change->directory);
	case CHANGE_RENAME:
		return by_journal;
	default:
		return false;
	}
}

/* Backwards, so that each change meets the syncs that followed it. */
static void
find_durable(struct cut *cut)
{
	for (size_t i = cut->count; i-- > 0;) {
		struct change *change = &cut->changes[i];
		struct inode *inode = inode_find(cut->image, change->inode);

		if (change->kind == CHANGE_SYNC && inode != NULL) {
			inode->data_synced = true;
			inode->synced |= !change->data_only;
		}
		if (change->kind == CHANGE_RENAME && !is_ext4(cut))
			find_durable_rename(cut, change);
		else
			change->durable = change->to_durable =
			    is_durable(cut, i);
	}
}

/* ext4's journal: up to the last commit, and perhaps some way on. */
static void
choose_commit(struct cut *cut)
{
	size_t last = 0;

	for (size_t i = 0; i < cut->count; i++) {
		if (cut->changes[i].kind == CHANGE_SYNC &&
		    cut->changes[i].commits)
			last = i;
	}
	cut->committed = last + (survives(cut) ?
	    next_random(cut) % (cut->count - last + 1) : 0);
}

/* ----------------------------------------------------------- the image */

/* Some of the sectors; or, as some file systems do, the size and nothing else. */
static void
write_torn(struct cut *cut, struct inode *inode, const struct change *change)
{
	bool size_only = cut->model != MODEL_EXT4_RANDOM && survives(cut);
	size_t done = 0;

	if (size_only && change->offset + (int64_t)change->length > inode->size)
		inode_resize(inode, change->offset + (int64_t)change->length);
	while (done < change->length) {
		size_t part = SECTOR -
		    (size_t)(change->offset + (int64_t)done) % SECTOR;

		if (part > change->length - done)
			part = change->length - done;
		if (survives(cut))
			inode_write(inode, change->bytes != NULL ?
			    change->bytes + done : NULL, part,
			    change->offset + (int64_t)done);
		done += part;
	}
}

static void
redo_write(struct cut *cut, struct inode *inode, const struct change *change)
{
	bool whole = change->durable;

	if (!whole && (cut->model == MODEL_EXT4 ||
	    cut->model == MODEL_PERFILE || cut->model == MODEL_STRICT))
		return;
	if (!whole && !survives(cut)) {
		if (next_random(cut) % 2)
			write_torn(cut, inode, change);
		return;
	}
	inode_write(inode, change->bytes, change->length, change->offset);
	inode->mtime_ns = change->mtime_ns;
}

static void
redo_attributes(struct inode *inode, const struct change *change)
{
	inode->mode = change->mode;
	inode->uid = change->uid;
	inode->gid = change->gid;
	inode->mtime_ns = change->mtime_ns;
}

/* A directory's names are stored in order: once one was not, none is that follows. */
static bool
name_survives(struct cut *cut, struct inode *directory, bool durable)
{
	if (durable)
		return true;
	if (cut->model != MODEL_RANDOM && cut->model != MODEL_SPLIT)
		return false;
	if (directory->stopped || !survives(cut))
		directory->stopped = true;
	return !directory->stopped;
}

static void
redo_rename(struct cut *cut, const struct change *change,
    struct inode *from, struct inode *to, struct inode *inode)
{
	bool linked, unlinked;

	unlinked = name_survives(cut, from, change->durable);
	linked = name_survives(cut, to, change->to_durable);
	if (cut->model != MODEL_SPLIT)
		linked = unlinked = linked && unlinked;
	/* The old name first: they may be the same. */
	inode->names++;
	if (unlinked)
		entry_unlink(cut->image, from, change->name);
	if (linked)
		entry_link(cut->image, to, change->to_name, inode);
	inode->names--;
}

static void
redo_name(struct cut *cut, const struct change *change)
{
	struct inode *directory = inode_find(cut->image, change->directory);
	struct inode *inode = inode_find(cut->image, change->inode);

	if (directory == NULL || inode == NULL)
		return;
	if (change->kind == CHANGE_RENAME) {
		struct inode *to = inode_find(cut->image, change->to_directory);

		if (to != NULL)
			redo_rename(cut, change, directory, to, inode);
	} else if (name_survives(cut, directory, change->durable)) {
		if (change->kind == CHANGE_LINK)
			entry_link(cut->image, directory, change->name, inode);
		else
			entry_unlink(cut->image, directory, change->name);
	}
}

static void
redo(struct cut *cut, const struct change *change)
{
	bool random = cut->model == MODEL_RANDOM || cut->model == MODEL_SPLIT;
	struct inode *inode = inode_find(cut->image, change->inode);

	switch (change->kind) {
	case CHANGE_WRITE:
		if (inode != NULL)
			redo_write(cut, inode, change);
		break;
	case CHANGE_RESIZE:
		if (inode != NULL && (change->durable ||
		    (random && survives(cut))))
			inode_resize(inode, change->offset);
		break;
	case CHANGE_ATTRIBUTES:
		if (inode != NULL && (change->durable ||
		    (random && survives(cut))))
			redo_attributes(inode, change);
		break;
	case CHANGE_LINK:
	case CHANGE_UNLINK:
	case CHANGE_RENAME:
		redo_name(cut, change);
		break;
	default:
		break;
	}
}

/* Inodes first, without names, held until all names are known. */
static void
make_inodes(struct cut *cut)
{
	for (size_t i = 0; i < cut->count; i++) {
		const struct change *change = &cut->changes[i];

		if (change->kind != CHANGE_MAKE)
			continue;

		struct inode *inode = inode_new(cut->image, change->inode,
		    change->mode, change->uid, change->gid);

		inode->mtime_ns = change->mtime_ns;
		inode->home = change->directory;
	}

	struct inode *inode;

	RB_FOREACH(inode, inodes, &cut->image->inodes)
		inode->lookups++;
}

static void
let_go(struct tree *image)
{
	struct inode *inode;

	RB_FOREACH(inode, inodes, &image->inodes) {
		inode->lookups = 0;
		inode->synced = inode->data_synced = inode->stopped = false;
	}
	tree_prune(image);
	RB_FOREACH(inode, inodes, &image->inodes)
		inode->stopped = false;
}

struct tree *
tape_image(const struct tape *tape, size_t at, enum model model, uint64_t seed)
{
	static const unsigned int chances[] = { 0, 10, 50, 90, 98 };
	struct cut cut = { .count = at < tape->count ? at : tape->count,
	    .model = model, .random = seed, .image = tree_copy(tape->base) };

	cut.survival = chances[next_random(&cut) % COUNT_OF(chances)];
	cut.changes = mem_zalloc(cut.count + 1, sizeof(*cut.changes));
	if (cut.count > 0)
		memcpy(cut.changes, tape->changes,
		    cut.count * sizeof(*cut.changes));
	make_inodes(&cut);
	choose_commit(&cut);
	find_durable(&cut);
	for (size_t i = 0; i < cut.count; i++)
		redo(&cut, &cut.changes[i]);
	free(cut.changes);
	let_go(cut.image);
	return cut.image;
}
