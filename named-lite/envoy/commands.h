/* commands - what commands.c, which obeys, and status.c, which tells, share */

#ifndef NAMED_LITE_ENVOY_COMMANDS_H
#define NAMED_LITE_ENVOY_COMMANDS_H

#include "named-lite/envoy/office.h"

/* A command with the words behind it. */
struct command_line {
	struct session *session;
	char	*rest;
};

/* The next word; NULL if there is none. */
char	*command_word(struct command_line *line);

/* The zone that a command names: ZONE [CLASS [VIEW]]. NULL: answered already. */
const struct plan_zone *command_zone(struct command_line *line);

/* status.c */
void	status_server(struct command_line *line);
void	status_numbers(struct command_line *line);
void	status_zone(struct command_line *line);
void	status_keys(struct command_line *line);

#endif
