/*
 * check_parts - what postroad check is made of
 *
 * Each logs what is wrong and what to do, and gives the number of errors;
 * warnings do not count.
 */

#ifndef TOOLS_CHECK_PARTS_H
#define TOOLS_CHECK_PARTS_H

struct master_cf;
struct master_entry;

/* Every table that a parameter names can be read. */
int	check_tables(void);

/* The restrictions of a smtpd of master.cf, with its -o, by smtpd's own code. */
int	check_restrictions_of(const struct master_entry *entry);

/* A filter can be reached, and what it brings back does not go to it again. */
int	check_filters(const struct master_cf *services);

/* receive_override_options has only words that there are. */
int	check_receive_options(void);

/* No domain is in two classes: trivial-rewrite would take the first. */
int	check_classes(void);

/* Mail for a user without domain is completed with myorigin: there it must find somebody. */
int	check_origin(void);

/* named.conf and the zones are good, and serve mail well. */
int	check_zones(const struct master_cf *services);

#endif
