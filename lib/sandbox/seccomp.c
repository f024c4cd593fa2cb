/* seccomp - which system calls stay allowed: rows of permission and call */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "sandbox/internal.h"

#if defined(HAVE_SECCOMP) && !defined(SANITIZE)
#include <seccomp.h>

#define ALWAYS	0u

static const struct {
	unsigned int	 permission;
	int		 call;
} allowed[] = {
	{ ALWAYS, SCMP_SYS(read) }, { ALWAYS, SCMP_SYS(write) },
	{ ALWAYS, SCMP_SYS(readv) }, { ALWAYS, SCMP_SYS(writev) },
	{ ALWAYS, SCMP_SYS(pread64) }, { ALWAYS, SCMP_SYS(pwrite64) },
	{ ALWAYS, SCMP_SYS(preadv) }, { ALWAYS, SCMP_SYS(pwritev) },
	{ ALWAYS, SCMP_SYS(lseek) }, { ALWAYS, SCMP_SYS(close) },
	{ ALWAYS, SCMP_SYS(close_range) },
	{ ALWAYS, SCMP_SYS(fstat) }, { ALWAYS, SCMP_SYS(fcntl) },
	{ ALWAYS, SCMP_SYS(dup) }, { ALWAYS, SCMP_SYS(dup2) },
	{ ALWAYS, SCMP_SYS(dup3) }, { ALWAYS, SCMP_SYS(ftruncate) },
	{ ALWAYS, SCMP_SYS(fsync) }, { ALWAYS, SCMP_SYS(fdatasync) },
	{ ALWAYS, SCMP_SYS(fallocate) }, { ALWAYS, SCMP_SYS(flock) },
	{ ALWAYS, SCMP_SYS(sendfile) }, { ALWAYS, SCMP_SYS(copy_file_range) },
	{ ALWAYS, SCMP_SYS(mmap) }, { ALWAYS, SCMP_SYS(munmap) },
	{ ALWAYS, SCMP_SYS(mremap) }, { ALWAYS, SCMP_SYS(mprotect) },
	{ ALWAYS, SCMP_SYS(madvise) }, { ALWAYS, SCMP_SYS(brk) },
	{ ALWAYS, SCMP_SYS(memfd_create) },
	{ ALWAYS, SCMP_SYS(poll) }, { ALWAYS, SCMP_SYS(ppoll) },
	{ ALWAYS, SCMP_SYS(select) }, { ALWAYS, SCMP_SYS(pselect6) },
	{ ALWAYS, SCMP_SYS(epoll_create) }, { ALWAYS, SCMP_SYS(epoll_create1) },
	{ ALWAYS, SCMP_SYS(epoll_ctl) }, { ALWAYS, SCMP_SYS(epoll_wait) },
	{ ALWAYS, SCMP_SYS(epoll_pwait) }, { ALWAYS, SCMP_SYS(epoll_pwait2) },
	{ ALWAYS, SCMP_SYS(eventfd2) }, { ALWAYS, SCMP_SYS(pipe) },
	{ ALWAYS, SCMP_SYS(pipe2) }, { ALWAYS, SCMP_SYS(timerfd_create) },
	{ ALWAYS, SCMP_SYS(timerfd_settime) },
	{ ALWAYS, SCMP_SYS(recvfrom) }, { ALWAYS, SCMP_SYS(recvmsg) },
	{ ALWAYS, SCMP_SYS(recvmmsg) }, { ALWAYS, SCMP_SYS(sendto) },
	{ ALWAYS, SCMP_SYS(sendmsg) }, { ALWAYS, SCMP_SYS(sendmmsg) },
	{ ALWAYS, SCMP_SYS(shutdown) }, { ALWAYS, SCMP_SYS(getsockname) },
	{ ALWAYS, SCMP_SYS(getpeername) }, { ALWAYS, SCMP_SYS(getsockopt) },
	{ ALWAYS, SCMP_SYS(setsockopt) }, { ALWAYS, SCMP_SYS(accept) },
	{ ALWAYS, SCMP_SYS(accept4) }, { ALWAYS, SCMP_SYS(ioctl) },
	{ ALWAYS, SCMP_SYS(clock_gettime) }, { ALWAYS, SCMP_SYS(clock_getres) },
	{ ALWAYS, SCMP_SYS(clock_nanosleep) }, { ALWAYS, SCMP_SYS(nanosleep) },
	{ ALWAYS, SCMP_SYS(gettimeofday) }, { ALWAYS, SCMP_SYS(time) },
	{ ALWAYS, SCMP_SYS(getrandom) }, { ALWAYS, SCMP_SYS(futex) },
	{ ALWAYS, SCMP_SYS(sched_yield) }, { ALWAYS, SCMP_SYS(rseq) },
	{ ALWAYS, SCMP_SYS(sched_getaffinity) },
	{ ALWAYS, SCMP_SYS(set_robust_list) },
	{ ALWAYS, SCMP_SYS(rt_sigaction) }, { ALWAYS, SCMP_SYS(rt_sigprocmask) },
	{ ALWAYS, SCMP_SYS(rt_sigreturn) }, { ALWAYS, SCMP_SYS(sigaltstack) },
	{ ALWAYS, SCMP_SYS(restart_syscall) }, { ALWAYS, SCMP_SYS(getpid) },
	{ ALWAYS, SCMP_SYS(getppid) }, { ALWAYS, SCMP_SYS(gettid) },
	{ ALWAYS, SCMP_SYS(tgkill) }, { ALWAYS, SCMP_SYS(getuid) },
	{ ALWAYS, SCMP_SYS(geteuid) }, { ALWAYS, SCMP_SYS(getgid) },
	{ ALWAYS, SCMP_SYS(getegid) }, { ALWAYS, SCMP_SYS(getrusage) },
	{ ALWAYS, SCMP_SYS(prlimit64) }, { ALWAYS, SCMP_SYS(getrlimit) },
	{ ALWAYS, SCMP_SYS(uname) }, { ALWAYS, SCMP_SYS(sysinfo) },
	{ ALWAYS, SCMP_SYS(umask) }, { ALWAYS, SCMP_SYS(alarm) },
	{ ALWAYS, SCMP_SYS(setitimer) }, { ALWAYS, SCMP_SYS(getcwd) },
	{ ALWAYS, SCMP_SYS(exit) }, { ALWAYS, SCMP_SYS(exit_group) },

	{ SANDBOX_SOCKETS, SCMP_SYS(connect) },
	{ SANDBOX_SOCKETS, SCMP_SYS(socketpair) },
	{ SANDBOX_NETWORK, SCMP_SYS(connect) },
	{ SANDBOX_NETWORK, SCMP_SYS(socket) },
	{ SANDBOX_NETWORK, SCMP_SYS(bind) },

	{ SANDBOX_READ, SCMP_SYS(open) }, { SANDBOX_READ, SCMP_SYS(openat) },
	{ SANDBOX_READ, SCMP_SYS(openat2) }, { SANDBOX_READ, SCMP_SYS(stat) },
	{ SANDBOX_READ, SCMP_SYS(lstat) }, { SANDBOX_READ, SCMP_SYS(newfstatat) },
	{ SANDBOX_READ, SCMP_SYS(statx) }, { SANDBOX_READ, SCMP_SYS(access) },
	{ SANDBOX_READ, SCMP_SYS(faccessat) }, { SANDBOX_READ, SCMP_SYS(faccessat2) },
	{ SANDBOX_READ, SCMP_SYS(getdents64) }, { SANDBOX_READ, SCMP_SYS(readlink) },
	{ SANDBOX_READ, SCMP_SYS(readlinkat) }, { SANDBOX_READ, SCMP_SYS(statfs) },
	{ SANDBOX_READ, SCMP_SYS(fstatfs) }, { SANDBOX_READ, SCMP_SYS(fadvise64) },
	{ SANDBOX_READ, SCMP_SYS(chdir) }, { SANDBOX_READ, SCMP_SYS(fchdir) },
	{ SANDBOX_WRITE, SCMP_SYS(mkdir) }, { SANDBOX_WRITE, SCMP_SYS(mkdirat) },
	{ SANDBOX_WRITE, SCMP_SYS(link) }, { SANDBOX_WRITE, SCMP_SYS(linkat) },
	{ SANDBOX_WRITE, SCMP_SYS(utimensat) }, { SANDBOX_WRITE, SCMP_SYS(fchmod) },
	{ SANDBOX_WRITE, SCMP_SYS(sync_file_range) },
	{ SANDBOX_UNLINK, SCMP_SYS(unlink) }, { SANDBOX_UNLINK, SCMP_SYS(unlinkat) },
	{ SANDBOX_UNLINK, SCMP_SYS(rename) }, { SANDBOX_UNLINK, SCMP_SYS(renameat) },
	{ SANDBOX_UNLINK, SCMP_SYS(renameat2) }, { SANDBOX_UNLINK, SCMP_SYS(rmdir) },
	{ SANDBOX_OWNERS, SCMP_SYS(chmod) }, { SANDBOX_OWNERS, SCMP_SYS(fchmodat) },
	{ SANDBOX_OWNERS, SCMP_SYS(chown) }, { SANDBOX_OWNERS, SCMP_SYS(fchown) },
	{ SANDBOX_OWNERS, SCMP_SYS(fchownat) },
	{ SANDBOX_BECOME, SCMP_SYS(setuid) }, { SANDBOX_BECOME, SCMP_SYS(setgid) },
	{ SANDBOX_BECOME, SCMP_SYS(setreuid) }, { SANDBOX_BECOME, SCMP_SYS(setregid) },
	{ SANDBOX_BECOME, SCMP_SYS(setresuid) }, { SANDBOX_BECOME, SCMP_SYS(setresgid) },
	{ SANDBOX_BECOME, SCMP_SYS(setgroups) }, { SANDBOX_BECOME, SCMP_SYS(chroot) },
	{ SANDBOX_BECOME, SCMP_SYS(getresuid) }, { SANDBOX_BECOME, SCMP_SYS(getresgid) },
	{ SANDBOX_BECOME, SCMP_SYS(getgroups) }, { SANDBOX_BECOME, SCMP_SYS(capset) },
	{ SANDBOX_FORK, SCMP_SYS(clone) }, { SANDBOX_FORK, SCMP_SYS(clone3) },
	{ SANDBOX_FORK, SCMP_SYS(fork) }, { SANDBOX_FORK, SCMP_SYS(vfork) },
	{ SANDBOX_FORK, SCMP_SYS(wait4) }, { SANDBOX_FORK, SCMP_SYS(waitid) },
	{ SANDBOX_FORK, SCMP_SYS(kill) }, { SANDBOX_FORK, SCMP_SYS(setsid) },
	{ SANDBOX_FORK, SCMP_SYS(setpriority) },
	{ SANDBOX_FORK, SCMP_SYS(sched_setattr) },
	/* What a child does to enter a narrower sandbox than its parent's. */
	{ SANDBOX_FORK, SCMP_SYS(prctl) }, { SANDBOX_FORK, SCMP_SYS(seccomp) },
	{ SANDBOX_FORK, SCMP_SYS(landlock_create_ruleset) },
	{ SANDBOX_FORK, SCMP_SYS(landlock_add_rule) },
	{ SANDBOX_FORK, SCMP_SYS(landlock_restrict_self) },
	{ SANDBOX_THREADS, SCMP_SYS(clone) }, { SANDBOX_THREADS, SCMP_SYS(clone3) },
};

/* Calls that no daemon has a reason to make: who makes one is not our program any more. */
static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load),
	SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd), SCMP_SYS(reboot), SCMP_SYS(swapon),
};

static int
add_rules(scmp_filter_ctx filter, unsigned int permissions)
{
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(deadly) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS,
		    deadly[i], 0);
	for (size_t i = 0; i < COUNT_OF(allowed) && result == 0; i++) {
		if (allowed[i].permission == ALWAYS ||
		    (allowed[i].permission & permissions))
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
			    allowed[i].call, 0);
	}
	/* How glibc asks about an open descriptor. */
	if (result == 0 && !(permissions & SANDBOX_READ))
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(newfstatat), 1,
		    SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH, 0));
	/* Unix sockets for everyone who may connect; the others need NETWORK. */
	if (result == 0 && (permissions & SANDBOX_SOCKETS) &&
	    !(permissions & SANDBOX_NETWORK))
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	return result;
}

/* The filter of these permissions; NULL with errno. */
static scmp_filter_ctx
make_filter(unsigned int permissions)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result;

	if (filter == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	result = add_rules(filter, permissions);
	if (result < 0) {
		seccomp_release(filter);
		errno = -result;
		return NULL;
	}
	return filter;
}

/* One filter as the kernel takes it, made before a fork for all children. */
static struct {
	unsigned int permissions;
	char	*program;
	size_t	 length;
} prepared;

static int
read_program(int fd)
{
	off_t length = lseek(fd, 0, SEEK_END);

	if (length <= 0)
		return -1;
	prepared.program = mem_alloc((size_t)length);
	prepared.length = (size_t)length;
	return fd_pread_full(fd, prepared.program, prepared.length, 0) == length
	    ? 0 : -1;
}

int
sandbox_seccomp_prepare(unsigned int permissions)
{
	scmp_filter_ctx filter = make_filter(permissions);
	int fd = memfd_create("filter", MFD_CLOEXEC), result = -1;

	if (filter != NULL && fd != -1
	    && seccomp_export_bpf(filter, fd) == 0 && read_program(fd) == 0) {
		prepared.permissions = permissions;
		result = 0;
	}
	if (filter != NULL)
		seccomp_release(filter);
	fd_close(&fd);
	return result;
}

static int
load_prepared(void)
{
	struct sock_fprog program = {
		.len = (unsigned short)(prepared.length / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)prepared.program,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
sandbox_seccomp(unsigned int permissions)
{
	if (prepared.program != NULL && prepared.permissions == permissions)
		return load_prepared();

	scmp_filter_ctx filter = make_filter(permissions);

	if (filter == NULL)
		return -1;

	int result = seccomp_load(filter);

	seccomp_release(filter);
	if (result < 0) {
		errno = -result;
		return -1;
	}
	return 0;
}

#else

int
sandbox_seccomp_prepare(unsigned int permissions)
{
	errno = ENOSYS;
	return -1;
}

int
sandbox_seccomp(unsigned int permissions)
{
	errno = ENOSYS;
	return -1;
}

#endif
