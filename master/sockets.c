/* The sockets of services: bound once, kept open as long as master lives. */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/network.h"
#include "ipc/ipc.h"
#include "master/master.h"

#define BACKLOG		1024
#define ADDRESS_TEXT	(NI_MAXHOST + NI_MAXSERV + sizeof(" port "))
#define FIRST_FD	128	/* below it a child finds its sockets: see children.c */

/* Keep fd out of the range that a child's descriptors are moved to. */
static int
move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);

	close(fd);
	return high;
}

static void
add_socket(struct slot *slot, int fd)
{
	slot->sockets = mem_resize(slot->sockets, slot->socket_count + 1,
	    sizeof(*slot->sockets));
	slot->sockets[slot->socket_count++] = move_up(fd);
}

/* The addresses that an inet service listens on. Released with free_addresses(). */
struct addresses {
	struct sockaddr_storage	*list;
	size_t			 count;
};

static void
add_address(struct addresses *to, const struct sockaddr *address,
    socklen_t length)
{
	to->list = mem_resize(to->list, to->count + 1, sizeof(*to->list));
	memset(&to->list[to->count], 0, sizeof(*to->list));
	memcpy(&to->list[to->count++], address, length);
}

static void
set_port(struct sockaddr_storage *address, in_port_t port)
{
	if (address->ss_family == AF_INET)
		((struct sockaddr_in *)address)->sin_port = port;
	else
		((struct sockaddr_in6 *)address)->sin6_port = port;
}

static in_port_t
get_port(const struct sockaddr *address)
{
	return address->sa_family == AF_INET
	    ? ((const struct sockaddr_in *)address)->sin_port
	    : ((const struct sockaddr_in6 *)address)->sin6_port;
}

/* With inet_interfaces = all one wildcard a protocol; else each of our addresses. */
static void
add_own_addresses(struct addresses *to, const struct addrinfo *wildcards)
{
	size_t count;
	const struct own_address *own = network_own(&count);

	for (; wildcards != NULL; wildcards = wildcards->ai_next) {
		const struct sockaddr *any = wildcards->ai_addr;

		if (!network_has_family(any->sa_family))
			continue;
		if (strcasecmp(config.inet_interfaces, "all") == 0) {
			add_address(to, any, wildcards->ai_addrlen);
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (own[i].address.ss_family != any->sa_family)
				continue;
			add_address(to, (const struct sockaddr *)
			    &own[i].address, own[i].length);
			set_port(&to->list[to->count - 1], get_port(any));
		}
	}
}

static int
find_addresses(const struct master_entry *entry, struct addresses *to)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE }, *found;
	const char *host = *entry->host == '\0' ? NULL : entry->host;
	int error = getaddrinfo(host, entry->port, &hints, &found);

	if (error != 0) {
		log_error("master.cf, line %d: service %s: %s", entry->line,
		    entry->name, gai_strerror(error));
		return -1;
	}
	if (host == NULL)
		add_own_addresses(to, found);
	else
		for (struct addrinfo *a = found; a != NULL; a = a->ai_next)
			if (network_has_family(a->ai_family))
				add_address(to, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(found);
	if (to->count == 0)
		log_error("master.cf, line %d: service %s: no address for it "
		    "in inet_interfaces and inet_protocols", entry->line,
		    entry->name);
	return to->count == 0 ? -1 : 0;
}

static void
print_address(const struct sockaddr_storage *address, char *text, size_t size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo((const struct sockaddr *)address, sizeof(*address),
	    host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		strlcpy(text, "?", size);
	else
		snprintf(text, size, "%s port %s", host, port);
}

char *
sockets_describe(const struct master_entry *entry)
{
	struct addresses addresses = { 0 };
	struct text text = TEXT_EMPTY;
	char one[ADDRESS_TEXT];

	if (entry->type != MASTER_INET) {
		char *endpoint = master_entry_endpoint(entry);

		text_printf(&text, "%s %s", master_type_name(entry->type),
		    endpoint);
		free(endpoint);
		return text_take(&text);
	}
	if (find_addresses(entry, &addresses) == -1) {
		free(addresses.list);
		return NULL;
	}
	for (size_t i = 0; i < addresses.count; i++) {
		print_address(&addresses.list[i], one, sizeof(one));
		text_printf(&text, "%s%s", i == 0 ? "" : ", ", one);
	}
	free(addresses.list);
	return text_take(&text);
}

static int
bind_inet(const struct sockaddr_storage *address, bool share)
{
	static const int on = 1;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));	/* its connections have it too */
	if (share)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (address->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)address,
	    address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
	    : sizeof(struct sockaddr_in6)) == -1)
		fd_close(&fd);
	return fd;
}

/* A socket that shares its port would bind beside another program's: one that does not share finds out first. */
static int
probe_inet(const struct sockaddr_storage *address)
{
	int fd = bind_inet(address, false);

	if (fd == -1)
		return -1;
	if (listen(fd, 1) == -1) {
		fd_close(&fd);
		return -1;
	}
	fd_close(&fd);
	return 0;
}

/* One address, for every slot. 1 if this machine does not have the protocol. */
static int
open_address(struct service *service, const struct sockaddr_storage *address)
{
	char text[ADDRESS_TEXT];
	int fd;

	if (probe_inet(address) == -1)
		goto failed;
	for (size_t i = 0; i < service->slot_count; i++) {
		fd = bind_inet(address, service->slot_count > 1);
		if (fd == -1 || listen(fd, BACKLOG) == -1) {
			fd_close(&fd);
			goto failed;
		}
		fd_nonblocking(fd, true);
		add_socket(&service->slots[i], fd);
	}
	return 0;
failed:
	if (errno == EAFNOSUPPORT)
		return 1;
	print_address(address, text, sizeof(text));
	log_error("bind %s: %m", text);
	return -1;
}

static int
open_inet(struct service *service)
{
	struct addresses addresses = { 0 };
	int result = find_addresses(&service->entry, &addresses);

	for (size_t i = 0; result == 0 && i < addresses.count; i++)
		if (open_address(service, &addresses.list[i]) == -1)
			result = -1;
	free(addresses.list);
	return result;
}

/* Its directory decides who reaches a socket; the daemons' user must be able to, and in a chroot it has only this name. */
static void
give_to_owner(const char *path)
{
	const struct passwd *owner = geteuid() == 0
	    ? getpwnam(config.mail_owner) : NULL;

	if (chmod(path, 0666) == -1 || (owner != NULL &&
	    lchown(path, owner->pw_uid, owner->pw_gid) == -1))
		log_warning("give %s to %s: %m", path, config.mail_owner);
}

/* Daemons in a chroot see private/ alone, so that a public service has a name there, too. */
static void
link_into_private(const struct master_entry *entry, const char *path)
{
	char *other = mem_printf("private/%s", entry->name);

	unlink(other);
	if (link(path, other) == -1)
		log_warning("link %s to %s: %m", path, other);
	free(other);
}

/*
 * public/ is for the set-gid commands alone; sendmail of any user hands mail
 * to pickup by this name.
 */
static void
link_for_everybody(const struct master_entry *entry, const char *path)
{
	if (strcmp(entry->program, "pickup") != 0)
		return;
	unlink(SUBMIT_SOCKET);
	if (link(path, SUBMIT_SOCKET) == -1)
		log_warning("link %s to " SUBMIT_SOCKET ": %m; sendmail goes the "
		    "long way, by postdrop", path);
}

static int
open_unix(const struct service *service, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int type = service->entry.type == MASTER_UNIX_DGRAM ? SOCK_DGRAM
	    : service->program.packets ? SOCK_SEQPACKET : SOCK_STREAM;

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}

	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    (type != SOCK_DGRAM && listen(fd, BACKLOG) == -1))
		fd_close(&fd);
	return fd;
}

static int
open_fifo(const char *path)
{
	unlink(path);
	if (mkfifo(path, 0622) == -1)
		return -1;
	return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

static int
open_local(struct service *service)
{
	char *path = master_entry_endpoint(&service->entry);
	int fd = service->entry.type == MASTER_FIFO ? open_fifo(path)
						    : open_unix(service, path);

	if (fd == -1)
		log_error("open the socket %s/%s: %m", config.queue_directory,
		    path);
	else {
		give_to_owner(path);
		if (!service->entry.is_private)
			link_into_private(&service->entry, path);
		link_for_everybody(&service->entry, path);
		add_socket(&service->slots[0], fd);
	}
	free(path);
	return fd == -1 ? -1 : 0;
}

static void
make_slots(struct service *service)
{
	int limit = program_limit(&service->program,
	    service->entry.process_limit);
	bool apart = service->program.events &&
	    service->entry.type == MASTER_INET;

	service->slot_count = apart ? (size_t)limit : 1;
	service->slots = mem_zalloc(service->slot_count,
	    sizeof(*service->slots));
	for (size_t i = 0; i < service->slot_count; i++) {
		service->slots[i].service = service;
		service->slots[i].limit = apart ? 1 : limit;
	}
}

int
sockets_open(struct service *service)
{
	make_slots(service);
	if ((service->entry.type == MASTER_INET ? open_inet(service)
	    : open_local(service)) == 0)
		return 0;
	sockets_close(service);
	return -1;
}

void
sockets_close(struct service *service)
{
	for (size_t i = 0; i < service->slot_count; i++) {
		struct slot *slot = &service->slots[i];

		slot_disarm(slot);
		if (slot->again != NULL)
			event_free(slot->again);
		for (size_t j = 0; j < slot->socket_count; j++) {
			if (slot->watches != NULL && slot->watches[j] != NULL)
				event_free(slot->watches[j]);
			fd_close(&slot->sockets[j]);
		}
		free(slot->sockets);
		free(slot->watches);
	}
	free(service->slots);
	service->slots = NULL;
	service->slot_count = 0;
}

void
sockets_unlink(const struct master_entry *entry)
{
	char *path;

	if (entry->type == MASTER_INET)
		return;
	path = master_entry_endpoint(entry);
	unlink(path);
	free(path);
	if (strcmp(entry->program, "pickup") == 0)
		unlink(SUBMIT_SOCKET);
	if (!entry->is_private) {
		path = mem_printf("private/%s", entry->name);
		unlink(path);
		free(path);
	}
}
