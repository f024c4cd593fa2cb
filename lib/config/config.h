/*
 * config - main.cf, as typed fields
 *
 * parameters.def   every parameter: name, type, default, range, who reads it
 * postfix.def      what Postfix has and postroad does not: what to say of it
 * config.h         load, and ask
 * report.h         what is wrong or unknown in it; all rows, for postconf(1)
 * values.h         text to time, size, boolean
 * expand.h         $name and ${name?text} in any string
 * lines.h          logical lines, as main.cf and the sources of tables have them
 * network.h        our own addresses
 * master_cf.h      the services
 * snapshot.h       both files as master accepted them, for its children
 *
 * What holds:
 *   1  After config_load() returned 0 every field holds a value within its
 *      range, and stays so until the next successful config_load().
 *   2  A load that fails changes nothing, and has logged file, line, name,
 *      value and what would be right for every error that it found.
 */

#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_FIELD_STRING	const char *
#define CONFIG_FIELD_RAW	const char *
#define CONFIG_FIELD_BOOL	bool
#define CONFIG_FIELD_INT	int
#define CONFIG_FIELD_SIZE	int64_t
#define CONFIG_FIELD_TIME	int
#define CONFIG_FIELD_RATE	const char *	/* for config_rate() */
#define CONFIG_FIELD_FEEDBACK	const char *	/* for config_feedback() */

#define PARAMETER(name, type, preset, smallest, largest, readers, manual) \
	CONFIG_FIELD_##type name;
struct config {
#include "config/parameters.def"
};
#undef PARAMETER

extern struct config config;

/*
 * Read main.cf in directory: NULL means MAIL_CONFIG or, without that, where
 * it was installed. overrides are "name=value", NULL at the end, as -o has
 * them; NULL is none. 0, or -1 with all errors logged and config unchanged.
 * Strings of the load before are gone then: master alone loads twice.
 */
int	config_load(const char *directory, const char *const overrides[]);

/*
 * What config would be if main.cf said name = value, for a daemon that goes
 * by the one or the other. Its strings live as long as those of config. 0, or
 * -1 with all errors logged.
 */
int	config_load_variant(const char *name, const char *value,
	    struct config *variant);

/*
 * The expanded value of any parameter, as text: one of ours (with its
 * default) or one that main.cf defines. NULL if there is none. A borrowed
 * string that lives until the next load.
 */
const char *config_get(const char *name);

/*
 * <transport>_destination_recipient_limit and its kin: the value set for
 * this transport, else fallback. suffix begins with "_" and stands in the
 * table in transports.c, so that the value was checked when it was loaded.
 */
int	config_transport_int(const char *transport, const char *suffix,
	    int fallback);
int	config_transport_time(const char *transport, const char *suffix,
	    int fallback);
const char *config_transport_text(const char *transport, const char *suffix,
	    const char *fallback);

/* The directories that configure was told: for commands that work without a main.cf. */
extern const char *const default_config_directory;
extern const char *const default_daemon_directory;
extern const char *const default_command_directory;
extern const char *const program_prefix;	/* of the names of all commands */
extern const char *const default_queue_directory;
extern const char *const default_data_directory;
extern const char *const named_directory;	/* of named.conf, rndc.conf and rndc.key: BIND's */
extern const char *const default_mail_owner;
extern const char *const default_setgid_group;

#endif
