"""The administrator's hands in the queue: mailq, postqueue, postsuper, postcat."""
import json
import os
import re
import subprocess

import postroad


class Queue(postroad.Test):
    def setUp(self):
        self.far = self.sink()
        self.far.answers["CONNECT"] = "421 4.3.2 closed"
        self.box = self.system(relayhost=self.far.nexthop())
        self.ids = []
        for n in range(3):
            self.ids.append(self.box.send("bob%d@far.example" % n, sender="ada@example.org", body="body %d\r\n" % n))
        self.box.wait_deferred(*self.ids)

    def open_the_door(self):
        self.far.answers.clear()
        self.box.run("postqueue", "-f", check=True)

    def test_the_listing_has_the_known_form(self):
        lines = self.box.run("postqueue", "-p", check=True).stdout.splitlines()
        self.assertEqual(lines[0], "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------")
        self.assertRegex(lines[1], r"^[0-9A-F]{6,}\s+\d+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d  ada@example\.org$")
        self.assertRegex(lines[2], r"^ *\(.*421 4\.3\.2 closed.*\)$")
        self.assertRegex(lines[3], r"^ {40,41}bob\d@far\.example$")
        self.assertRegex(lines[-1], r"^-- \d+ Kbytes in 3 Requests\.$")

    def test_sendmail_bp_is_the_same_listing(self):
        # One that goes from the journal to its file between the two is listed in another place.
        postroad.wait_until(lambda: self.box.run("sendmail", "-bp", check=True).stdout ==
                            self.box.run("postqueue", "-p", check=True).stdout, "the same listing", self.box.story)

    def test_json(self):
        done = self.box.run("postqueue", "-j", check=True)
        found = {m["queue_id"]: m for m in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(set(found), set(self.ids))
        one = found[self.ids[0]]
        self.assertEqual((one["queue_name"], one["sender"], one["forced_expire"]), ("deferred", "ada@example.org", False))
        self.assertEqual(one["recipients"][0]["address"], "bob0@far.example")
        self.assertIn("421", one["recipients"][0]["delay_reason"])

    def test_delete(self):
        done = self.box.run("postsuper", "-d", self.ids[0])
        self.assertExit(done, 0)
        self.assertIn("postsuper: Deleted: 1 message\n", done.stderr)
        self.box.wait_log(self.ids[0] + ": removed")
        self.assertEqual(set(self.box.queue()), set(self.ids[1:]))
        self.assertIn("postsuper: Deleted: 2 messages", self.box.run("postsuper", "-d", "ALL").stderr)
        self.box.wait_empty()
        self.assertEqual(self.far.messages, [])

    def test_what_is_said_of_each_and_of_all(self):
        one, two, three = self.ids
        for option, done, summary in (("-h", "placed on hold", "Placed on hold"), ("-H", "released from hold", "Released from hold"),
                                      ("-e", "expired", "Force-expired")):
            said = self.box.run("postsuper", option, one, option, two, *"incoming active deferred hold bounce".split()).stderr
            self.assertEqual(sorted(said.splitlines()), sorted(["postsuper: %s: %s" % (i, done) for i in (one, two)] +
                                                               ["postsuper: %s: 2 messages" % summary]))
        self.box.run("postsuper", "-h", three, check=True)
        said = self.box.run("postsuper", "-f", "ALL", "hold").stderr
        self.assertEqual(said, "postsuper: Force-expired: 1 message\npostsuper: Released from hold: 1 message\n")
        self.assertExit(self.box.run("postsuper", "-d", "ALL", "nosuchqueue"), 1)

    def test_a_broken_configuration_is_no_failure_for_ever(self):
        nowhere = self.box.path("nowhere")
        for command, status in ((("sendmail", "-C", nowhere, "x"), 75), (("postqueue", "-c", nowhere, "-p"), 69),
                                (("postsuper", "-c", nowhere, "-p"), 1), (("postcat", "-c", nowhere, "-q", "ABCDEF0123"), 1)):
            self.assertExit(self.box.run(*command, input=""), status)
        self.assertExit(self.box.run("sendmail", "-bp", "x"), 75)

    def test_delete_of_an_unknown_id(self):
        done = self.box.run("postsuper", "-d", "ABCDEF0123")
        self.assertExit(done, 0)
        self.assertIn("postsuper: Deleted: 0 messages", done.stderr)

    def test_ids_from_standard_input(self):
        done = self.box.run("postsuper", "-d", "-", input="\n".join(self.ids[:2]) + "\n")
        self.assertExit(done, 0)
        self.assertEqual(set(self.box.queue()), {self.ids[2]})

    def test_hold_and_release(self):
        self.assertExit(self.box.run("postsuper", "-h", self.ids[0]), 0)
        self.assertEqual(self.box.queue()[self.ids[0]][0], "!")
        self.open_the_door()
        self.far.wait(2)
        self.assertEqual(set(self.box.queue()), {self.ids[0]})
        self.assertExit(self.box.run("postsuper", "-H", self.ids[0]), 0)
        self.box.run("postqueue", "-f", check=True)
        self.far.wait(3)
        self.box.wait_empty()

    def test_expired_on_hold_is_returned_when_it_is_released(self):
        self.box.run("postsuper", "-h", self.ids[0], check=True)
        done = self.box.run("postsuper", "-e", self.ids[0])
        self.assertIn("postsuper: Force-expired: 1 message\n", done.stderr)
        self.assertEqual(self.box.queue()[self.ids[0]][0], "!#")
        found = [m for m in map(json.loads, self.box.run("postqueue", "-j").stdout.splitlines()) if m["forced_expire"]]
        self.assertEqual([m["queue_id"] for m in found], [self.ids[0]])
        self.box.run("postsuper", "-H", self.ids[0], check=True)
        self.box.wait_log(self.ids[0] + r": from=<ada@example\.org>, status=force-expired, returned to sender")
        self.box.wait_log(self.ids[0] + ": removed")
        # -f releases by itself.
        self.box.run("postsuper", "-h", self.ids[1], check=True)
        self.assertIn("postsuper: Force-expired: 1 message\n", self.box.run("postsuper", "-f", self.ids[1]).stderr)
        self.box.wait_log(self.ids[1] + ": removed")

    def test_requeue(self):
        done = self.box.run("postsuper", "-r", "ALL")
        self.assertExit(done, 0)
        self.assertIn("postsuper: Requeued: 3 messages", done.stderr)
        postroad.wait_until(lambda: len(self.box.queue()) == 3, "three mails under new ids")
        self.open_the_door()
        self.far.wait(3)
        self.box.wait_empty()
        # As it first came; again, from ourselves.
        received = [re.findall(rb"(?m)^Received: (from|by)", m[2]) for m in self.far.messages]
        self.assertEqual(received, [[b"by", b"from"]] * 3)
        self.box.wait_log(r"pickup\[\d+\]: \w+: uid=\d+ from=<ada@example\.org> orig_id=" + self.ids[0])
        bodies = sorted(re.search(rb"body \d", m[2]).group() for m in self.far.messages)
        self.assertEqual(bodies, [b"body 0", b"body 1", b"body 2"])

    def test_postcat_shows_envelope_and_content(self):
        done = self.box.run("postcat", "-q", self.ids[1])
        self.assertExit(done, 0)
        self.assertIn("sender: ada@example.org", done.stdout)
        self.assertIn("recipient: bob1@far.example", done.stdout)
        self.assertIn("Subject: a note\n", done.stdout)
        self.assertIn("\nbody 1\n", done.stdout)
        self.assertEqual(self.box.run("postcat", "-bq", self.ids[1]).stdout.strip(), "body 1")
        self.assertNotIn("body 1", self.box.run("postcat", "-hq", self.ids[1]).stdout)

    def test_postcat_has_the_form_of_postfix(self):
        path = "deferred/%s/%s" % (self.ids[1][0], self.ids[1])
        postroad.wait_until(lambda: os.path.exists(self.box.path("spool", path)), path, self.box.story)
        lines = self.box.run("postcat", "-q", self.ids[1]).stdout.splitlines()
        self.assertEqual([l for l in lines if l.startswith("***")], [
            "*** %s %s ***" % (part, path) for part in (
                "ENVELOPE RECORDS", "MESSAGE CONTENTS", "HEADER EXTRACTED", "MESSAGE FILE END")])
        self.assertRegex("\n".join(lines), r"(?m)^message_size: \d+\nsender: |^message_arrival_time: \w+ \w+ [ \d]\d ")
        self.assertIn("named_attribute: log_client_address=" + "127.", "\n".join(lines))
        self.assertTrue(self.box.run("postcat", "-bq", self.ids[1]).stdout.startswith("\nbody 1"))
        self.assertTrue(self.box.run("postcat", "-hq", self.ids[1]).stdout.endswith("Subject: a note\n"))
        rows = self.box.run("postcat", "-odvq", self.ids[1]).stdout
        offset = int(re.search(r"(?m)^ +(\d+)  78 regular_text: body 1$", rows).group(1))
        with open(self.box.path("spool", path), "rb") as f:
            self.assertTrue(f.read()[offset:].startswith(b"body 1\n"))
        self.assertEqual(self.box.run("postcat", "-bs", str(offset), "-q", self.ids[1]).stdout, "body 1\n")
        with open(self.box.path("spool", path)) as f:
            self.assertEqual(self.box.run("postcat", "-h", input=f.read()).stdout,
                             self.box.run("postcat", "-hq", self.ids[1]).stdout)

    def test_flush_while_down_says_so(self):
        self.box.stop()
        self.assertExit(self.box.run("postqueue", "-f"), 69)
        done = self.box.run("postqueue", "-p")
        if done.returncode == 0:        # as root: the queue is read directly
            self.assertIn("Mail system is down -- accessing queue directly", done.stderr)
            self.assertIn(self.ids[0], done.stdout)
        else:
            self.assertExit(done, 69)

    def test_an_empty_queue(self):
        self.open_the_door()
        self.far.wait(3)
        self.box.wait_empty()
        self.assertEqual(self.box.run("postqueue", "-p", check=True).stdout, "Mail queue is empty\n")

    @postroad.need_root
    def test_others_may_look_but_not_touch(self):
        def as_nobody(*command):
            return subprocess.run(["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
                                   postroad.BUILD + "/bin/" + command[0], *command[1:]],
                                  capture_output=True, text=True, env=self.box.environment())
        done = as_nobody("postsuper", "-d", "ALL")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("reserved for the superuser", done.stderr)
        self.assertEqual(set(self.box.queue()), set(self.ids))
