"""A content filter behind the queue: it gets all mail by SMTP, and brings back what is good."""
import os
import sys
import threading

import postroad

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scanner import FILTERED, Filter    # noqa: E402


class Content(postroad.Test):
    def system(self, more=FILTERED, **settings):
        box = super().system(start=False, **settings)
        self.port = postroad.free_port(box.address)
        self.filter = Filter((box.address, self.port))
        self.addCleanup(self.filter.close)
        box.master_cf += more % (box.address, self.port)
        box.settings.setdefault("content_filter", "smtp-amavis:" + self.filter.nexthop())
        return box.start()

    def test_there_and_back(self):
        box = self.system()
        queue_id = box.send("ada@example.org")
        mail = box.wait_mail("ada")[0]
        self.assertEqual(mail["X-Filtered"], "yes")
        self.assertEqual(len(mail.get_all("Received")), 2)      # from outside, from the filter
        box.wait_log(queue_id + r": to=<ada@example.org>, relay=127\S+, .*status=sent \(250 2.6.0 Ok, brought back\)")
        box.wait_log(r"client=\S+, orig_queue_id=%s, orig_client=\S*\[127\." % queue_id)
        said = [c for c in self.filter.commands if c.startswith("XFORWARD")]
        self.assertRegex(said[0], r"^XFORWARD NAME=\S+ ADDR=127\.\S+ PORT=\d+$")
        self.assertEqual(said[1], "XFORWARD PROTO=ESMTP HELO=client.example.net IDENT=%s SOURCE=REMOTE" % queue_id)
        box.wait_empty()

    def test_all_recipients_of_all_mail(self):
        box = self.system()
        box.send("ada@example.org", "test@example.org", "user@example.org")
        box.run("sendmail", "ada@example.org", input="Subject: from here\n\nHello.\n", check=True)
        self.filter.wait(2)
        self.assertEqual(sorted(len(m[1]) for m in self.filter.messages), [1, 3])
        self.assertEqual([m["X-Filtered"] for m in box.wait_mail("ada", 2)], ["yes", "yes"])
        box.wait_empty()
        self.assertEqual(len(self.filter.messages), 2)      # what comes back, and what is forwarded, is not filtered again

    def test_what_it_refuses_is_returned_and_not_filtered(self):
        box = self.system()
        box.send("user@example.org", sender="ada@example.org", body="a virus\r\n")
        notice = box.wait_mail("ada")[0]
        self.assertIn("said: 550 5.7.1 a virus", str(notice))
        self.assertEqual(self.filter.messages, [])
        self.assertEqual(box.mails("user"), [])

    def test_a_filter_that_dies_holds_the_mail(self):
        box = self.system()
        self.filter.dies = "before"
        ids = [box.send("ada@example.org") for _ in range(5)]
        for queue_id in ids:
            box.wait_log(queue_id + ": to=.*status=deferred .*lost connection")
        box.wait_deferred(*ids)
        self.filter.dies = None
        box.run("postqueue", "-f", check=True)
        box.wait_mail("ada", 5)
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 5)

    def test_a_filter_that_is_away_and_one_that_is_not_there(self):
        box = self.system(content_filter="smtp-amavis:[127.0.0.1]:1")
        queue_id = box.send("ada@example.org")
        box.wait_log(queue_id + ": to=.*status=deferred .*Connection refused")
        box.stop()
        box.settings["content_filter"] = "nosuch:x"
        box.start()
        missing = box.send("ada@example.org")
        box.wait_log(missing + ": to=.*status=deferred .*mail transport unavailable")
        # As they are they stay with their filter; put back, they go by what main.cf says now.
        box.stop()
        box.settings["content_filter"] = ""
        box.start()
        box.run("postsuper", "-r", "ALL", check=True)
        box.wait_mail("ada", 2)
        box.wait_empty()

    def test_no_more_at_once_than_master_cf_says(self):
        box = self.system()
        lock, go_on, inside = threading.Lock(), threading.Event(), []
        judge = self.filter.judge

        def slowly(*message):
            with lock:
                inside.append(len(inside))
            go_on.wait(postroad.PATIENCE)
            return judge(*message)
        self.filter.judge = slowly
        for _ in range(6):
            box.send("ada@example.org")
        postroad.wait_until(lambda: len(inside) >= 2, "two sessions with the filter", box.story)
        box.run("postqueue", "-f", check=True)
        self.assertEqual(len(inside), 2)
        go_on.set()
        box.wait_mail("ada", 6)
        box.wait_empty()

    def test_xforward_to_all_kinds_of_filters(self):
        for offers, answer, wanted in (
                ("250-f\r\n250-XFORWARD NAME ADDR SOURCE\r\n250 SIZE", "250 2.0.0 Ok",
                 ["XFORWARD NAME=[UNAVAILABLE] ADDR=127.0.0.1", "XFORWARD SOURCE=REMOTE"]),
                ("250-f\r\n250-PIPELINING\r\n250 XFORWARD HELO", "501 5.5.4 no", ["XFORWARD HELO=client.example.net"]),
                ("250-f\r\n250-PIPELINING\r\n250 DSN", "250 2.0.0 Ok", [])):
            box = self.system()
            self.filter.answers.update(EHLO=offers, XFORWARD=answer)
            self.filter.back = None
            for _ in range(2):
                queue_id = box.send("ada@example.org")
                box.wait_log(queue_id + ": to=.*status=sent")
            said = [c for c in self.filter.commands if c.startswith("XFORWARD")]
            self.assertEqual(said, wanted * 2)
            box.stop()
            self.assertEqual("in reply to XFORWARD" in box.log(), answer.startswith("5"))

    def test_postsuper_r_goes_through_it_again(self):
        far = self.sink()
        far.answers["RCPT"] = "450 4.2.0 later"
        box = self.system(relayhost=far.nexthop())
        box.send("bob@far.example")
        queue_id = box.wait_log(r"(\w+): to=<bob@far.example>, relay=\S+, .*status=deferred").group(1)
        del far.answers["RCPT"]
        box.run("postsuper", "-r", queue_id, check=True)
        content = far.wait(1)[0][2]
        self.assertEqual((content.count(b"X-Filtered"), len(self.filter.messages)), (2, 2))

    def test_the_record_in_the_envelope(self):
        box = self.system(content_filter="smtp-amavis:[127.0.0.1]:1")
        queue_id = box.send("ada@example.org")
        box.wait_log(queue_id + ": to=.*status=deferred")
        self.assertIn("content_filter: smtp-amavis:[127.0.0.1]:1\n", box.run("postcat", "-qe", queue_id).stdout)

    def test_an_access_table_has_the_last_word(self):
        box = self.system(smtpd_sender_restrictions="check_sender_access inline:{ { one.example = FILTER smtp-amavis:HERE }"
                          ", { two.example = FILTER smtp-amavis: }, { three.example = REDIRECT test@example.org }"
                          ", { four.example = FILTER nothing } }", content_filter="nosuch:")
        box.settings["smtpd_sender_restrictions"] = \
            box.settings["smtpd_sender_restrictions"].replace("HERE", self.filter.nexthop())
        box.settings["default_filter_nexthop"] = self.filter.nexthop()
        box.stop()
        box.start()
        for sender in ("a@one.example", "a@two.example", "a@three.example"):
            box.send("ada@example.org", sender=sender)
        box.wait_log(r"NOQUEUE: filter: RCPT from \S+: <a@one.example>: Sender address triggers FILTER smtp-amavis:")
        self.filter.wait(2)
        box.wait_mail("ada", 2)
        self.assertNotIn("X-Filtered", box.wait_mail("test")[0])
        box.send("ada@example.org", sender="a@four.example")
        box.wait_log("entry \"a@four.example\" requires transport:destination")
        box.wait_log("status=deferred .*mail transport unavailable")

    def test_one_that_gets_its_own_mail_again(self):
        box = self.system(FILTERED.replace("-o content_filter=\n", "-o hopcount_limit=5\n"), hopcount_limit="5")
        box.send("user@example.org", sender="ada@example.org")
        self.assertIn("too many hops", str(box.wait_mail("ada")[0]))
        self.assertLess(len(self.filter.messages), 6)

    def test_what_check_says(self):
        for more, settings, wanted in (
                (FILTERED, {}, None),
                (FILTERED.replace("-o content_filter=\n", "-o hopcount_limit=5\n"), {}, "content_filter.*go to the filter again"),
                (FILTERED, {"content_filter": "scan:x"}, "content_filter = scan:x: master.cf has no such service"),
                (FILTERED + "scan unix - n n - 10 pipe argv=/bin/true\n", {"content_filter": "scan:x"},
                 "content_filter = scan:x: the program"),
                (FILTERED + "submission inet n - n - - smtpd -o content_filter=scan:x\n", {},
                 r"master.cf, line \d+: -o content_filter = scan:x: master.cf has no such service"),
                (FILTERED, {"content_filter": "", "smtpd_proxy_filter": "127.0.0.1:1"},
                 "smtpd_proxy_filter = 127.0.0.1:1: no service in master.cf has"),
                (FILTERED, {"receive_override_options": "no_milter"}, "no_milter. is none of")):
            box = postroad.Test.system(self, start=False, settings={"content_filter": "smtp-amavis:[127.0.0.1]:1", **settings})
            box.master_cf += more % (box.address, 2525)
            box.write_config()
            said = box.run("postroad", "check")
            told = said.stderr + box.log()
            if wanted:
                self.assertRegex(told, wanted)
            else:
                self.assertNotRegex(told, "content_filter|receive_override")
