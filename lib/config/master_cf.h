/*
 * master_cf - master.cf: the services
 *
 * service type private unpriv chroot wakeup maxproc command + arguments, one
 * logical line each. "-" is the default of a column. In the arguments { }
 * groups words; -o name=value, -oname=value and -o { name = value } all
 * become "-o", "name=value".
 */

#ifndef CONFIG_MASTER_CF_H
#define CONFIG_MASTER_CF_H

#include <stdbool.h>
#include <stddef.h>

enum master_type { MASTER_INET, MASTER_UNIX, MASTER_FIFO, MASTER_PASS,
    MASTER_UNIX_DGRAM };

enum { MASTER_COLUMNS = 7 };	/* before the command */

struct master_entry {
	char		*columns[MASTER_COLUMNS];	/* as they were written: service type private unpriv chroot wakeup maxproc */
	char		*name;		/* the first column */
	enum master_type type;
	char		*host;		/* inet: "" is inet_interfaces; without brackets */
	char		*port;		/* inet: number or name */
	bool		 is_private;
	bool		 unprivileged;
	bool		 chroot;
	int		 wakeup;	/* seconds; 0 never */
	bool		 wakeup_if_used;
	int		 process_limit;	/* 0 none, -1 default_process_limit */
	char		*program;	/* the last column's first word */
	char		**arguments;	/* the others; NULL at the end */
	size_t		 argument_count;
	int		 line;
	bool		 is_merged;	/* another one does its work: master_cf_merge_screen() */
};

struct master_cf {
	struct master_entry *entries;
	size_t		 count;
};

/*
 * Read directory/master.cf. 0, or -1 with every error logged and an empty
 * result. Of two entries for one service the last counts, with a warning.
 * Released with master_cf_clear().
 */
int	master_cf_load(const char *directory, struct master_cf *master_cf);

/* The same for a text; file is for messages. */
int	master_cf_parse(const char *text, size_t length, const char *file,
	    struct master_cf *master_cf);

/*
 * A service of postscreen becomes one of smtpd, with the -o of the line
 * "smtpd pass"; that line, dnsblog and tlsproxy are then merged, and
 * postscreen(8) is added if it is not there. For who runs the services;
 * others see master.cf as it was written.
 */
void	master_cf_merge_screen(struct master_cf *master_cf);

void	master_cf_clear(struct master_cf *master_cf);

/* "inet", "unix"... */
const char *master_type_name(enum master_type type);

/* Where a service is reached: "private/NAME", "public/NAME", or NAME for inet. Released with free(3). */
char	*master_entry_endpoint(const struct master_entry *entry);

#endif
