#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "message/message.h"
#include "tests/unit/suite.h"

/* What a client sends behind DATA, what becomes the message, and what is left for the next command. */
static const struct {
	const char *sent, *message;	/* NULL: it does not end */
	const char *rest;
	unsigned seen;
} dialogues[] = {
	{ "a\r\nb\r\n.\r\n", "a\nb\n", "", 0 },
	{ ".\r\nQUIT\r\n", "", "QUIT\r\n", 0 },
	{ "..a\r\n.\r\n", ".a\n", "", 0 },
	{ ".a\r\n.\r\n", "a\n", "", 0 },
	{ "...\r\n.\r\n", "..\n", "", 0 },
	{ "a\r\n\r\n.\r\nx", "a\n\n", "x", 0 },
	/* What ends a message elsewhere and not here (CVE-2023-51764). */
	{ "a\n.\nx\r\n.\r\n", "a\n\nx\n", "", DOT_BARE_LF },
	{ "a\n.\r\nx\r\n.\r\n", "a\n\nx\n", "", DOT_BARE_LF },
	{ "a\r\n.\nx\r\n.\r\n", "a\n\nx\n", "", DOT_BARE_LF },
	{ "a\r.\rx\r\n.\r\n", "a . x\n", "", DOT_BARE_CR },
	{ "a\r.\r\nx\r\n.\r\n", "a .\nx\n", "", DOT_BARE_CR },
	{ "a\r\n.\rx\r\n.\r\n", "a\n x\n", "", DOT_BARE_CR },
	{ "a\r\n.\r\r\nx\r\n.\r\n", "a\n \nx\n", "", DOT_BARE_CR },
	{ "a\r\r\n.\r\n", "a\n", "", 0 },
	{ "a\r\r\rb\r\n.\r\n", "a b\n", "", DOT_BARE_CR },
	{ "a\r\r\r\n\r\r\n.\r\n", "a\n\n", "", 0 },
	{ "a\n\r.\r\nx\r\n.\r\n", "a\n .\nx\n", "", DOT_BARE_LF | DOT_BARE_CR },
	{ ".\nx\r\n.\r\n", "\nx\n", "", DOT_BARE_LF },
	{ "a\r\n .\r\n", NULL, NULL, 0 },
	{ "a\r\n. \r\n", NULL, NULL, 0 },
	{ "a.\r\n", NULL, NULL, 0 },
};

/* The same, byte by byte and at once: where packets are cut changes nothing. */
START_TEST(only_the_standard_end_ends_data)
{
	const char *sent = dialogues[_i].sent;
	size_t length = strlen(sent);

	for (size_t step = 1; step <= length; step++) {
		struct dot_reader reader = { 0 };
		struct text out = TEXT_EMPTY;
		size_t at = 0;

		dot_read_start(&reader, false);
		while (at < length && !reader.ended)
			at += dot_read(&reader, sent + at,
			    step < length - at ? step : length - at, &out);
		ck_assert_int_eq(reader.ended, dialogues[_i].message != NULL);
		if (reader.ended) {
			ck_assert_str_eq(text_string(&out),
			    dialogues[_i].message);
			ck_assert_str_eq(sent + at, dialogues[_i].rest);
			ck_assert_uint_eq(reader.seen, dialogues[_i].seen);
		}
		text_clear(&out);
	}
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
	static const char sent[] = "a\r\n.\0\r\nb\r\n\0.\r\n.\r\n";
	struct dot_reader reader = { 0 };
	struct text out = TEXT_EMPTY;

	dot_read_start(&reader, false);
	ck_assert_uint_eq(dot_read(&reader, sent, sizeof(sent) - 1, &out),
	    sizeof(sent) - 1);
	ck_assert(reader.ended);
	ck_assert_uint_eq(reader.seen, DOT_NUL);
	ck_assert_mem_eq(out.bytes, "a\n\0\nb\n\0.\n", out.length);
	text_clear(&out);
}
END_TEST

START_TEST(bdat_takes_dots_as_they_are)
{
	static const char sent[] = ".\r\na\r\n.\r\n\nb\r";
	struct dot_reader reader = { 0 };
	struct text out = TEXT_EMPTY;

	dot_read_start(&reader, true);
	ck_assert_uint_eq(dot_read(&reader, sent, sizeof(sent) - 1, &out),
	    sizeof(sent) - 1);
	dot_read_finish(&reader, &out);
	ck_assert_str_eq(text_string(&out), ".\na\n.\n\nb \n");
	ck_assert_uint_eq(reader.seen, DOT_BARE_CR | DOT_BARE_LF);
	text_clear(&out);
}
END_TEST

static const struct { const char *message, *smtp, *pop3; } outgoing[] = {
	{ "a\nb\n", "a\r\nb\r\n.\r\n", "a\r\nb\r\n.\r\n" },
	{ ".\n..a\n", "..\r\n...a\r\n.\r\n", "..\r\n...a\r\n.\r\n" },
	{ "no end", "no end\r\n.\r\n", "no end\r\n.\r\n" },
	{ "", ".\r\n", ".\r\n" },
	{ "a\r\nb\r\n", "a\r\nb\r\n.\r\n", "a\r\nb\r\n.\r\n" },
	{ "a\rb\n", "a b\r\n.\r\n", "a\rb\r\n.\r\n" },
	{ "a\r\r\n.\n", "a \r\n..\r\n.\r\n", "a\r\r\n..\r\n.\r\n" },
	{ "a\r.\n", "a .\r\n.\r\n", "a\r.\r\n.\r\n" },
	{ "a\r", "a \r\n.\r\n", "a\r\r\n.\r\n" },
};

static void
check_written(const char *message, bool keep_cr, const char *wanted)
{
	size_t length = strlen(message);

	for (size_t step = 1; step <= length + 1; step++) {
		struct dot_writer writer = { .keep_cr = keep_cr };
		struct text out = TEXT_EMPTY;

		for (size_t at = 0; at < length; at += step)
			dot_write(&writer, message + at,
			    step < length - at ? step : length - at, &out);
		dot_write_finish(&writer, &out);
		ck_assert_str_eq(text_string(&out), wanted);
		text_clear(&out);
	}
}

START_TEST(stuffs_dots_and_never_sends_a_bare_lf)
{
	check_written(outgoing[_i].message, false, outgoing[_i].smtp);
	check_written(outgoing[_i].message, true, outgoing[_i].pop3);
}
END_TEST

/* Each message as its fields "name=value|", then the body. */
static const struct { const char *message, *shown; } headers[] = {
	{ "To: ada\nSubject: a\n b\n\nbody\n", "To=ada|Subject=a b|body\n" },
	{ "From x\nTo:ada\r\n\r\nbody", "To=ada|body" },
	{ "To : ada\n\n", "To=ada|" },
	{ "To: a\nbroken line\nbody\n", "To=a|broken line\nbody\n" },
	{ "\nbody", "body" },
	{ " cont\nTo: a\n", " cont\nTo: a\n" },
	{ "X:\n\ty\n \n z\nTo: a", "X= y  z|To=a|" },
	{ ":x\n", ":x\n" },
	{ "X:", "X=|" },
	{ "", "" },
};

/* What a reader of parts finds: h, p, n a field of the message, of a part, of a message within; b a line, = a boundary. */
static const struct {
	const char *message, *events;
	unsigned wrong;
} parts[] = {
	{ "A: b\n\nx\ny\n", "hbb", 0 },
	{ "x\n\ny", "bbb", 0 },
	{ "A: b\n c\nContent-Type: multipart/mixed; boundary=z\n\nx\n--z\nB: c\n\ny\n--z--\nend\n",
	    "hhb=pb=b", 0 },
	{ "Content-Type: message/rfc822\n\nA: b\n\nx\n", "hnb", 0 },
	{ "Content-Type: multipart/digest; boundary=z\n\n--z\n\nA: b\n\nx\n--z--\n",
	    "h=nb=", 0 },
	{ "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n"
	    "--b\n\n--a\nC: d\n\n", "h=p==p", 0 },
	{ "A: \303\274\n\n", "h", MIME_8BIT_FIELD },
	{ "A: b\n\n\303\274\n", "hb", MIME_8BIT_BODY },
	{ "Content-Transfer-Encoding: 8bit\n\n\303\274\n", "hb", 0 },
	{ "Content-Type: multipart/x; boundary=a\nContent-Transfer-Encoding: base64\n\n",
	    "hh", MIME_BAD_ENCODING },
};

START_TEST(each_recipient_has_a_sender)
{
	static const struct { const char *sender, *recipient, *result; } rows[] = {
		{ "list@x.org", "ada@y.org", "list+ada=y.org@x.org" },
		{ "list@x.org", "ada", "list+ada@x.org" },
		{ "list", "ada@y.org", "list+ada=y.org" },
		{ "l@st@x.org", "a@d@y.org", "l@st+a@d=y.org@x.org" },
	};
	struct text sender = TEXT_EMPTY;

	verp_sender(&sender, "+=", rows[_i].sender, rows[_i].recipient);
	ck_assert_str_eq(text_string(&sender), rows[_i].result);
	text_clear(&sender);
	ck_assert_ptr_null(verp_complaint("+=", "-=+"));
	ck_assert_ptr_nonnull(verp_complaint("+", "-=+"));
	ck_assert_ptr_nonnull(verp_complaint("+x", "-=+"));
}
END_TEST

static const struct { const char *message, *converted; } downgrades[] = {
	{ "A: b\n\n\303\274\n", "A: b\n\n\303\274\n" },
	{ "Content-Transfer-Encoding: 8bit\n\n\303\274=\tx \n\n",
	    "Content-Transfer-Encoding: quoted-printable\n\n=C3=BC=3D\tx=20\n\n" },
	{ "content-transfer-encoding: binary\nA: b\n\nx",
	    "A: b\nContent-Transfer-Encoding: quoted-printable\n\nx" },
	{ "Content-Type: multipart/mixed; boundary=z\nContent-Transfer-Encoding: 8bit\n\n\274\n--z\n\n\274\n--z--\n",
	    "Content-Type: multipart/mixed; boundary=z\nContent-Transfer-Encoding: 7bit\n\n\274\n--z\n\n\274\n--z--\n" },
};

START_TEST(converts_to_seven_bits)
{
	struct text out = TEXT_EMPTY;

	downgrade(&out, downgrades[_i].message, strlen(downgrades[_i].message),
	    10, 70);
	ck_assert_str_eq(text_string(&out), downgrades[_i].converted);
	text_clear(&out);
}
END_TEST

static void
on_field(void *argument, const struct mime_field *field)
{
	text_putc(argument, "hpn"[field->of]);
}

static void
on_line(void *argument, const struct mime_line *line)
{
	text_putc(argument, line->is_boundary ? '=' : 'b');
}

START_TEST(finds_parts)
{
	static const struct mime_events events = { .field = on_field,
	    .line = on_line };
	struct text found = TEXT_EMPTY;
	struct mime_reader reader = { .events = &events, .argument = &found,
	    .deepest = 10, .longest_boundary = 70, .longest_field = 1000,
	    .looks_for_8bit = true };

	mime_begin(&reader);
	mime_read(&reader, parts[_i].message, strlen(parts[_i].message));
	mime_finish(&reader);
	ck_assert_str_eq(text_string(&found), parts[_i].events);
	ck_assert_uint_eq(reader.wrong, parts[_i].wrong);
	mime_clear(&reader);
	text_clear(&found);
}
END_TEST

START_TEST(finds_fields)
{
	struct header_walk walk = { headers[_i].message,
	    strlen(headers[_i].message), 0 };
	struct header_field field;
	struct text shown = TEXT_EMPTY;

	while (header_next(&walk, &field)) {
		text_append(&shown, field.name, field.name_length);
		text_putc(&shown, '=');
		header_unfold(&shown, &field);
		text_putc(&shown, '|');
	}
	text_puts(&shown, walk.text + header_body(walk.text, walk.length));
	ck_assert_str_eq(text_string(&shown), headers[_i].shown);
	text_clear(&shown);
}
END_TEST

START_TEST(writes_dates_and_ids)
{
	char date[MESSAGE_DATE_SIZE], id[MESSAGE_ID_SIZE];

	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	ck_assert_str_eq(message_date(date, 1000000000),
	    "Sun, 09 Sep 2001 07:16:40 +0530 (XYZ)");
	setenv("TZ", "UTC0", 1);
	tzset();
	ck_assert_str_eq(message_date(date, 0),
	    "Thu, 01 Jan 1970 00:00:00 +0000 (UTC)");
	ck_assert_str_eq(message_id(id, 1000000000, "4F1", "x.org"),
	    "<20010909014640.4F1@x.org>");
}
END_TEST

START_TEST(traces_where_it_came_from)
{
	struct recipient recipients[2] = {
		{ .address = "ada l@x.org" }, { .address = "bob@x.org" },
	};
	struct envelope envelope = {
		.queue_id = "4F1", .protocol_name = "ESMTP",
		.client_name = "unknown", .client_address = "::1",
		.helo_name = "a(b\r\n", .recipients = recipients,
		.recipient_count = 1,
	};
	struct text out = TEXT_EMPTY;

	setenv("TZ", "UTC0", 1);
	tzset();
	message_received(&out, &envelope, "mx.org", "Postroad", NULL);
	ck_assert_str_eq(text_string(&out),
	    "Received: from a?b?? (unknown [IPv6:::1])\n"
	    "\tby mx.org (Postroad) with ESMTP id 4F1\n"
	    "\tfor <\"ada l\"@x.org>; Thu, 01 Jan 1970 00:00:00 +0000 (UTC)\n");
	text_truncate(&out, 0);
	envelope.recipient_count = 2;
	message_received(&out, &envelope, "mx.org", "Postroad", NULL);
	ck_assert_ptr_nonnull(strstr(out.bytes,
	    " id 4F1;\n\tThu, 01 Jan 1970 00:00:00 +0000 (UTC)\n"));
	text_truncate(&out, 0);
	envelope.protocol_name = "";
	message_received(&out, &envelope, "mx.org", "Postroad", "from userid 7");
	ck_assert_str_eq(text_string(&out),
	    "Received: by mx.org (Postroad, from userid 7)\n"
	    "\tid 4F1; Thu, 01 Jan 1970 00:00:00 +0000 (UTC)\n");
	text_clear(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message");
	TCase *tcase = tcase_create("message");

	tcase_add_loop_test(tcase, only_the_standard_end_ends_data, 0,
	    COUNT_OF(dialogues));
	tcase_add_test(tcase, a_nul_ends_nothing);
	tcase_add_test(tcase, bdat_takes_dots_as_they_are);
	tcase_add_loop_test(tcase, stuffs_dots_and_never_sends_a_bare_lf, 0,
	    COUNT_OF(outgoing));
	tcase_add_loop_test(tcase, each_recipient_has_a_sender, 0, 4);
	tcase_add_loop_test(tcase, converts_to_seven_bits, 0,
	    COUNT_OF(downgrades));
	tcase_add_loop_test(tcase, finds_parts, 0, COUNT_OF(parts));
	tcase_add_loop_test(tcase, finds_fields, 0, COUNT_OF(headers));
	tcase_add_test(tcase, writes_dates_and_ids);
	tcase_add_test(tcase, traces_where_it_came_from);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
