"""Mail that cannot go now waits, is tried again, and goes; mail that never can comes back."""
import json
import os
import re

import postroad


class Deferral(postroad.Test):
    def relay(self, **main_cf):
        self.far = self.sink()
        return self.system(relayhost=self.far.nexthop(), **main_cf)

    def test_a_4xx_defers_and_a_flush_delivers(self):
        system = self.relay()
        self.far.answers["RCPT"] = "451 4.3.0 not now"
        queue_id = system.send("bob@far.example")
        system.wait_log(queue_id + r": to=<bob@far\.example>, relay=%s\[%s\]:%d, delay=[\d.]+, "
                        r"delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=4\.3\.0, status=deferred "
                        r"\(host %s\[%s\] said: 451 4\.3\.0 not now \(in reply to RCPT TO command\)\)"
                        % ((re.escape(self.far.address),) * 2 + (self.far.port,) + (re.escape(self.far.address),) * 2))

        def listed():
            found = system.queue().get(queue_id)
            return found and found[1] and found     # the reason is written a moment later
        flag, reasons, recipients = postroad.wait_until(listed, "a listed mail")
        self.assertEqual(recipients, ["bob@far.example"])
        self.assertIn("said: 451 4.3.0 not now", reasons[0])
        del self.far.answers["RCPT"]
        system.run("postqueue", "-f", check=True)
        self.far.wait(1)
        system.wait_log(queue_id + r": to=<bob@far\.example>, .*dsn=2\.0\.0, status=sent \(250 2\.0\.0 Ok: taken\)")
        system.wait_log(queue_id + ": removed")
        system.wait_empty()

    def test_it_is_tried_again_without_being_asked(self):
        system = self.relay(minimal_backoff_time="1s", maximal_backoff_time="2s", queue_run_delay="1s")
        tries = iter(["450 4.2.0 later"] * 2)
        self.far.answers["MAIL"] = lambda line: next(tries, "250 2.1.0 Ok")
        system.send("bob@far.example")
        self.far.wait(1)
        postroad.wait_until(lambda: len(re.findall("status=deferred", system.log())) == 2, "two tries", system.story)

    def test_a_dead_host_defers(self):
        system = self.relay()
        self.far.server.server_close()
        self.far.server.shutdown()
        system.send("bob@far.example")
        system.wait_log(r"connect to [^ ]+\[%s\]:%d: Connection refused" % (self.far.address, self.far.port))
        system.wait_log(r"relay=none, .*dsn=4\.4\.1, status=deferred \(connect to .*: Connection refused\)")

    def test_a_waiting_mail_survives_a_restart(self):
        system = self.relay()
        self.far.answers["CONNECT"] = "421 4.3.2 closed today"
        ids = {system.send("bob%d@far.example" % n) for n in range(5)}
        system.wait_deferred(*ids)
        system.stop()
        del self.far.answers["CONNECT"]
        system.start()
        self.assertEqual(set(system.queue()) | {m for m in ids if ": removed" in system.log()}, ids)
        system.run("postqueue", "-f", check=True)
        self.far.wait(5)
        system.wait_empty()
        self.assertEqual(len(self.far.messages), 5)

    def test_the_last_reason_is_told(self):
        """The file has it, and it goes with the file: on hold, after a restart, while the next try is under way."""
        system = self.relay()
        self.far.answers["RCPT"] = "451 4.3.0 " + "first " * 20
        queue_id = system.send("bob@far.example")

        def reason(**other):
            listed = system.run("postqueue", "-j", check=True).stdout.splitlines()
            return next((m["recipients"][0].get("delay_reason") or "" for m in map(json.loads, listed)
                         if m["queue_id"] == queue_id), "gone")
        path = system.path("spool", "deferred", queue_id[0], queue_id)
        postroad.wait_until(lambda: os.path.exists(path), "a file", system.story)
        postroad.wait_until(lambda: "first first" in reason(), "the first reason", reason)
        self.far.answers["RCPT"] = "451 4.3.0 second"
        system.run("postqueue", "-i", queue_id, check=True)
        postroad.wait_until(lambda: "4.3.0 second (in reply" in reason() and "first" not in reason(), "the second reason", reason)
        system.stop()
        with open(path, "rb") as f:
            self.assertNotIn(b"first", f.read().split(b"Subject:")[-1])
        system.start()
        self.assertIn("4.3.0 second", reason())
        self.assertEqual(os.listdir(system.path("spool", "defer")), [])

    def test_recipients_are_told_apart(self):
        system = self.relay()
        self.far.answers["RCPT"] = lambda line: "450 4.2.2 full" if "late" in line else "250 2.1.5 Ok"
        queue_id = system.send("now@far.example", "late@far.example")
        system.wait_log(queue_id + r": to=<now@far\.example>.*status=sent")
        system.wait_log(queue_id + r": to=<late@far\.example>.*status=deferred")
        system.wait_deferred(queue_id)
        del self.far.answers["RCPT"]
        system.run("postqueue", "-i", queue_id, check=True)
        self.far.wait(2)
        self.assertEqual([m[1] for m in self.far.messages], [["now@far.example"], ["late@far.example"]])

    def test_content_arrives_byte_for_byte(self):
        system = self.relay()
        body = ".dot\r\n..two\r\n\r\nlong %s\r\nlatin \r\n.\x20\r\nend" % ("x" * 5000)
        system.send("bob@far.example", body=body)
        content = self.far.wait(1)[0][2].decode()
        self.assertTrue(content.split("\r\n\r\n", 1)[1].startswith(".dot\r\n..two\r\n\r\nlong xxx"), content[:500])
        self.assertTrue(content.endswith(".\x20\r\nend\r\n"), content[-40:])
        self.assertTrue(content.startswith("Received: from client.example.net"), content[:200])

    def test_a_large_mail_goes_through(self):
        system = self.relay()
        body = "".join("%07d %s\r\n" % (n, "y" * 60) for n in range(40000))
        system.send("bob@far.example", "ada@example.org", body=body)
        content = self.far.wait(1)[0][2].decode()
        self.assertEqual(content.split("\r\n\r\n", 1)[1], body)
        mail = system.wait_mail("ada")[0]
        self.assertEqual(mail.get_payload(), body.replace("\r\n", "\n"))
        system.wait_empty()


class Bounce(postroad.Test):
    def test_a_notice_as_rfc_3464_has_it(self):
        far = self.sink()
        far.answers["RCPT"] = "550 5.1.1 <bob@far.example>: never heard of him"
        system = self.system(relayhost=far.nexthop())
        queue_id = system.send("bob@far.example", sender="ada@example.org", subject="where are you")
        system.wait_log(queue_id + r": to=<bob@far\.example>, .*dsn=5\.1\.1, status=bounced \(host .* said: 550 5\.1\.1 "
                        r"<bob@far\.example>: never heard of him \(in reply to RCPT TO command\)\)")
        notice_id = system.wait_log(queue_id + r": sender non-delivery notification: (\w+)").group(1)
        system.wait_log(notice_id + r": from=<>, size=\d+, nrcpt=1 \(queue active\)")
        notice = system.wait_mail("ada")[0]
        self.assertEqual(notice["Return-Path"], "<>")
        self.assertEqual(notice["Subject"], "Undelivered Mail Returned to Sender")
        self.assertRegex(notice["From"], r"MAILER-DAEMON@(mail\.)?example\.org")
        self.assertEqual(notice["To"], "ada@example.org")
        self.assertEqual(notice["Auto-Submitted"], "auto-replied")
        self.assertTrue(notice["Message-Id"] and notice["Date"])
        self.assertEqual(notice.get_content_type(), "multipart/report")
        self.assertEqual(notice.get_param("report-type"), "delivery-status")
        human, status, original = notice.get_payload()
        self.assertEqual(human.get_content_type(), "text/plain")
        self.assertIn("never heard of him", human.get_payload())
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        of_message, of_recipient = status.get_payload()
        self.assertEqual(of_message["Reporting-MTA"], "dns; mail.example.org")
        self.assertIn(queue_id, of_message.as_string())
        self.assertEqual(of_recipient["Final-Recipient"], "rfc822; bob@far.example")
        self.assertEqual(of_recipient["Action"], "failed")
        self.assertEqual(of_recipient["Status"], "5.1.1")
        self.assertRegex(of_recipient["Diagnostic-Code"], r"smtp; 550 5\.1\.1")
        self.assertEqual(original.get_content_type(), "message/rfc822")
        returned = original.get_payload()[0]
        self.assertEqual(returned["Subject"], "where are you")
        system.wait_empty()

    def test_a_bounce_of_a_bounce_ends(self):
        far = self.sink()
        far.answers["RCPT"] = "550 5.1.1 no"
        system = self.system(relayhost=far.nexthop())
        system.send("bob@far.example", sender="also@far.example")
        system.wait_log(r"to=<also@far\.example>, .*status=bounced")
        system.wait_empty()
        self.assertEqual(far.messages, [])

    def test_the_null_sender_gets_no_notice(self):
        far = self.sink()
        far.answers["DATA"] = "554 5.7.1 no"
        system = self.system(relayhost=far.nexthop())
        queue_id = system.send("bob@far.example", sender="")
        system.wait_log(queue_id + ": removed")
        self.assertNotRegex(system.log(), queue_id + ": sender non-delivery")

    def test_too_old_is_returned(self):
        far = self.sink()
        far.answers["CONNECT"] = "421 4.3.2 closed"
        system = self.system(relayhost=far.nexthop(), maximal_queue_lifetime="0")
        queue_id = system.send("bob@far.example", sender="ada@example.org")
        system.wait_log(queue_id + r": from=<ada@example\.org>, status=expired, returned to sender")
        notice = system.wait_mail("ada")[0]
        self.assertEqual(notice.get_content_type(), "multipart/report")
        system.wait_empty()

    def test_several_failures_are_one_notice(self):
        system = self.system()
        with system.smtp() as smtp:
            smtp.ehlo()
        far = self.sink()
        far.answers["RCPT"] = lambda line: "550 5.1.1 no %s" % line.split(":")[1]
        system.settings["relayhost"] = far.nexthop()
        system.reload()
        system.wait_log("reload -- version")
        system.send("one@far.example", "two@far.example", sender="ada@example.org")
        notice = system.wait_mail("ada")[0]
        reports = notice.get_payload()[1].get_payload()
        self.assertEqual([r["Final-Recipient"] for r in reports[1:]],
                         ["rfc822; one@far.example", "rfc822; two@far.example"])
        system.wait_empty()
        self.assertEqual(len(system.mails("ada")), 1)
