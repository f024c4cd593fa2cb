/*
 * snapshot - main.cf and master.cf as master read them
 *
 * What master accepted is what every daemon gets, however late it starts:
 * a typing error that is saved meanwhile, or refused at reload, reaches
 * nobody. master keeps a copy of each file in memory; children find it
 * through a descriptor that the environment names.
 */

#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

#include <stddef.h>

/* master: keep what directory/main.cf and master.cf hold now, instead of what was kept before. 0, or -1 with errno. */
int	config_snapshot_take(const char *directory);

/* In a child, before it executes a daemon: let it inherit the copies. */
void	config_snapshot_hand_on(void);

/*
 * path, or master's copy of it where there is one. As file_read(): a string
 * to be released with free(3), or NULL with errno.
 */
char	*config_snapshot_read(const char *path, size_t limit, size_t *length);

#endif
