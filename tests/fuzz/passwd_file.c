/* A passwd-file, and a password of each user's scheme: any bytes are users or reports. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/base.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
count_line(void *argument, unsigned int line, const char *what)
{
	*(unsigned int *)argument += line > 0 && what[0] != '\0';
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	unsigned int reported = 0;
	struct auth_users *users = auth_users_parse((const char *)bytes, length,
	    count_line, &reported);
	char *copy = mem_strndup((const char *)bytes, length), *cursor = copy;

	for (char *line; (line = word_next(&cursor, "\n")) != NULL;) {
		const struct auth_user *user;

		line[strcspn(line, ":")] = '\0';
		if ((user = auth_users_find(users, line)) == NULL)
			continue;
		if (strcmp(user->name, line) != 0)
			abort();
		auth_user_extra(user, "nologin");
		/* crypt(3) is not ours to try, and slow when asked to be */
		if (user->password[0] == '{' && strcasestr(user->password, "crypt") == NULL
		    && strchr(user->password, '$') == NULL)
			auth_password_check(user->password, "password");
	}
	free(copy);
	auth_users_free(&users);
	return 0;
}
