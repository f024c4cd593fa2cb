"""Messages chosen by what they are: --from, --to, --reason..., and --dry-run, of postqueue and postsuper."""
import json
import re
import shutil
import socket
import subprocess

import postroad

PEER = shutil.which("postqueue", path="/usr/sbin:/sbin") or "none"


class Selection(postroad.Test):
    def setUp(self):
        self.far = self.sink()
        self.far.answers["RCPT"] = lambda line: ("450 4.2.0 greylisted" if "bob" in line else "451 4.3.0 disk full")
        self.box = self.system(relayhost=self.far.nexthop())
        self.spam = self.box.send("bob@far.example", sender="spam@Bad.example", body="x" * 30000)
        self.note = self.box.send("carol@far.example", "bob@far.example", sender="ada@example.org")
        self.null = self.box.send("dan@near.example", sender="")
        self.all = {self.spam, self.note, self.null}
        for id in self.all:
            self.box.wait_log(id + ": to=.*status=deferred")
        postroad.wait_until(lambda: all(r.get("delay_reason") for m in self.listed().values() for r in m["recipients"]),
                            "three that wait, and why", self.listed)

    def listed(self, *options):
        lines = self.box.run("postqueue", *options, "-j", check=True).stdout.splitlines()
        return {m["queue_id"]: m for m in map(json.loads, lines)}

    def test_the_listing_shows_what_is_asked_for(self):
        for options, ids in [
                (["--from", "@bad.example"], {self.spam}), (["--from", "<>"], {self.null}),
                (["--to", "bob@*"], {self.spam, self.note}), (["--domain", "near.example"], {self.null}),
                (["--larger", "20k"], {self.spam}), (["--smaller=20k"], {self.note, self.null}),
                (["--reason", "greylisted"], {self.spam, self.note}),
                (["--reason", "disk full", "--to", "bob@far.example"], set()),
                (["--newer", "1h"], self.all), (["--older", "1h"], set()),
                (["--queue", "hold"], set()), (["--queue", "deferred,hold"], self.all)]:
            self.assertEqual(set(self.listed(*options)), ids, options)
        rows = self.box.run("postqueue", "-p", "--to", "dan@near.example", check=True).stdout
        self.assertIn(self.null, rows)
        self.assertIn("in 1 Request.", rows)

    def test_a_login_is_known(self):
        done = self.box.run("sendmail", "-f", "ada@example.org", "eve@far.example", input="Subject: x\n\nx\n")
        self.assertExit(done, 0)
        mine = postroad.wait_until(lambda: [m for m in self.listed().values() if m.get("login")], "a mail with a login")
        self.assertEqual(set(self.listed("--login", mine[0]["login"])), {mine[0]["queue_id"]})
        # A program that reads Postfix's attributes gets no other ones.
        self.assertEqual(self.box.run("postsuper", "--login", mine[0]["login"], "-d", "ALL").stderr,
                         "postsuper: Deleted: 1 message\n")

    def test_a_dry_run_changes_nothing(self):
        done = self.box.run("postsuper", "-d", "ALL", "--from", "spam@bad.example", "--dry-run")
        self.assertExit(done, 0)
        self.assertRegex(done.stdout, r"^%s: would be removed: deferred, from=<spam@Bad\.example>, size=\d+, "
                         r"to=<bob@far\.example>\n1 message would be removed\n$" % self.spam)
        done = self.box.run("postqueue", "-f", "--dry-run")
        self.assertIn("3 messages would be tried now\n", done.stdout)
        self.assertIn(" and 1 more\n", done.stdout)
        done = self.box.run("postsuper", "--dry-run", "-h", self.note, "-d", "-", input="%s\nABCDEF012\n" % self.null)
        self.assertEqual(re.findall(r"^(\w+): would be (.*?):", done.stdout, re.M),
                         [(self.null, "removed"), (self.note, "placed on hold")])
        self.assertEqual(set(self.listed()), self.all)

    def test_the_selected_are_acted_on(self):
        done = self.box.run("postsuper", "-h", "ALL", "--reason", "greylisted")
        self.assertIn("postsuper: Placed on hold: 2 messages", done.stderr)
        self.assertEqual(set(self.listed("--queue", "hold")), {self.spam, self.note})
        done = self.box.run("postsuper", "-d", self.spam, "-d", self.note, "--larger", "20k")
        self.assertIn("postsuper: Deleted: 1 message\n", done.stderr)
        self.assertEqual(set(self.listed()), {self.note, self.null})
        done = self.box.run("postsuper", "-H", "ALL", "--from", "ada@example.org")
        self.assertIn("postsuper: Released from hold: 1 message\n", done.stderr)

    def test_an_id_in_another_queue_is_let_alone(self):
        done = self.box.run("postsuper", "-d", self.note, "-d", "-", "hold", input=self.spam + "\n")
        self.assertEqual(done.stderr, "postsuper: Deleted: 0 messages\n")
        self.box.run("postsuper", "-h", self.note, "active", "deferred", check=True)
        done = self.box.run("postsuper", "-d", self.note, "-d", self.spam, "hold")
        self.assertRegex(done.stderr, r"^postsuper: \w+: removed\npostsuper: Deleted: 1 message\n$")
        self.assertEqual(set(self.listed()), {self.spam, self.null})

    def test_a_flush_of_some(self):
        self.far.answers.clear()
        done = self.box.run("postqueue", "-f", "--from", "<>")
        self.assertExit(done, 0)
        self.assertIn("postqueue: Tried now: 1 message\n", done.stderr)
        self.far.wait(1)
        self.box.wait_log(self.null + ": removed")
        self.assertEqual(set(self.listed()), {self.spam, self.note})

    def test_while_the_system_is_down(self):
        self.box.stop()
        done = self.box.run("postqueue", "-p", "--larger", "20k")
        self.assertIn(self.spam, done.stdout)
        self.assertNotIn(self.note, done.stdout)
        done = self.box.run("postsuper", "-d", "ALL", "--to", "bob@far.example")
        self.assertIn("postsuper: Deleted: 2 messages", done.stderr)

    def test_a_mistake_names_its_option(self):
        for command, status, message in [
                (["postsuper", "-d", "ALL", "--older", "soon"], 1, "--older soon: not an age"),
                (["postsuper", "-d", "--from", "x"], 1, "-d wants a queue id, ALL or -; not --from"),
                (["postsuper", "--from", "x@y"], 1, "a selection for which action?"),
                (["postsuper", "-d", "ALL", "--form", "x"], 1, "--form: no such option"),
                (["postqueue", "-p", "--queue", "defered"], 69, "--queue defered: the queues are maildrop"),
                (["postqueue", "-s", "x.org", "--dry-run"], 69, "--dry-run go with -f, -j and -p"),
                (["postqueue", "-f", "--from", "a@b", "--from", "c@d"], 69, "--from c@d: it was given twice")]:
            done = self.box.run(*command)
            self.assertExit(done, status)
            self.assertIn(message, done.stderr)
        self.assertEqual(set(self.listed()), self.all)

    def test_an_exporter_reads_our_socket(self):
        with socket.socket(socket.AF_UNIX) as showq:
            showq.connect(self.box.spool + "/public/showq")
            stream = b"".join(iter(lambda: showq.recv(65536), b"")).decode()
        words, messages = stream.split("\0"), []
        self.assertEqual(words[:3], ["protocol", "mail_queue_list_protocol", ""])
        while words[3:] and words[3]:       # names and values; an empty name ends a message
            end = next(i for i in range(3, len(words), 2) if not words[i])
            messages.append(words[3:end])
            del words[3:end + 1]
        self.assertEqual(words[3:], ["", ""], "the end of the listing")
        self.assertEqual({message[3] for message in messages}, self.all)
        for message in messages:
            self.assertEqual(message[:12:2], ["queue_name", "queue_id", "time", "size", "forced_expire", "sender"])
            self.assertEqual(set(message[12::2]), {"recipient", "reason"})

    @postroad.need_root
    @postroad.need_program(PEER)
    def test_the_postqueue_of_postfix_reads_our_socket(self):
        peer = self.box.path("peer")
        postroad.write(peer + "/main.cf", "compatibility_level = 3.6\nqueue_directory = %s\n" % self.box.spool)
        for option in ("-j", "-p"):
            done = subprocess.run([PEER, "-c", peer, option], capture_output=True, text=True)
            self.assertExit(done, 0)
            if option == "-p":
                self.assertEqual(done.stdout, self.box.run("postqueue", "-p").stdout)
            else:
                self.assertEqual({json.loads(l)["queue_id"] for l in done.stdout.splitlines()}, self.all)
