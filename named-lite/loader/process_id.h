/*
 * process_id - for init systems that want to know whom they started
 *
 * Written by the loader as the named user, and taken away at the end. Where
 * named.conf names no file, it is written only for who runs by himself, and
 * where somebody has made the directory.
 */

#ifndef NAMED_LITE_LOADER_PROCESS_ID_H
#define NAMED_LITE_LOADER_PROCESS_ID_H

#include "named-lite/options.h"
#include "named-lite/plan.h"

/* The path of the file that there is to be; NULL for none. */
const char *process_id_path(const char *wanted, const struct options *options);

/* The process that started us is the one. Trouble is told, unless nobody asked for the file. */
void	process_id_write(const char *path);

/* Remove the one of the plan, if it still is of the process that started us. */
void	process_id_remove(const struct plan *plan);

#endif
