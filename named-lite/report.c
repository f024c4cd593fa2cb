#include "named-lite/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int lines = -1;		/* the pipe */
static bool is_begun;
static enum log_category usual = LOG_CATEGORY_GENERAL;

void
report(enum log_category category, enum log_level level, const char *format,
    ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_vline(level, is_begun ? log_category_word(category) : NULL,
	    format, arguments);
	va_end(arguments);
}

void
report_about(enum log_category category)
{
	usual = category;
	if (is_begun)
		log_open_pipe(lines, log_category_word(category));
}

void
report_prepare(int pipe)
{
	lines = pipe;
}

void
report_begin(void)
{
	if (lines == -1)
		return;
	is_begun = true;
	report_about(usual);
}

void
report_end(void)
{
	is_begun = false;
}

/* "<level><seconds>.<microseconds> <category>[<pid>]: <text>", see base/log.h. */
bool
report_parse(struct report_line *line, char *record)
{
	char *end, *category, *bracket;
	int number;

	if (*record < '0' + LOG_LEVEL_DEBUG || *record > '0' + LOG_LEVEL_PANIC)
		return false;
	line->level = *record - '0';
	line->at_us = strtoll(record + 1, &end, 10) * 1000000;
	if (*end != '.')
		return false;
	line->at_us += strtoll(end + 1, &category, 10);
	if (*category++ != ' ' || (bracket = strchr(category, '[')) == NULL)
		return false;
	*bracket = '\0';
	line->text = strstr(bracket + 1, "]: ");
	number = log_category_find(category);
	if (line->text == NULL || number == -1)
		return false;
	line->text += 3;
	line->category = number;
	return true;
}

const char *
report_bare(const char *text)
{
	static const char *const levels[] = { "warning: ", "error: ",
	    "fatal: ", "panic: " };

	for (size_t i = 0; i < COUNT_OF(levels); i++)
		if (text_starts_with(text, levels[i]))
			return text + strlen(levels[i]);
	return text;
}

static void
say(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_vline(level, NULL, format, arguments);
	va_end(arguments);
}

void
report_drain(int pipe)
{
	char bytes[8192 + 1];
	ssize_t length;

	while ((length = read(pipe, bytes, sizeof(bytes) - 1)) > 0) {
		char *cursor = bytes, *record;
		struct report_line line;

		bytes[length] = '\0';
		while ((record = strsep(&cursor, "\n")) != NULL)
			if (report_parse(&line, record))
				say(line.level, "%s", report_bare(line.text));
	}
}
