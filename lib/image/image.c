#include "image/image.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
image_map(struct image *image, int fd)
{
	/* Not fstat(): in the sandbox the C library's form of it is refused. */
	off_t size = lseek(fd, 0, SEEK_END);
	void *base;

	if (size == -1)
		return -1;
	base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -1;
	(void)madvise(base, size, MADV_HUGEPAGE);
	image->header = base;
	image->base = base;
	image->size = size;
	if (image->size < sizeof(*image->header) ||
	    image->header->magic != IMAGE_MAGIC ||
	    image->header->size != image->size) {
		image_unmap(image);
		errno = EINVAL;
		return -1;
	}
	return 0;
}

void
image_unmap(struct image *image)
{
	if (image->base != NULL)
		munmap((void *)(uintptr_t)image->base, image->size);
	memset(image, 0, sizeof(*image));
}

const struct image_node *
image_node_next(const struct image_node *node)
{
	const struct image_rrset *rrset = image_node_rrsets(node);

	for (unsigned i = 0; i < node->rrset_count; i++)
		rrset = image_rrset_next(rrset);
	return (const struct image_node *)rrset;
}

const struct image_rrset *
image_find_rrset(const struct image_node *node, uint16_t type)
{
	const struct image_rrset *rrset = image_node_rrsets(node);

	for (unsigned i = 0; i < node->rrset_count; i++) {
		if (rrset->type == type)
			return rrset;
		rrset = image_rrset_next(rrset);
	}
	return NULL;
}

static const struct image_slot *
first_slot(const struct image *image, uint64_t hash)
{
	const struct image_slot *slots = image_at(image, image->header->slots);

	return slots + (hash >> 32 & image->header->slot_mask);
}

void
image_prefetch(const struct image *image, const struct zone_path *path)
{
	__builtin_prefetch(first_slot(image, path->hashes[0]));
}

static bool
is_name(const uint8_t *name, const uint8_t *lower, size_t length)
{
	uint8_t copy[DNS_NAME_MAX];

	if (memcmp(name, lower, length) == 0)
		return true;
	dns_name_lower(copy, name, length);
	return memcmp(copy, lower, length) == 0;
}

place
image_find(const struct image *image, const struct zone_path *path,
    unsigned *skipped)
{
	return image_find_above(image, path, 0, skipped);
}

place
image_find_above(const struct image *image, const struct zone_path *path,
    unsigned labels, unsigned *skipped)
{
	const struct image_header *header = image->header;
	const struct image_slot *slots = image_at(image, header->slots);
	size_t total = path->starts[path->labels] + 1;
	unsigned first = path->labels > header->labels_max ?
	    path->labels - header->labels_max : 0;

	if (first < labels)
		first = labels;

	for (unsigned i = first; i <= path->labels; i++) {
		uint32_t tag = (uint32_t)path->hashes[i];
		uint32_t at = path->hashes[i] >> 32 & header->slot_mask;
		size_t length = total - path->starts[i];

		for (; slots[at].node != 0; at = (at + 1) & header->slot_mask) {
			const struct image_node *node;

			if (slots[at].tag != tag)
				continue;
			node = image_at(image, slots[at].node);
			if (node->name_length != length ||
			    !is_name(image_node_name(node),
			    path->name + path->starts[i], length))
				continue;
			*skipped = i;
			return slots[at].node;
		}
	}
	return 0;
}

static bool
prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 ||
	    ((a[bits / 8] ^ b[bits / 8]) & (0xff00 >> bits % 8) & 0xff) == 0;
}

/*
 * The verdict of the list at `list`: 1 allowed, -1 denied, 0 no row matches.
 * A list inside a list that denies counts as no match, so that a double
 * negation never lets anybody in.
 */
static int
match_list(const struct image_match *list, int family, const uint8_t *address,
    uint32_t key)
{
	const struct image_match *end = list + 1 + list->count;

	for (const struct image_match *row = list + 1; row < end; row++) {
		bool matches = false;

		switch (row->kind) {
		case MATCH_IPV4:
			matches = family == AF_INET &&
			    prefix_equal(address, row->address, row->prefix);
			break;
		case MATCH_IPV6:
			matches = family == AF_INET6 &&
			    prefix_equal(address, row->address, row->prefix);
			break;
		case MATCH_ANY:
			matches = true;
			break;
		case MATCH_KEY:
			matches = key != 0 && key == row->count;
			break;
		case MATCH_LIST:
			matches = match_list(row, family, address, key) == 1;
			break;
		}
		if (matches)
			return row->negated ? -1 : 1;
		if (row->kind == MATCH_LIST)
			row += row->count;
	}
	return 0;
}

bool
image_acl_allows_key(const struct image *image, uint32_t acl,
    const struct sockaddr *address, uint32_t key)
{
	const struct image_match *rows = image_at(image, image->header->acls);
	int family = address->sa_family;
	const uint8_t *octets;

	if (acl == 0)
		return true;
	if (family == AF_INET)
		octets = (const uint8_t *)
		    &((const struct sockaddr_in *)address)->sin_addr;
	else if (family == AF_INET6) {
		const struct in6_addr *six =
		    &((const struct sockaddr_in6 *)address)->sin6_addr;

		octets = six->s6_addr;
		if (IN6_IS_ADDR_V4MAPPED(six)) {
			family = AF_INET;
			octets += 12;
		}
	} else
		return false;
	return match_list(rows + acl, family, octets, key) == 1;
}

bool
image_acl_allows(const struct image *image, uint32_t acl,
    const struct sockaddr *address)
{
	return image_acl_allows_key(image, acl, address, 0);
}
