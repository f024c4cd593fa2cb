"""bounce(8): what senders and postmasters are told, read with a parser that knows nothing of us."""
import re

import postroad
from report import Report

ADA = postroad.address("ada")
TEST = postroad.address("test")
USER = postroad.address("user")

TEMPLATES = """\
# ours
failure_template = <<END
Charset: utf-8
From: Post <post@example.org>
Subject: Zurueck

Gr\u00fc\u00dfe von $myhostname, $maximal_queue_lifetime_days Tage, $$5.
END

delay_template = <<END
Subject: x
broken
END
"""


class Notices(postroad.Test):
    def start(self, dsn=True, files=None, **main_cf):
        self.far = self.sink()
        if not dsn:
            self.far.answers["EHLO"] = "250-sink.example.net\r\n250 8BITMIME"
        self.far.answers["RCPT"] = lambda line: (
            "550 5.1.1 no such user" if "<no" in line else "450 4.2.1 come back later" if "<later" in line
            else "250 2.1.5 Ok")
        self.box = self.system(start=False, relayhost=self.far.nexthop(), settings=main_cf)
        for name, value in self.box.settings.items():
            self.box.settings[name] = value and value.replace("@/", self.box.config + "/")
        with open(self.box.path("etc", "aliases"), "a") as f:
            f.write("both: %s, bob@far.example\nlist: %s, bob@far.example\nowner-list: %s\n" % (TEST, TEST, USER))
        for name, text in (files or {}).items():
            postroad.write(self.box.path("etc", name), text)
        return self.box.start()

    def send(self, *to, sender=ADA, mail=(), rcpt=(), message=None):
        with self.box.smtp() as smtp:
            smtp.ehlo()
            postroad.check(smtp.mail(sender, list(mail)), 250)
            for address in to:
                postroad.check(smtp.rcpt(address, list(rcpt)), 250)
            text = message or "Subject: a note\r\nX-Mine: yes\r\n\r\nHello.\r\n"
            code, reply = smtp.data(text)
            postroad.check((code, reply), 250)
            return re.search(rb"queued as (\w+)", reply).group(1).decode()

    def reports(self, count=1, account="ada"):
        return [Report(m) for m in self.box.wait_mail(account, count)]

    def assert_no_notice(self, queue_id):
        self.box.wait_log(queue_id + ": removed")
        self.assertNotRegex(self.box.log(), queue_id + r": (sender|postmaster) ")

    # --- failure

    def test_failure(self):
        self.start()
        queue_id = self.send("nobody@far.example", mail=["ENVID=one+2Btwo"], rcpt=["ORCPT=rfc822;first@x.example"])
        report, = self.reports()
        m = report.message
        self.assertEqual(m["Subject"], "Undelivered Mail Returned to Sender")
        self.assertEqual(m["From"], "Mail Delivery System <MAILER-DAEMON@example.org>")
        self.assertEqual(m["To"], ADA)
        self.assertEqual(m["Return-Path"], "<>")
        self.assertEqual(m["Auto-Submitted"], "auto-replied")
        self.assertEqual(m.get_param("report-type"), "delivery-status")
        self.assertEqual(report.types, ["text/plain", "message/delivery-status", "message/rfc822"])
        self.assertEqual([p["Content-Description"] for p in report.parts],
                         ["Notification", "Delivery report", "Undelivered Message"])
        self.assertTrue(report.text.startswith("This is the mail system at host mail.example.org.\n"))
        self.assertRegex(report.text, r"\n\n<nobody@far\.example>: host \S+ said:\s+550\s+5\.1\.1\s+no\s+such\s+user\s+\(in")
        self.assertEqual(list(report.about.keys()), ["Reporting-MTA", "Original-Envelope-Id", "X-Postroad-Queue-ID",
                                                     "X-Postroad-Sender", "Arrival-Date"])
        self.assertEqual(report.about["Reporting-MTA"], "dns; mail.example.org")
        self.assertEqual(report.about["Original-Envelope-Id"], "one+two")
        self.assertEqual(report.about["X-Postroad-Queue-ID"], queue_id)
        self.assertEqual(report.about["X-Postroad-Sender"], "rfc822; " + ADA)
        self.assertEqual(dict(report.one().items()), {
            "Final-Recipient": "rfc822; nobody@far.example", "Original-Recipient": "rfc822;first@x.example",
            "Action": "failed", "Status": "5.1.1", "Remote-MTA": "dns; " + self.far.address,
            "Diagnostic-Code": "smtp; 550 5.1.1 no such user"})
        self.assertIn(b"Return-Path: <%s>\n" % ADA.encode(), report.returned)
        self.assertTrue(report.returned.rstrip().endswith(b"X-Mine: yes\n\nHello."), report.returned[-99:])
        self.box.wait_log(queue_id + r": sender non-delivery notification: \w+")

    def test_what_has_8_bits_says_so(self):
        """The message that comes back: its sender need not have said it."""
        self.start()
        self.send("nobody@far.example", message="Subject: x\r\n\r\ngr\u00fcn\r\n".encode())
        report, = self.reports()
        self.assertEqual(report.message["Content-Transfer-Encoding"], "8bit")
        self.send("nobody@far.example", sender="eve@other.example", message="Subject: x\r\n\r\ngr\u00fcn\r\n".encode())
        self.far.wait(1)
        self.assertTrue(any("BODY=8BITMIME" in line for line in self.far.commands), self.far.commands)

    def test_threaded(self):
        self.start(enable_threaded_bounces="yes")
        self.send("nobody@far.example", message="Message-Id: <1@x.example>\r\n\r\nHello.\r\n")
        m = self.reports()[0].message
        self.assertEqual((m["References"], m["In-Reply-To"]), ("<1@x.example>", "<1@x.example>"))

    def test_only_what_failed_is_told(self):
        self.start()
        self.send("nobody@far.example", "later@far.example", "ok@far.example")
        self.assertEqual(self.reports()[0].one()["Final-Recipient"], "rfc822; nobody@far.example")

    def test_ret_hdrs_brings_the_header_only(self):
        self.start()
        self.send("nobody@far.example", mail=["RET=HDRS"])
        report, = self.reports()
        self.assertEqual(report.types[2], "text/rfc822-headers")
        self.assertEqual(report.parts[2]["Content-Description"], "Undelivered Message Headers")
        self.assertIn(b"X-Mine: yes", report.returned)
        self.assertNotIn(b"Hello.", report.returned)

    def test_what_is_too_large_does_not_come_back_whole(self):
        self.start(bounce_size_limit=1000)
        self.send("nobody@far.example", mail=["RET=FULL"], message="Subject: big\r\n\r\n" + "x" * 70 * 1000 + "\r\n")
        report, = self.reports()
        self.assertEqual(report.types[2], "text/rfc822-headers")
        self.assertNotIn(b"xxx", report.returned)

    def test_a_large_message_comes_back_whole(self):
        self.start(bounce_size_limit=1000000)
        self.send("nobody@far.example", message="Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 3000)
        report, = self.reports()
        self.assertEqual(report.returned.count(b"x" * 70 + b"\n"), 3000)

    def test_a_notice_may_be_larger_than_a_message(self):
        self.start(message_size_limit=1000)
        self.send("nobody@far.example", message="Subject: x\r\n\r\n" + "x" * 600 + "\r\n")
        self.assertIn(b"x" * 600, self.reports()[0].returned)

    def test_notify_never(self):
        self.start()
        self.assert_no_notice(self.send("nobody@far.example", rcpt=["NOTIFY=NEVER"]))
        self.assert_no_notice(self.send("nobody@far.example", rcpt=["NOTIFY=SUCCESS,DELAY"]))

    def test_expired(self):
        self.start(maximal_queue_lifetime="0", bounce_queue_lifetime="0")
        self.send("later@far.example")
        recipient = self.reports()[0].one()
        self.assertEqual(recipient["Action"], "failed")
        self.assertEqual(recipient["Status"], "4.2.1")

    def test_many_at_once(self):
        count = 300
        self.start(minimal_backoff_time="1h", maximal_backoff_time="1h", bounce_size_limit="100000")
        self.far.answers["RCPT"] = "450 4.2.1 later"
        with self.box.smtp() as smtp:
            for n in range(count):
                smtp.sendmail(ADA, ["x%d@far.example" % n], "Subject: x\r\n\r\n" + ("y" * 70 + "\r\n") * 100)
        postroad.wait_until(lambda: len(self.box.queue()) == count, "all of them deferred", self.box.story)
        self.far.answers["RCPT"] = "550 5.1.1 never"
        # A flush passes over what is just being put into deferred.
        postroad.wait_until(lambda: self.box.run("postqueue", "-f", check=True) and not self.box.queue(), "an empty queue",
                            self.box.story)
        told = [Report(m).one()["Final-Recipient"] for m in self.box.mails("ada")]
        self.assertEqual(sorted(told), sorted("rfc822; x%d@far.example" % n for n in range(count)))

    # --- success

    def test_success_into_a_mailbox(self):
        self.start()
        queue_id = self.send(TEST, rcpt=["NOTIFY=SUCCESS"])
        report, = self.reports()
        self.assertEqual(report.message["Subject"], "Successful Mail Delivery Report")
        self.assertEqual(report.types, ["text/plain", "message/delivery-status", "text/rfc822-headers"])
        self.assertEqual(report.parts[2]["Content-Description"], "Message Headers")
        self.assertRegex(report.text, r"\n\n<%s>: delivery via local: delivered to maildir\n" % re.escape(TEST))
        self.assertEqual(dict(report.one().items()), {
            "Final-Recipient": "rfc822; " + TEST, "Original-Recipient": "rfc822;" + TEST, "Action": "delivered",
            "Status": "2.0.0", "Diagnostic-Code": "X-Postroad; delivery via local: delivered to maildir"})
        self.box.wait_log(queue_id + r": sender delivery status notification: \w+")

    def test_relayed_to_a_host_without_dsn(self):
        self.start(dsn=False)
        self.send("bob@far.example", rcpt=["NOTIFY=SUCCESS,FAILURE"])
        recipient = self.reports()[0].one()
        self.assertEqual(recipient["Action"], "relayed")
        self.assertEqual(recipient["Diagnostic-Code"], "smtp; 250 2.0.0 Ok: taken")
        self.assertNotIn("NOTIFY", self.far.commands[2])

    def test_passed_on_to_a_host_with_dsn(self):
        self.start()
        queue_id = self.send("bob@far.example", mail=["RET=HDRS", "ENVID=me+2B"],
                             rcpt=["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;old+2Bbob@x.example"])
        self.assert_no_notice(queue_id)
        self.assertRegex(self.far.commands[1], r" RET=HDRS ENVID=me\+2B")
        self.assertRegex(self.far.commands[2], r" ORCPT=rfc822;old\+2Bbob@x\.example NOTIFY=SUCCESS,DELAY$")

    def test_an_expanded_virtual_alias(self):
        self.start(virtual_alias_maps="inline:{{list@example.org=%s, %s}}" % (TEST, USER))
        self.send("list@example.org", rcpt=["NOTIFY=SUCCESS,FAILURE"])
        report, = self.reports()
        self.assertEqual(report.one()["Action"], "expanded")
        self.assertEqual(report.one()["Final-Recipient"], "rfc822; list@example.org")
        self.assertIn("<list@example.org>: alias expanded\n", report.text)
        for account in ("test", "user"):
            self.box.wait_mail(account)
        self.box.wait_empty()
        self.assertEqual(len(self.box.mails("ada")), 1)

    def test_an_expanded_alias_that_is_requeued(self):
        self.start(virtual_alias_maps="inline:{{list@example.org=%s, later@far.example}}" % TEST,
                   minimal_backoff_time="1h", maximal_backoff_time="1h")
        queue_id = self.send("list@example.org", rcpt=["NOTIFY=SUCCESS,FAILURE"])
        self.box.wait_log(queue_id + ": to=<later@far.example>.*deferred")
        self.box.wait_mail("test")
        self.assertEqual(self.reports()[0].one()["Action"], "expanded")
        del self.far.answers["RCPT"]
        self.assertExit(self.box.run("postsuper", "-r", queue_id), 0)
        self.far.wait()
        self.box.wait_empty()
        self.assertEqual((len(self.box.mails("test")), len(self.box.mails("ada"))), (1, 1))

    def test_an_expanded_local_alias(self):
        self.start()
        self.send("both@example.org", rcpt=["NOTIFY=SUCCESS,DELAY"])
        report, = self.reports()
        self.assertEqual(report.one()["Action"], "expanded")
        self.assertEqual(report.one()["Final-Recipient"], "rfc822; both@example.org")
        self.far.wait()
        self.assertTrue(any(c.startswith("RCPT TO:<bob@far.example>") and c.endswith("NOTIFY=DELAY")
                            for c in self.far.commands), self.far.commands)

    def test_a_list_takes_the_message_over(self):
        self.start()
        self.send("list@example.org", rcpt=["NOTIFY=SUCCESS,DELAY"], mail=["ENVID=x", "RET=HDRS"])
        self.assertEqual(self.reports()[0].one()["Action"], "delivered")
        self.far.wait()
        said = "\n".join(self.far.commands)
        self.assertIn("MAIL FROM:<owner-list@example.org>", said)
        for word in ("ENVID", "RET=", "NOTIFY"):
            self.assertNotIn(word, said)

    # --- delay

    def test_delay_is_told_once(self):
        self.start(delay_warning_time="1s", minimal_backoff_time="1s", maximal_backoff_time="1s", queue_run_delay="1s")
        queue_id = self.send("later@far.example")
        report, = self.reports()
        self.assertEqual(report.message["Subject"], "Delayed Mail (still being retried)")
        self.assertEqual(report.types[2], "text/rfc822-headers")
        recipient = report.one()
        self.assertEqual((recipient["Action"], recipient["Status"]), ("delayed", "4.2.1"))
        self.assertIn("Will-Retry-Until", recipient)
        self.box.wait_log(queue_id + r": sender delay notification: \w+")
        # Neither the next try nor a restart tells it again.
        self.box.stop()
        self.box.start()
        tries = len(re.findall(queue_id + ": to=", self.box.log()))
        postroad.wait_until(lambda: len(re.findall(queue_id + ": to=", self.box.log())) > tries + 1, "two more tries")
        self.assertEqual(len(re.findall("delay notification", self.box.log())), 1)
        # What comes in the end tells of failure all the same.
        self.far.answers["RCPT"] = "550 5.1.1 never"
        self.assertEqual(self.reports(2)[1].one()["Action"], "failed")

    def test_who_asked_for_no_delay_hears_none(self):
        self.start(delay_warning_time="1s", minimal_backoff_time="1s", maximal_backoff_time="1s", queue_run_delay="1s")
        queue_id = self.send("later@far.example", rcpt=["NOTIFY=FAILURE"])
        postroad.wait_until(lambda: len(re.findall(queue_id + ": to=", self.box.log())) > 2, "three tries")
        self.assertNotIn("delay notification", self.box.log())

    # --- the postmaster

    def test_a_notice_that_comes_back(self):
        self.start(notify_classes="2bounce")
        first = self.send("nobody@far.example", sender="nothere@far.example")
        notice = self.box.wait_log(first + r": sender non-delivery notification: (\w+)").group(1)
        copy = self.box.wait_log(notice + r": postmaster non-delivery notification: (\w+)").group(1)
        report, = self.reports()
        m = report.message
        self.assertEqual(m["Subject"], "Postmaster Copy: Undelivered Mail")
        self.assertEqual(m["Return-Path"], "<double-bounce@mail.example.org>")
        self.assertEqual(m["Auto-Submitted"], "auto-generated")
        self.assertEqual(m["To"], "postmaster@example.org")
        self.assertEqual(report.about["X-Postroad-Sender"], "rfc822; MAILER-DAEMON@mail.example.org")
        self.assertEqual(report.types[2], "message/rfc822")
        self.assertIn(b"Undelivered Mail Returned to Sender", report.returned)
        self.assertNotIn(copy + ": sender", self.box.log())

    def test_a_notice_that_comes_back_to_nobody(self):
        self.start()
        first = self.send("nobody@far.example", sender="nothere@far.example")
        notice = self.box.wait_log(first + r": sender non-delivery notification: (\w+)").group(1)
        self.assert_no_notice(notice)

    def test_what_comes_back_from_the_postmaster_is_discarded(self):
        self.start(notify_classes="2bounce", **{"2bounce_notice_recipient": "nopost@far.example"})
        self.send("nobody@far.example", sender="nothere@far.example")
        self.box.wait_log("undeliverable postmaster notification discarded")
        self.box.wait_empty()
        self.assertEqual(self.box.mails("ada"), [])

    def test_mail_to_the_double_bounce_address_is_discarded(self):
        self.start()
        queue_id = self.send("double-bounce@mail.example.org")
        self.box.wait_log(queue_id + r": to=<double-bounce@mail\.example\.org>, relay=none, .*status=sent "
                          r"\(undeliverable postmaster notification discarded\)")
        self.assert_no_notice(queue_id)

    def test_copies_to_the_postmaster(self):
        self.start(notify_classes="bounce", bounce_notice_recipient=USER)
        queue_id = self.send("nobody@far.example")
        self.box.wait_log(queue_id + r": postmaster non-delivery notification: \w+")
        self.assertEqual(self.reports()[0].types[2], "message/rfc822")
        copy, = self.reports(account="user")
        self.assertEqual(copy.types[2], "text/rfc822-headers")
        self.assertTrue(copy.text.startswith("\n<nobody@far.example>: host"), copy.text)

    # --- sessions that go wrong

    def transcript(self, **main_cf):
        self.start(error_notice_recipient=USER, **main_cf)

    def say(self, *commands):
        with self.box.smtp() as smtp:
            for command in commands:
                smtp.docmd(command)
            smtp.close()

    def test_a_session_against_the_protocol(self):
        self.transcript(notify_classes="protocol")
        self.say("EHLO x.example", "MAIL FROM:<a b>", "QUIT")
        m, = self.box.wait_mail("user")
        self.assertEqual(m["Subject"], "Postroad SMTP server: errors from unknown[127.0.0.1]")
        self.assertEqual(m["To"], "Postmaster <%s>" % USER)
        self.assertEqual(m["From"], "Mail Delivery System <MAILER-DAEMON@mail.example.org>")
        self.assertEqual(m["Return-Path"], "<double-bounce@mail.example.org>")
        text = m.get_content()
        self.assertTrue(text.startswith("Transcript of session follows.\n\n Out: 220 mail.example.org ESMTP Postroad\n"
                                        " In:  EHLO x.example\n Out: 250-mail.example.org\n"), text)
        self.assertRegex(text, r"\n In:  MAIL FROM:<a b>\n Out: 501 5\.\S+ .*\n In:  QUIT\n Out: 221 2\.0\.0 Bye\n\n"
                               r"For other details, see the local mail logfile\n$")

    def test_a_session_that_ends_early(self):
        self.transcript(notify_classes="policy", smtpd_sender_restrictions="reject", smtpd_delay_reject="no")
        self.say("EHLO x.example", "MAIL FROM:<a@b.example>")
        m, = self.box.wait_mail("user")
        self.assertIn("\n\nSession aborted, reason: lost connection\n\n", m.get_content())

    def test_the_transcript_is_of_the_message_that_went_wrong(self):
        self.transcript(notify_classes="protocol", smtpd_junk_command_limit="1000")
        message = ["MAIL FROM:<a@b.example>", "RCPT TO:<%s>" % TEST, "RSET"]
        self.say("EHLO x.example", *message * 300, "MAIL FROM:<a b>", "NOOP")
        text = self.box.wait_mail("user")[0].get_content()
        self.assertIn("\n In:  EHLO x.example\n", text)
        self.assertIn("\n In:  MAIL FROM:<a b>\n Out: 501", text)
        self.assertNotIn("RSET", text)

    def test_no_password_is_shown(self):
        self.transcript(notify_classes="protocol")
        self.say("EHLO x.example", "AUTH PLAIN AGFkYQBzZWNyZXQ=", "QUIT")
        text = self.box.wait_mail("user")[0].get_content()
        self.assertIn(" In:  AUTH PLAIN\n", text)
        self.assertNotIn("AGFkYQBzZWNyZXQ", text)

    def test_trouble_that_nobody_wants_to_hear_of(self):
        self.transcript(notify_classes="resource, software")
        self.say("FOO", "QUIT")
        self.send("nobody@far.example")
        self.reports()
        self.box.wait_empty()
        self.assertEqual(self.box.mails("user"), [])

    def test_another_host_that_finds_fault_with_us(self):
        self.transcript(notify_classes="protocol")
        self.far.answers["MAIL"] = "501 5.5.4 what?"
        self.send("bob@far.example")
        m, = self.box.wait_mail("user")
        self.assertRegex(m["Subject"], r"^Postroad SMTP client: errors from \S+\[\S+\]$")
        self.assertRegex(m.get_content(), r"\n Out: MAIL FROM:<%s>.*\n(?s:.*)\n In:  501 5\.5\.4 what\?\n" % re.escape(ADA))

    # --- words

    def test_templates_of_the_site(self):
        self.start(bounce_template_file="@/bounce.cf", files={"bounce.cf": TEMPLATES})
        path = self.box.path("etc", "bounce.cf")
        self.send("nobody@far.example")
        report, = self.reports()
        self.assertEqual(report.message["Subject"], "Zurueck")
        self.assertEqual(report.message["From"], "Post <post@example.org>")
        self.assertIn("Gr\u00fc\u00dfe von mail.example.org, 5 Tage, $5.\n\n<nobody@far", report.text)
        self.box.wait_log(r"bounce\.cf, line 12: ")
        shown = self.box.run("postconf", "-b", path)
        self.assertIn("Gr\u00fc\u00dfe von mail.example.org", shown.stdout)
        self.assertIn("bounce.cf, line 12: ", shown.stderr)
        self.assertIn("Subject: Delayed Mail (still being retried)\n", self.box.run("postconf", "-t", path).stdout)

    def test_what_templates_may_ask(self):
        box = self.system(start=False, maximal_queue_lifetime="3d")
        ours = "delay_template = <<END\nSubject: x\n\n${nobody:none} ${nobody?some}${myhostname?one} %s\nEND\n"
        postroad.write(box.path("etc", "good.cf"), ours % "$maximal_queue_lifetime_hours h")
        postroad.write(box.path("etc", "bad.cf"), ours % "$nobody")
        self.assertIn("is 3 day(s) old", box.run("postconf", "-b", check=True).stdout)
        self.assertIn("\nnone one 72 h\n", box.run("postconf", "-b", box.path("etc", "good.cf"), check=True).stdout)
        self.assertIn("is 3 day(s) old", box.run("postconf", "-b", box.path("etc", "bad.cf")).stdout)

    # --- UTF-8

    def test_an_internationalized_message(self):
        self.start()
        self.far.answers["EHLO"] = "250-sink.example.net\r\n250-SMTPUTF8\r\n250 8BITMIME"
        self.send("no-\u00e5sa@far.example", mail=["SMTPUTF8", "BODY=8BITMIME"],
                  message="Subject: gr\u00fc\u00dfe\r\n\r\nHej.\r\n".encode())
        report, = self.reports()
        self.assertEqual(report.types, ["text/plain", "message/global-delivery-status", "message/global"])
        self.assertEqual(report.message.get_param("report-type"), "delivery-status")
        self.assertEqual(report.one()["Final-Recipient"], "utf-8; no-\u00e5sa@far.example")
        self.assertEqual(report.about["X-Postroad-Sender"], "rfc822; " + ADA)
        self.assertIn("Subject: gr\u00fc\u00dfe".encode(), report.returned)

    def test_an_internationalized_original_recipient(self):
        self.start()
        self.far.answers["EHLO"] = "250-sink.example.net\r\n250-SMTPUTF8\r\n250-DSN\r\n250 8BITMIME"
        self.send("\u00e5sa@far.example", mail=["SMTPUTF8"])
        self.far.wait()
        self.assertIn("RCPT TO:<\u00e5sa@far.example> ORCPT=utf-8;\\x{E5}sa@far.example", self.far.commands)
        self.send("nobody@far.example", mail=["SMTPUTF8"], rcpt=["ORCPT=utf-8;\\x{E5}sa@x.example"])
        self.assertEqual(self.reports()[0].one()["Original-Recipient"], "utf-8;\u00e5sa@x.example")
