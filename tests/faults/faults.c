/*
 * faults - a shim that makes the n-th call of a kind fail (LD_PRELOAD)
 *
 * The test and the daemon share a small file, named by FAULTS and mapped
 * before the daemon closes its sandbox: the test says which class of calls
 * fails how, and from which to which call; the shim counts, and notes what it
 * did. So one daemon, and those that take its place, serve for any number of
 * faults, one at a time. What the daemon forks is counted with it; what it
 * executes is left alone.
 *
 * After an fsync that failed it also watches that nobody calls fsync for that
 * descriptor again: the second would succeed, and nothing would be stored.
 */

#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOG_FD		3	/* of every daemon: what cannot be written there cannot be told */
#define FDS_MAX		1024

/* As tests/faults/faults.py numbers them. */
enum fault_class { NONE, WRITE, READ, SYNC, OPEN, NAME, SOCKET, SEND, FORK,
    MEMORY, LOG };

static struct state {
	uint64_t	class;
	uint64_t	error;		/* an errno; 0: the call does less than it was asked to */
	uint64_t	first, last;	/* the calls that fail, counted from 1; first 0: none */
	uint64_t	count;
	uint64_t	fired;
	uint64_t	retried;	/* fsync of what could not be synced before */
	uint64_t	caller;		/* of the first that failed, from the program's beginning */
	char		name[32];	/* of the function */
} nothing, *state = &nothing;

static uintptr_t program;
static bool failed_sync[FDS_MAX];

static int
find_program(struct dl_phdr_info *info, size_t size, void *context)
{
	program = info->dlpi_addr;
	return 1;	/* the first is the program itself */
}

static void __attribute__((constructor))
begin(void)
{
	const char *path = getenv("FAULTS");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

	unsetenv("LD_PRELOAD");
	unsetenv("FAULTS");
	dl_iterate_phdr(find_program, NULL);
	if (fd == -1)
		return;

	void *mapping = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	if (mapping != MAP_FAILED)
		state = mapping;
	close(fd);
}

/* Is this the call? Then errno is set, but for a call that shall do less. */
static bool
fails(enum fault_class class, const char *name, void *caller)
{
	if (state->class != class || state->first == 0)
		return false;

	uint64_t n = __atomic_add_fetch(&state->count, 1, __ATOMIC_SEQ_CST);

	if (n < state->first || n > state->last)
		return false;
	if (__atomic_add_fetch(&state->fired, 1, __ATOMIC_SEQ_CST) == 1) {
		strncpy(state->name, name, sizeof(state->name) - 1);
		state->caller = (uintptr_t)caller - program;
	}
	if (state->error != 0)
		errno = (int)state->error;
	return true;
}

#define FAILS(class)	fails(class, __func__, __builtin_return_address(0))
#define REAL(name)	((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Calls that only can fail: the function, what it is given, and what says that it failed. */
#define CALL(class, type, name, parameters, arguments, failure)		\
type									\
name parameters								\
{									\
	static __typeof__(&name) real;					\
									\
	if (FAILS(class) && state->error != 0)				\
		return failure;						\
	if (real == NULL)						\
		real = REAL(name);					\
	return real arguments;						\
}

CALL(NAME, int, rename, (const char *a, const char *b), (a, b), -1)
CALL(NAME, int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d), -1)
CALL(NAME, int, renameat2, (int a, const char *b, int c, const char *d, unsigned int e), (a, b, c, d, e), -1)
CALL(NAME, int, link, (const char *a, const char *b), (a, b), -1)
CALL(NAME, int, linkat, (int a, const char *b, int c, const char *d, int e), (a, b, c, d, e), -1)
CALL(NAME, int, unlink, (const char *a), (a), -1)
CALL(NAME, int, unlinkat, (int a, const char *b, int c), (a, b, c), -1)
CALL(NAME, int, mkdir, (const char *a, mode_t b), (a, b), -1)
CALL(NAME, int, mkdirat, (int a, const char *b, mode_t c), (a, b, c), -1)
CALL(NAME, int, ftruncate, (int a, off_t b), (a, b), -1)
CALL(NAME, int, fallocate, (int a, int b, off_t c, off_t d), (a, b, c, d), -1)
CALL(SOCKET, int, socket, (int a, int b, int c), (a, b, c), -1)
CALL(SOCKET, int, socketpair, (int a, int b, int c, int d[2]), (a, b, c, d), -1)
CALL(SOCKET, int, connect, (int a, const struct sockaddr *b, socklen_t c), (a, b, c), -1)
CALL(SOCKET, int, accept, (int a, struct sockaddr *b, socklen_t *c), (a, b, c), -1)
CALL(SOCKET, int, accept4, (int a, struct sockaddr *b, socklen_t *c, int d), (a, b, c, d), -1)
CALL(SOCKET, int, pipe2, (int a[2], int b), (a, b), -1)
CALL(SOCKET, int, memfd_create, (const char *a, unsigned int b), (a, b), -1)
CALL(SEND, ssize_t, sendmsg, (int a, const struct msghdr *b, int c), (a, b, c), -1)
CALL(SEND, ssize_t, send, (int a, const void *b, size_t c, int d), (a, b, c, d), -1)
CALL(READ, ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c), -1)
CALL(FORK, pid_t, fork, (void), (), -1)
CALL(MEMORY, void *, mmap, (void *a, size_t b, int c, int d, int e, off_t f), (a, b, c, d, e, f), MAP_FAILED)

/* Opening, under all its names. The mode is passed on as it is, there or not. */
#define OPEN_CALL(name, parameters, arguments)				\
int	name parameters;						\
int									\
name parameters								\
{									\
	static __typeof__(&name) real;					\
	mode_t mode = 0;						\
	va_list rest;							\
									\
	if (flags & (O_CREAT | __O_TMPFILE)) {				\
		va_start(rest, flags);					\
		mode = va_arg(rest, mode_t);				\
		va_end(rest);						\
	}								\
	if (FAILS(OPEN) && state->error != 0)				\
		return -1;						\
	if (real == NULL)						\
		real = REAL(name);					\
	return real arguments;						\
}

#define PATH_AND_MORE	(const char *path, int flags, ...)
#define AT_AND_MORE	(int at, const char *path, int flags, ...)

OPEN_CALL(open, PATH_AND_MORE, (path, flags, mode))
OPEN_CALL(open64, PATH_AND_MORE, (path, flags, mode))
OPEN_CALL(__open_2, PATH_AND_MORE, (path, flags, mode))
OPEN_CALL(__open64_2, PATH_AND_MORE, (path, flags, mode))
OPEN_CALL(openat, AT_AND_MORE, (at, path, flags, mode))
OPEN_CALL(openat64, AT_AND_MORE, (at, path, flags, mode))
OPEN_CALL(__openat_2, AT_AND_MORE, (at, path, flags, mode))
OPEN_CALL(__openat64_2, AT_AND_MORE, (at, path, flags, mode))

/* Calls that may also do less than they were asked to: half, and at least one byte. */
static size_t
less(size_t length)
{
	return length > 1 ? length / 2 : length;
}

static enum fault_class
write_class(int fd)
{
	return fd == LOG_FD ? LOG : WRITE;
}

#define TRANSFER_CALL(class, name, parameters, arguments)		\
ssize_t									\
name parameters								\
{									\
	static __typeof__(&name) real;					\
									\
	if (real == NULL)						\
		real = REAL(name);					\
	if (FAILS(class)) {						\
		if (state->error != 0)					\
			return -1;					\
		length = less(length);					\
	}								\
	return real arguments;						\
}

TRANSFER_CALL(write_class(fd), write, (int fd, const void *from, size_t length), (fd, from, length))
TRANSFER_CALL(WRITE, pwrite, (int fd, const void *from, size_t length, off_t at), (fd, from, length, at))
TRANSFER_CALL(WRITE, pwrite64, (int fd, const void *from, size_t length, off_t at), (fd, from, length, at))
TRANSFER_CALL(READ, read, (int fd, void *to, size_t length), (fd, to, length))
TRANSFER_CALL(READ, pread, (int fd, void *to, size_t length, off_t at), (fd, to, length, at))
TRANSFER_CALL(READ, pread64, (int fd, void *to, size_t length, off_t at), (fd, to, length, at))
TRANSFER_CALL(READ, recv, (int fd, void *to, size_t length, int flags), (fd, to, length, flags))
TRANSFER_CALL(WRITE, copy_file_range, (int fd, off_t *at, int to, off_t *to_at, size_t length, unsigned int flags),
    (fd, at, to, to_at, length, flags))

/* The same under the names that _FORTIFY_SOURCE gives them. */
ssize_t	__read_chk(int, void *, size_t, size_t);
ssize_t	__pread_chk(int, void *, size_t, off_t, size_t);
ssize_t	__pread64_chk(int, void *, size_t, off_t, size_t);
ssize_t	__recv_chk(int, void *, size_t, size_t, int);
TRANSFER_CALL(READ, __read_chk, (int fd, void *to, size_t length, size_t room), (fd, to, length, room))
TRANSFER_CALL(READ, __pread_chk, (int fd, void *to, size_t length, off_t at, size_t room), (fd, to, length, at, room))
TRANSFER_CALL(READ, __pread64_chk, (int fd, void *to, size_t length, off_t at, size_t room), (fd, to, length, at, room))
TRANSFER_CALL(READ, __recv_chk, (int fd, void *to, size_t length, size_t room, int flags), (fd, to, length, room, flags))

/* Of several parts a short call does the first half of the first one. */
static struct iovec
first_half(const struct iovec *parts)
{
	return (struct iovec){ parts->iov_base, less(parts->iov_len) };
}

#define VECTOR_CALL(class, name, parameters, all, one)			\
ssize_t									\
name parameters								\
{									\
	static __typeof__(&name) real;					\
	struct iovec part = first_half(parts);				\
									\
	if (real == NULL)						\
		real = REAL(name);					\
	if (!FAILS(class))						\
		return real all;					\
	return state->error != 0 ? -1 : real one;			\
}

VECTOR_CALL(write_class(fd), writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), (fd, &part, 1))
VECTOR_CALL(WRITE, pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), (fd, &part, 1, at))
VECTOR_CALL(WRITE, pwritev64, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), (fd, &part, 1, at))
VECTOR_CALL(READ, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count), (fd, &part, 1))

/* Durability: directories may be synced again, since another file's name may need it. */
static void
look_again(int fd)
{
	if (fd >= 0 && fd < FDS_MAX && failed_sync[fd])
		__atomic_add_fetch(&state->retried, 1, __ATOMIC_SEQ_CST);
}

static int
sync_failed(int fd)
{
	int error = errno;
	struct stat st;

	if (fd >= 0 && fd < FDS_MAX && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		failed_sync[fd] = true;
	errno = error;
	return -1;
}

int
fsync(int fd)
{
	look_again(fd);
	return FAILS(SYNC) ? sync_failed(fd) : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	look_again(fd);
	return FAILS(SYNC) ? sync_failed(fd) : REAL(fdatasync)(fd);
}

int
close(int fd)
{
	static __typeof__(&close) real;

	if (fd >= 0 && fd < FDS_MAX)
		failed_sync[fd] = false;
	if (real == NULL)
		real = REAL(close);
	return real(fd);
}

/* Memory: by the names of the C library's own, since dlsym() allocates. */
void	*__libc_malloc(size_t);
void	*__libc_calloc(size_t, size_t);
void	*__libc_realloc(void *, size_t);

void *
malloc(size_t size)
{
	return FAILS(MEMORY) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return FAILS(MEMORY) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	return FAILS(MEMORY) ? NULL : __libc_realloc(old, size);
}
