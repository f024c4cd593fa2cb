#include "tools/shared/check.h"

#include "base/base.h"
#include "config/config.h"
#include "config/master_cf.h"
#include "config/report.h"

int
check_before_start(void)
{
	struct master_cf cf;
	int errors = master_cf_load(config.config_directory, &cf) == -1;

	for (size_t i = 0; i < cf.count; i++)
		for (size_t j = 0; j < cf.entries[i].argument_count; j++)
			config_note_references(cf.entries[i].arguments[j]);
	errors += config_report();
	master_cf_clear(&cf);
	return errors;
}

int
check_all(void)
{
	return check_before_start();
}
