#include "dns/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

struct type {
	const char *name;
	size_t	 length;
	uint16_t number;
	const char *fields;
};

static const struct type types[] = {
#define TYPE(name, number, fields)	{ #name, sizeof(#name) - 1, number, fields },
#define NAMED_TYPE(name, text, number, fields)	{ text, sizeof(text) - 1, number, fields },
#include "dns/types.def"
#undef TYPE
#undef NAMED_TYPE
};

static const struct {
	const char *name;
	size_t	 length;
	uint16_t number;
} classes[] = {
	{ "IN", 2, DNS_CLASS_IN },
	{ "CH", 2, DNS_CLASS_CH },
	{ "CHAOS", 5, DNS_CLASS_CH },
	{ "HS", 2, DNS_CLASS_HS },
};

/* Is it this word in capitals? Mostly length and first letter tell that it is not. */
static inline bool
is_word(const char *text, size_t length, const char *word, size_t word_length)
{
	return length == word_length && (*text & 0x5f) == *word &&
	    strncasecmp(text, word, length) == 0;
}

/* "TYPE123" after its prefix: the number, -1 if it is none. */
static int
parse_number(const char *text, size_t length, const char *prefix)
{
	size_t skip = strlen(prefix);
	int value = 0;

	if (length <= skip || length > skip + 5 ||
	    strncasecmp(text, prefix, skip) != 0)
		return -1;
	for (size_t i = skip; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value <= UINT16_MAX ? value : -1;
}

int
dns_type_parse(const char *text, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (is_word(text, length, types[i].name, types[i].length))
			return types[i].number;
	return parse_number(text, length, "TYPE");
}

static int
compare_number(const void *key, const void *row)
{
	return *(const uint16_t *)key - ((const struct type *)row)->number;
}

static const struct type *
find_type(uint16_t number)
{
	if (number > 0 && number <= DNS_TYPE_NIMLOC)
		return &types[number - 1];
	return bsearch(&number, types, COUNT_OF(types), sizeof(types[0]),
	    compare_number);
}

char *
dns_type_print(uint16_t number, char text[DNS_MNEMONIC_MAX])
{
	const struct type *type = find_type(number);

	if (type != NULL)
		strlcpy(text, type->name, DNS_MNEMONIC_MAX);
	else
		snprintf(text, DNS_MNEMONIC_MAX, "TYPE%u", number);
	return text;
}

int
dns_class_parse(const char *text, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(classes); i++)
		if (is_word(text, length, classes[i].name, classes[i].length))
			return classes[i].number;
	return parse_number(text, length, "CLASS");
}

char *
dns_class_print(uint16_t class, char text[DNS_MNEMONIC_MAX])
{
	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		if (classes[i].number == class) {
			strlcpy(text, classes[i].name, DNS_MNEMONIC_MAX);
			return text;
		}
	}
	snprintf(text, DNS_MNEMONIC_MAX, "CLASS%u", class);
	return text;
}

const char *
dns_type_fields(uint16_t number)
{
	const struct type *type = find_type(number);

	return type != NULL ? type->fields : "?";
}

bool
dns_type_is_data(uint16_t type)
{
	return type != 0 && type != DNS_TYPE_OPT &&
	    (type < 128 || type > DNS_TYPE_ANY);
}
