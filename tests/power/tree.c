#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"

#define PAGE	4096

struct page {
	unsigned int	references;
	char		bytes[PAGE];
};

static int
entry_compare(const struct entry *a, const struct entry *b)
{
	return strcmp(a->name, b->name);
}

static int
inode_compare(const struct inode *a, const struct inode *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_GENERATE(entries, entry, by_name, entry_compare)
RB_GENERATE(inodes, inode, by_number, inode_compare)

/* ----------------------------------------------------------- contents */

static void
page_drop(struct page **page)
{
	if (*page != NULL && --(*page)->references == 0)
		free(*page);
	*page = NULL;
}

/* The page, ours alone to write. */
static struct page *
page_own(struct page **slot)
{
	struct page *old = *slot;

	if (old != NULL && old->references == 1)
		return old;
	*slot = mem_zalloc(1, sizeof(**slot));
	(*slot)->references = 1;
	if (old != NULL) {
		memcpy((*slot)->bytes, old->bytes, PAGE);
		old->references--;
	}
	return *slot;
}

static void
set_page_count(struct inode *inode, size_t count)
{
	for (size_t i = count; i < inode->page_count; i++)
		page_drop(&inode->pages[i]);
	if (count == 0) {
		free(inode->pages);
		inode->pages = NULL;
	} else if (count != inode->page_count) {
		inode->pages = mem_resize(inode->pages, count,
		    sizeof(*inode->pages));
	}
	for (size_t i = inode->page_count; i < count; i++)
		inode->pages[i] = NULL;
	inode->page_count = count;
}

void
inode_resize(struct inode *inode, int64_t size)
{
	size_t tail = (size_t)(size % PAGE);

	set_page_count(inode, ((size_t)size + PAGE - 1) / PAGE);
	inode->size = size;
	if (tail != 0 && inode->pages[inode->page_count - 1] != NULL)
		memset(page_own(&inode->pages[inode->page_count - 1])->bytes +
		    tail, 0, PAGE - tail);
}

static bool
is_zeros(const char *bytes, size_t length)
{
	return length == 0 || (bytes[0] == '\0' &&
	    memcmp(bytes, bytes + 1, length - 1) == 0);
}

void
inode_write(struct inode *inode, const void *bytes, size_t length,
    int64_t offset)
{
	const char *from = bytes;

	if (offset + (int64_t)length > inode->size)
		inode_resize(inode, offset + (int64_t)length);
	while (length > 0) {
		struct page **slot = &inode->pages[offset / PAGE];
		size_t at = (size_t)(offset % PAGE);
		size_t part = length < PAGE - at ? length : PAGE - at;

		if (from == NULL && *slot != NULL)
			memset(page_own(slot)->bytes + at, 0, part);
		else if (from != NULL &&
		    (*slot != NULL || !is_zeros(from, part)))
			memcpy(page_own(slot)->bytes + at, from, part);
		from = from != NULL ? from + part : NULL;
		offset += (int64_t)part;
		length -= part;
	}
}

size_t
inode_read(const struct inode *inode, void *bytes, size_t length,
    int64_t offset)
{
	char *to = bytes;
	size_t done = 0;

	if (offset >= inode->size)
		return 0;
	if ((int64_t)length > inode->size - offset)
		length = (size_t)(inode->size - offset);
	while (done < length) {
		const struct page *page = inode->pages[offset / PAGE];
		size_t at = (size_t)(offset % PAGE);
		size_t part = length - done < PAGE - at ? length - done :
		    PAGE - at;

		if (page != NULL)
			memcpy(to + done, page->bytes + at, part);
		else
			memset(to + done, 0, part);
		offset += (int64_t)part;
		done += part;
	}
	return done;
}

/* ----------------------------------------------------------- inodes and names */

struct inode *
inode_new(struct tree *tree, uint64_t number, mode_t mode, uid_t uid, gid_t gid)
{
	struct inode *inode = mem_zalloc(1, sizeof(*inode));

	inode->number = number;
	inode->mode = mode;
	inode->uid = uid;
	inode->gid = gid;
	inode->mtime_ns = clock_wall_us() * 1000;
	RB_INIT(&inode->entries);
	TAILQ_INIT(&inode->order);
	RB_INSERT(inodes, &tree->inodes, inode);
	return inode;
}

struct inode *
inode_find(struct tree *tree, uint64_t number)
{
	struct inode wanted = { .number = number };

	return RB_FIND(inodes, &tree->inodes, &wanted);
}

static void
inode_free(struct tree *tree, struct inode *inode)
{
	if (!inode->detached)
		RB_REMOVE(inodes, &tree->inodes, inode);
	set_page_count(inode, 0);
	free(inode);
}

void
inode_settle(struct tree *tree, struct inode *inode)
{
	if (inode->names == 0 && inode->lookups == 0 &&
	    RB_EMPTY(&inode->entries) && inode != tree->root)
		inode_free(tree, inode);
}

struct entry *
entry_find(struct inode *directory, const char *name)
{
	size_t length = strlen(name) + 1;
	struct entry *wanted = mem_zalloc(1, sizeof(*wanted) + length);

	memcpy(wanted->name, name, length);

	struct entry *found = RB_FIND(entries, &directory->entries, wanted);

	free(wanted);
	return found;
}

static void
entry_remove(struct inode *directory, struct entry *entry)
{
	RB_REMOVE(entries, &directory->entries, entry);
	TAILQ_REMOVE(&directory->order, entry, in_order);
	entry->inode->names--;
	free(entry);
}

void
entry_unlink(struct tree *tree, struct inode *directory, const char *name)
{
	struct entry *entry = entry_find(directory, name);

	if (entry == NULL)
		return;

	struct inode *inode = entry->inode;

	entry_remove(directory, entry);
	inode_settle(tree, inode);
}

void
entry_link(struct tree *tree, struct inode *directory, const char *name,
    struct inode *inode)
{
	size_t length = strlen(name) + 1;
	struct entry *entry = mem_zalloc(1, sizeof(*entry) + length);

	inode->names++;			/* it may be the one that has the name */
	entry_unlink(tree, directory, name);
	memcpy(entry->name, name, length);
	entry->inode = inode;
	entry->cookie = ++directory->last_cookie;
	RB_INSERT(entries, &directory->entries, entry);
	TAILQ_INSERT_TAIL(&directory->order, entry, in_order);
	if (S_ISDIR(inode->mode))
		inode->parent = directory;
}

/* ----------------------------------------------------------- trees */

struct tree *
tree_new(void)
{
	struct tree *tree = mem_zalloc(1, sizeof(*tree));

	RB_INIT(&tree->inodes);
	tree->root = inode_new(tree, ROOT_NUMBER, S_IFDIR | 0755, 0, 0);
	tree->root->parent = tree->root;
	return tree;
}

static void
copy_inode(struct tree *tree, const struct inode *from)
{
	struct inode *to = from->number == ROOT_NUMBER ? tree->root :
	    inode_new(tree, from->number, from->mode, from->uid, from->gid);

	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->mtime_ns = from->mtime_ns;
	to->home = from->home;
	to->size = from->size;
	set_page_count(to, from->page_count);
	for (size_t i = 0; i < from->page_count; i++) {
		to->pages[i] = from->pages[i];
		if (to->pages[i] != NULL)
			to->pages[i]->references++;
	}
}

struct tree *
tree_copy(const struct tree *tree)
{
	struct tree *copy = tree_new();
	struct inodes *all = (struct inodes *)(uintptr_t)&tree->inodes;
	struct inode *inode;
	struct entry *entry;

	RB_FOREACH(inode, inodes, all)
		copy_inode(copy, inode);
	RB_FOREACH(inode, inodes, all) {
		struct inode *directory = inode_find(copy, inode->number);

		TAILQ_FOREACH(entry, &inode->order, in_order)
			entry_link(copy, directory, entry->name,
			    inode_find(copy, entry->inode->number));
	}
	return copy;
}

static void
drop_entries(struct inode *directory)
{
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&directory->order)) != NULL)
		entry_remove(directory, entry);
}

void
tree_free(struct tree **argument)
{
	struct tree *tree = *argument;
	struct inode *inode, *next;

	if (tree == NULL)
		return;
	RB_FOREACH(inode, inodes, &tree->inodes)
		drop_entries(inode);
	RB_FOREACH_SAFE(inode, inodes, &tree->inodes, next) {
		RB_REMOVE(inodes, &tree->inodes, inode);
		inode->detached = true;
		if (inode->lookups == 0 || inode == tree->root)
			inode_free(tree, inode);
	}
	free(tree);
	*argument = NULL;
}

static void
mark_reached(struct inode *inode)
{
	struct entry *entry;

	inode->stopped = true;
	RB_FOREACH(entry, entries, &inode->entries)
		mark_reached(entry->inode);
}

void
tree_prune(struct tree *tree)
{
	struct inode *inode, *next;

	RB_FOREACH(inode, inodes, &tree->inodes)
		inode->stopped = false;
	mark_reached(tree->root);
	RB_FOREACH(inode, inodes, &tree->inodes) {
		if (!inode->stopped)
			drop_entries(inode);
	}
	RB_FOREACH_SAFE(inode, inodes, &tree->inodes, next) {
		if (!inode->stopped)
			inode_free(tree, inode);
	}
}

/* FNV-1a. */
static uint64_t
mix(uint64_t sum, const void *bytes, size_t length)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ p[i]) * 0x100000001b3;
	return sum;
}

static uint64_t
checksum_of(const struct inode *inode, uint64_t sum)
{
	const uint64_t facts[] = { inode->mode, inode->uid, inode->gid,
	    (uint64_t)inode->size };
	struct entries *entries = (struct entries *)(uintptr_t)&inode->entries;
	struct entry *entry;

	sum = mix(sum, facts, sizeof(facts));
	for (size_t i = 0; i < inode->page_count; i++) {
		if (inode->pages[i] != NULL) {
			sum = mix(sum, &i, sizeof(i));
			sum = mix(sum, inode->pages[i]->bytes, PAGE);
		}
	}
	RB_FOREACH(entry, entries, entries) {
		if (S_ISSOCK(entry->inode->mode))
			continue;
		sum = mix(sum, entry->name, strlen(entry->name) + 1);
		sum = checksum_of(entry->inode, sum);
	}
	return sum;
}

uint64_t
tree_checksum(const struct tree *tree)
{
	return checksum_of(tree->root, 0xcbf29ce484222325);
}
