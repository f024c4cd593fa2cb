#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/base.h"

#define WRITE_MAX	(1 << 20)
#define ROOM		(WRITE_MAX + 4096)

struct request {
	struct server	*server;
	struct live	*live;
	const struct fuse_in_header *header;
	struct inode	*inode;		/* that it is about */
	const char	*bytes;		/* what follows the header */
	size_t		 length;
};

/* The fixed part of a request; and the name behind it. */
#define ARGUMENT(request, type) \
	((const struct type *)(const void *)(request)->bytes)
#define NAME(request, type) ((request)->bytes + sizeof(struct type))

/* ----------------------------------------------------------- answers */

static void
answer(const struct request *request, int error, const void *bytes,
    size_t length)
{
	struct fuse_out_header header = { .error = -error,
	    .unique = request->header->unique,
	    .len = (uint32_t)(sizeof(header) + length) };
	const struct iovec parts[] = {
		{ &header, sizeof(header) },
		{ (void *)(uintptr_t)bytes, length },
	};

	/* ENOENT: who asked was killed meanwhile. */
	if (writev(request->server->fd, parts, 2) == -1 && errno != ENOENT)
		log_warning("cannot answer request %u: %m",
		    request->header->opcode);
}

static void
answer_error(const struct request *request, int error)
{
	answer(request, error, NULL, 0);
}

static uint64_t
node_of(const struct request *request, const struct inode *inode)
{
	return inode == request->live->tree->root ? FUSE_ROOT_ID :
	    (uint64_t)(uintptr_t)inode;
}

static struct inode *
inode_of(const struct request *request, uint64_t node)
{
	return node == FUSE_ROOT_ID ? request->live->tree->root :
	    (struct inode *)(uintptr_t)node;
}

static void
fill_attributes(struct fuse_attr *attr, const struct inode *inode)
{
	uint64_t seconds = (uint64_t)(inode->mtime_ns / 1000000000);
	uint32_t rest = (uint32_t)(inode->mtime_ns % 1000000000);

	*attr = (struct fuse_attr){ .ino = inode->number,
	    .size = (uint64_t)inode->size,
	    .blocks = ((uint64_t)inode->size + 511) / 512,
	    .atime = seconds, .mtime = seconds, .ctime = seconds,
	    .atimensec = rest, .mtimensec = rest, .ctimensec = rest,
	    .mode = inode->mode, .uid = inode->uid, .gid = inode->gid,
	    .nlink = S_ISDIR(inode->mode) ? 2 : inode->names,
	    .blksize = 4096 };
}

/* Nothing is kept by the kernel: the tree may be another one at any time. */
static void
fill_entry(const struct request *request, struct fuse_entry_out *out,
    struct inode *inode)
{
	*out = (struct fuse_entry_out){ .nodeid = node_of(request, inode),
	    .generation = inode->number };
	fill_attributes(&out->attr, inode);
	inode->lookups++;
}

static void
answer_entry(const struct request *request, struct inode *inode)
{
	struct fuse_entry_out out;

	fill_entry(request, &out, inode);
	answer(request, 0, &out, sizeof(out));
}

static void
answer_attributes(const struct request *request)
{
	struct fuse_attr_out out = { 0 };

	fill_attributes(&out.attr, request->inode);
	answer(request, 0, &out, sizeof(out));
}

/* ----------------------------------------------------------- names */

static void
serve_lookup(struct request *request)
{
	struct entry *entry = entry_find(request->inode, request->bytes);

	if (entry == NULL)
		answer_error(request, ENOENT);
	else
		answer_entry(request, entry->inode);
}

static void
forget(struct request *request, uint64_t node, uint64_t lookups)
{
	struct inode *inode = inode_of(request, node);

	if (node == FUSE_ROOT_ID)
		return;
	inode->lookups -= lookups;
	inode_settle(request->live->tree, inode);
}

static void
serve_forget(struct request *request)
{
	forget(request, request->header->nodeid,
	    ARGUMENT(request, fuse_forget_in)->nlookup);
}

static void
serve_forget_many(struct request *request)
{
	const struct fuse_forget_one *all =
	    (const void *)NAME(request, fuse_batch_forget_in);

	for (uint32_t i = 0; i < ARGUMENT(request, fuse_batch_forget_in)->count; i++)
		forget(request, all[i].nodeid, all[i].nlookup);
}

static struct inode *
make(struct request *request, mode_t mode, const char *name)
{
	struct inode *inode = live_make(request->live, request->inode, mode,
	    request->header->uid, request->header->gid);

	if (name != NULL)
		live_link(request->live, request->inode, name, inode);
	return inode;
}

static void
serve_mknod(struct request *request)
{
	answer_entry(request, make(request,
	    ARGUMENT(request, fuse_mknod_in)->mode,
	    NAME(request, fuse_mknod_in)));
}

static void
serve_mkdir(struct request *request)
{
	answer_entry(request, make(request, S_IFDIR |
	    (ARGUMENT(request, fuse_mkdir_in)->mode & 07777),
	    NAME(request, fuse_mkdir_in)));
}

static void
serve_create(struct request *request)
{
	const struct fuse_create_in *in = ARGUMENT(request, fuse_create_in);
	bool named = request->header->opcode == FUSE_CREATE;
	struct {
		struct fuse_entry_out	entry;
		struct fuse_open_out	open;
	} out = { .open.open_flags = FOPEN_DIRECT_IO };

	if (!named && request->server->no_tmpfile) {
		answer_error(request, EOPNOTSUPP);
		return;
	}
	fill_entry(request, &out.entry, make(request,
	    S_IFREG | (in->mode & 07777),
	    named ? NAME(request, fuse_create_in) : NULL));
	answer(request, 0, &out, sizeof(out));
}

static void
serve_link(struct request *request)
{
	struct inode *inode = inode_of(request,
	    ARGUMENT(request, fuse_link_in)->oldnodeid);
	const char *name = NAME(request, fuse_link_in);

	if (entry_find(request->inode, name) != NULL) {
		answer_error(request, EEXIST);
		return;
	}
	live_link(request->live, request->inode, name, inode);
	answer_entry(request, inode);
}

static void
serve_unlink(struct request *request)
{
	struct entry *entry = entry_find(request->inode, request->bytes);

	if (entry == NULL) {
		answer_error(request, ENOENT);
	} else if (!RB_EMPTY(&entry->inode->entries)) {
		answer_error(request, ENOTEMPTY);
	} else {
		live_unlink(request->live, request->inode, request->bytes);
		answer_error(request, 0);
	}
}

static void
serve_rename(struct request *request)
{
	bool second = request->header->opcode == FUSE_RENAME2;
	const struct fuse_rename2_in *in = ARGUMENT(request, fuse_rename2_in);
	const char *name = second ? NAME(request, fuse_rename2_in) :
	    NAME(request, fuse_rename_in);
	const char *to_name = name + strlen(name) + 1;
	struct inode *to = inode_of(request, in->newdir);
	struct entry *there = entry_find(to, to_name);

	if (entry_find(request->inode, name) == NULL)
		answer_error(request, ENOENT);
	else if (second && (in->flags & ~1u) != 0)
		answer_error(request, EINVAL);
	else if (there != NULL && second && in->flags != 0)
		answer_error(request, EEXIST);
	else if (there != NULL && !RB_EMPTY(&there->inode->entries))
		answer_error(request, ENOTEMPTY);
	else {
		live_rename(request->live, request->inode, name, to, to_name);
		answer_error(request, 0);
	}
}

/* Entries as they were made, so that a place in the list stays one. */
static void
serve_readdir(struct request *request)
{
	const struct fuse_read_in *in = ARGUMENT(request, fuse_read_in);
	struct text out = TEXT_EMPTY;
	struct entry *entry;

	TAILQ_FOREACH(entry, &request->inode->order, in_order) {
		struct fuse_dirent head = { .ino = entry->inode->number,
		    .off = entry->cookie,
		    .namelen = (uint32_t)strlen(entry->name),
		    .type = entry->inode->mode >> 12 };
		size_t size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + head.namelen);

		if (entry->cookie <= in->offset)
			continue;
		if (out.length + size > in->size)
			break;

		char *room = text_reserve(&out, size);

		memset(room, 0, size);
		memcpy(room, &head, FUSE_NAME_OFFSET);
		memcpy(room + FUSE_NAME_OFFSET, entry->name, head.namelen);
		out.length += size;
	}
	answer(request, 0, out.bytes, out.length);
	text_clear(&out);
}

/* ----------------------------------------------------------- contents */

static void
serve_getattr(struct request *request)
{
	answer_attributes(request);
}

static void
serve_setattr(struct request *request)
{
	const struct fuse_setattr_in *in = ARGUMENT(request, fuse_setattr_in);
	struct inode *inode = request->inode;
	uint32_t valid = in->valid;

	if (valid & FATTR_SIZE)
		live_resize(request->live, inode, (int64_t)in->size);
	if (valid & FATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (in->mode & 07777);
	if (valid & FATTR_UID)
		inode->uid = in->uid;
	if (valid & FATTR_GID)
		inode->gid = in->gid;
	if (valid & FATTR_MTIME_NOW)
		inode->mtime_ns = clock_wall_us() * 1000;
	else if (valid & FATTR_MTIME)
		inode->mtime_ns = (int64_t)in->mtime * 1000000000 +
		    in->mtimensec;
	if (valid & (FATTR_MODE | FATTR_UID | FATTR_GID | FATTR_MTIME |
	    FATTR_MTIME_NOW))
		live_attributes(request->live, inode);
	answer_attributes(request);
}

static void
serve_open(struct request *request)
{
	answer(request, 0, &(struct fuse_open_out){
	    .open_flags = FOPEN_DIRECT_IO }, sizeof(struct fuse_open_out));
}

static void
serve_opendir(struct request *request)
{
	answer(request, 0, &(struct fuse_open_out){ 0 },
	    sizeof(struct fuse_open_out));
}

static void
serve_read(struct request *request)
{
	const struct fuse_read_in *in = ARGUMENT(request, fuse_read_in);
	char *room = mem_alloc(in->size + 1);

	answer(request, 0, room, inode_read(request->inode, room, in->size,
	    (int64_t)in->offset));
	free(room);
}

static void
serve_write(struct request *request)
{
	const struct fuse_write_in *in = ARGUMENT(request, fuse_write_in);
	int64_t limit = request->live->limit;

	if (limit != 0 && (int64_t)(in->offset + in->size) > limit) {
		answer_error(request, ENOSPC);
		return;
	}
	live_write(request->live, request->inode, NAME(request, fuse_write_in),
	    in->size, (int64_t)in->offset);
	answer(request, 0, &(struct fuse_write_out){ .size = in->size },
	    sizeof(struct fuse_write_out));
}

static void
serve_fallocate(struct request *request)
{
	const struct fuse_fallocate_in *in =
	    ARGUMENT(request, fuse_fallocate_in);
	int64_t end = (int64_t)(in->offset + in->length);

	if (in->mode != 0) {
		answer_error(request, EOPNOTSUPP);
		return;
	}
	if (end > request->inode->size)
		live_resize(request->live, request->inode, end);
	answer_error(request, 0);
}

static void
serve_sync(struct request *request)
{
	live_sync(request->live, request->inode,
	    request->header->opcode == FUSE_FSYNC &&
	    (ARGUMENT(request, fuse_fsync_in)->fsync_flags &
	    FUSE_FSYNC_FDATASYNC));
	answer_error(request, 0);
}

static void
serve_statfs(struct request *request)
{
	answer(request, 0, &(struct fuse_statfs_out){ .st = {
	    .blocks = 1 << 22, .bfree = 1 << 22, .bavail = 1 << 22,
	    .files = 1 << 24, .ffree = 1 << 24, .bsize = 4096,
	    .frsize = 4096, .namelen = 255 } },
	    sizeof(struct fuse_statfs_out));
}

static void
serve_done(struct request *request)
{
	answer_error(request, 0);
}

static void
serve_init(struct request *request)
{
	const struct fuse_init_in *in = ARGUMENT(request, fuse_init_in);

	answer(request, 0, &(struct fuse_init_out){
	    .major = FUSE_KERNEL_VERSION,
	    .minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor :
		FUSE_KERNEL_MINOR_VERSION,
	    .flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES),
	    .max_background = 16, .congestion_threshold = 12,
	    .max_write = WRITE_MAX, .max_pages = WRITE_MAX / 4096,
	    .time_gran = 1 }, sizeof(struct fuse_init_out));
}

/* ----------------------------------------------------------- requests */

static const struct {
	void	(*serve)(struct request *request);
} requests[] = {
	[FUSE_LOOKUP] =		{ serve_lookup },
	[FUSE_FORGET] =		{ serve_forget },
	[FUSE_GETATTR] =	{ serve_getattr },
	[FUSE_SETATTR] =	{ serve_setattr },
	[FUSE_MKNOD] =		{ serve_mknod },
	[FUSE_MKDIR] =		{ serve_mkdir },
	[FUSE_UNLINK] =		{ serve_unlink },
	[FUSE_RMDIR] =		{ serve_unlink },
	[FUSE_RENAME] =		{ serve_rename },
	[FUSE_LINK] =		{ serve_link },
	[FUSE_OPEN] =		{ serve_open },
	[FUSE_READ] =		{ serve_read },
	[FUSE_WRITE] =		{ serve_write },
	[FUSE_STATFS] =		{ serve_statfs },
	[FUSE_RELEASE] =	{ serve_done },
	[FUSE_FSYNC] =		{ serve_sync },
	[FUSE_FLUSH] =		{ serve_done },
	[FUSE_INIT] =		{ serve_init },
	[FUSE_OPENDIR] =	{ serve_opendir },
	[FUSE_READDIR] =	{ serve_readdir },
	[FUSE_RELEASEDIR] =	{ serve_done },
	[FUSE_FSYNCDIR] =	{ serve_sync },
	[FUSE_CREATE] =		{ serve_create },
	[FUSE_DESTROY] =	{ serve_done },
	[FUSE_BATCH_FORGET] =	{ serve_forget_many },
	[FUSE_FALLOCATE] =	{ serve_fallocate },
	[FUSE_RENAME2] =	{ serve_rename },
	[FUSE_TMPFILE] =	{ serve_create },
};

bool
serve_request(struct server *server)
{
	static char room[ROOM] __attribute__((aligned(8)));
	ssize_t length = read(server->fd, room, sizeof(room));

	if (length == -1)	/* ENOENT: taken back before it was read */
		return errno == EINTR || errno == EAGAIN || errno == ENOENT;

	struct request request = { .server = server, .live = server->live,
	    .header = (const void *)room,
	    .bytes = room + sizeof(struct fuse_in_header),
	    .length = (size_t)length - sizeof(struct fuse_in_header) };
	uint32_t opcode = request.header->opcode;

	if (request.header->nodeid != 0)
		request.inode = inode_of(&request, request.header->nodeid);
	if (opcode == FUSE_INTERRUPT)
		return true;		/* nothing here takes long */
	if (opcode < COUNT_OF(requests) && requests[opcode].serve != NULL)
		requests[opcode].serve(&request);
	else
		answer_error(&request, ENOSYS);
	return true;
}

int
serve_mount(struct server *server, const char *path)
{
	char options[200];

	server->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (server->fd == -1)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0,"
	    "group_id=0,default_permissions,allow_other", server->fd);
	return mount("forgetfs", path, "fuse", MS_NODEV | MS_NOATIME, options);
}
