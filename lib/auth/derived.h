/* derived - schemes whose passwords are keys derived in many rounds: for password.c */

#ifndef AUTH_DERIVED_H
#define AUTH_DERIVED_H

#include "auth/auth.h"

/* stored is what stands behind the scheme's name. AUTH_UNKNOWN_SCHEME: it has not the scheme's form. */
enum auth_result auth_check_pbkdf2(const char *stored, const char *given);
enum auth_result auth_check_scram(const char *digest_name, const char *stored,
	    const char *given);

#endif
