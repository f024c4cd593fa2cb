#include "named-lite/secondary.h"
void secondary_use_plan(void) { }
void secondary_notified(const struct control_notice *notice) { (void)notice; }
void secondary_refresh(const struct plan_zone *zone, bool whole) { (void)zone; (void)whole; }
bool secondary_times(const struct plan_zone *zone, int64_t *r, int64_t *e) { (void)zone; (void)r; (void)e; return false; }
unsigned secondary_count(enum secondary_activity activity) { (void)activity; return 0; }
