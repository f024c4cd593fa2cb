"""postroad trace: the story of a message, from the log and the queue."""
import gzip
import json
import os
import re
import time

import postroad

# What a Postfix of some years ago wrote: a content filter takes the message and brings it back.
POSTFIX_LOG = """\
Jan  4 14:45:00 mx postfix/smtpd[11]: connect from far.example[192.0.2.1]
Jan  4 14:45:00 mx postfix/smtpd[11]: 4WxYzRz1cyNzWq: client=far.example[192.0.2.1], sasl_method=PLAIN, sasl_username=eve
Jan  4 14:45:00 mx postfix/cleanup[12]: 4WxYzRz1cyNzWq: message-id=<one@far.example>
Jan  4 14:45:00 mx postfix/qmgr[13]: 4WxYzRz1cyNzWq: from=<eve@far.example>, size=1200, nrcpt=1 (queue active)
Jan  4 14:45:00 mx postfix/smtpd[14]: 4WxYzRz3p4k9ab: client=localhost[127.0.0.1], orig_queue_id=4WxYzRz1cyNzWq, orig_client=far.example[192.0.2.1]
Jan  4 14:45:00 mx postfix/cleanup[12]: 4WxYzRz3p4k9ab: message-id=<one@far.example>
Jan  4 14:45:01 mx postfix/smtp[15]: 4WxYzRz1cyNzWq: to=<bob@near.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0.1/0/0/0.9, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4WxYzRz3p4k9ab)
Jan  4 14:45:01 mx postfix/qmgr[13]: 4WxYzRz1cyNzWq: removed
Jan  4 14:45:01 mx postfix/qmgr[13]: 4WxYzRz3p4k9ab: from=<eve@far.example>, size=1500, nrcpt=1 (queue active)
Jan  4 14:45:02 mx dovecot: lmtp(bob)<9>: save: box=INBOX
Jan  4 14:45:02 mx postfix/lmtp[16]: 4WxYzRz3p4k9ab: to=<bob@near.example>, relay=near[private/lmtp], delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 saved)
Jan  4 14:45:02 mx postfix/qmgr[13]: 4WxYzRz3p4k9ab: removed
Jan  4 14:46:00 mx postfix/smtpd[11]: NOQUEUE: reject: RCPT from far.example[192.0.2.1]: 550 5.1.1 <eva@near.example>: Recipient address rejected: User unknown; from=<eve@far.example> to=<eva@near.example> proto=ESMTP helo=<far.example>
"""


class Trace(postroad.Test):
    def trace(self, *options, input=None, status=0):
        done = self.box.run("postroad", "trace", *options, input=input)
        self.assertExit(done, status)
        return done.stdout

    def ids(self, text):
        return re.findall(r"(?m)^(\w+)  from=", text)

    def test_a_message_that_is_forwarded_and_waits_elsewhere(self):
        far = self.sink()
        far.answers["RCPT"] = "450 4.2.0 greylisted"
        self.box = self.system(start=False, relayhost=far.nexthop())
        with open(self.box.path("etc", "aliases"), "a") as aliases:
            aliases.write("away: carol@far.example\n")
        self.box.start()
        id = self.box.send("away@example.org", "bob@far.example", sender="ada@example.net",
                           message="From: ada@example.net\r\nMessage-Id: <m1@example.net>\r\n\r\nx\r\n")
        other = self.box.send("bob@far.example", sender="eve@example.net")
        self.box.wait_log(id + ": to=<bob@far.example>.*status=deferred")
        self.box.wait_log(other + ": to=.*status=deferred")
        child = self.box.wait_log(id + r": to=.*status=sent \(forwarded as (\w+)\)").group(1)
        postroad.wait_until(lambda: self.trace(id).count("now: in deferred") == 2, "two files that wait")
        text = self.trace(id)
        self.assertEqual(self.ids(text), [id, child])
        self.assertRegex(text, r"(?m)^  \w\w\w .\d \d\d:\d\d:\d\d  smtpd       client=")
        self.assertRegex(text, r"to <bob@far\.example>: deferred 4\.2\.0 after [\d.]+ s \([\d./]+\) by \S+: host .*greylisted")
        self.assertRegex(text, r"(?m)^  now: in deferred, \d+s old; tried again at \w\w\w .\d \d\d:\d\d:\d\d, in \d+[sm]$")
        self.assertRegex(text, r"(?m)^    waits: <bob@far\.example>: host .* said: 450 4\.2\.0 greylisted")
        self.assertEqual(self.ids(self.trace(child)), [id, child])
        self.assertEqual(self.ids(self.trace("<m1@example.net>")), [id, child])
        self.assertEqual(self.ids(self.trace("bob@FAR.example")), [id, other])
        self.assertEqual(self.ids(self.trace("bob@far.example", "--last", "1")), [other])
        story = json.loads(self.trace("--json", id).splitlines()[0])
        self.assertEqual((story["queue_id"], story["message_id"], story["sender"]), (id, "m1@example.net", "ada@example.net"))
        self.assertEqual([p["status"] for p in story["posts"] if p.get("recipient") == "bob@far.example"], ["deferred"])
        self.assertTrue(all(isinstance(p["delay"], (int, float)) for p in story["posts"] if "delay" in p))
        self.assertEqual(story["waits"]["queue_name"], "deferred")
        self.assertGreater(story["retry_at"], time.time())
        # A log that was rotated and compressed is read, too; and none at all leaves the queue.
        with open(self.box.log_file, "rb") as log, gzip.open(self.box.log_file + ".1.gz", "wb") as packed:
            packed.write(log.read())
        with open(self.box.log_file, "w"):
            pass
        self.assertEqual(self.ids(self.trace(id)), [id, child])
        os.unlink(self.box.log_file + ".1.gz")
        self.assertRegex(self.trace(id), r"^%s  from=<ada@example\.net>\n  now: in deferred" % id)
        self.assertEqual(set(self.ids(self.trace("bob@far.example"))), {id, other})

    def test_a_message_that_comes_back(self):
        far = self.sink()
        far.answers["RCPT"] = "550 5.1.1 unknown"
        self.box = self.system(relayhost=far.nexthop())
        id = self.box.send("bob@far.example", sender="ada@example.org")
        bounce = self.box.wait_log(id + r": sender non-delivery notification: (\w+)").group(1)
        self.box.wait_log(bounce + ": removed")
        self.assertEqual(self.ids(self.trace(id))[:2], [id, bounce])
        self.assertEqual(self.ids(self.trace(bounce))[:2], [id, bounce])
        self.assertIn("bounced 5.1.1", self.trace(id))

    def test_a_log_of_postfix(self):
        self.box = self.system(start=False)
        self.box.write_config()
        both = ["4WxYzRz1cyNzWq", "4WxYzRz3p4k9ab"]
        for question in both + ["<one@far.example>"]:
            self.assertEqual(self.ids(self.trace("--log", "-", question, input=POSTFIX_LOG)), both)
        text = self.trace("--log", "-", "eve@far.example", input=POSTFIX_LOG)
        self.assertEqual(self.ids(text), both + ["NOQUEUE"])
        self.assertIn("login=eve", text)
        self.assertIn("NOQUEUE", self.trace("--log", "-", "eva@near.example", input=POSTFIX_LOG))

    def test_questions_without_an_answer(self):
        self.box = self.system(start=False)
        self.box.write_config()
        for question, words in [("bob", "neither a queue id"), ("4WxYzRz1cyNzWz", "neither the log nor the queue")]:
            done = self.box.run("postroad", "trace", "--log", "-", question, input=POSTFIX_LOG)
            self.assertExit(done, 1)
            self.assertIn(words, done.stderr)
        self.assertExit(self.box.run("postroad", "trace", "--log", "/nonexistent", "ABCDEF0"), 1)
        self.assertExit(self.box.run("postroad", "trace"), 1)
