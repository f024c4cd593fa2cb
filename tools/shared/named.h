/* named - what the commands about named.conf and zone files share */

#ifndef TOOLS_SHARED_NAMED_H
#define TOOLS_SHARED_NAMED_H

#include <stdbool.h>
#include <stdio.h>

/* Lines go there as BIND's commands write them, without a name or a level; nowhere if to is NULL. */
void	named_lines_go_to(FILE *to);

/* Enter an empty or another root directory and a working directory, where given; ends the command if it cannot. */
void	named_enter(const char *root, const char *directory);

/* What errno says, in BIND's words. */
const char *named_explain(void);

/* "postroad 0.2" on standard output, and the end. */
void	named_print_version(void) __attribute__((noreturn));

#endif
