/* The places and names that configure was told, compiled in here alone. */

#include "config/config.h"

const char *const default_config_directory = DEFAULT_CONFIG_DIRECTORY;
const char *const default_daemon_directory = DEFAULT_DAEMON_DIRECTORY;
const char *const default_command_directory = DEFAULT_COMMAND_DIRECTORY;
const char *const default_queue_directory = DEFAULT_QUEUE_DIRECTORY;
const char *const default_data_directory = DEFAULT_DATA_DIRECTORY;
const char *const named_directory = NAMED_DIRECTORY;
const char *const program_prefix = PROGRAM_PREFIX;
const char *const default_mail_owner = DEFAULT_MAIL_OWNER;
const char *const default_setgid_group = DEFAULT_SETGID_GROUP;
