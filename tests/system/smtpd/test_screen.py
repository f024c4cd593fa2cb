"""A service of postscreen: master.cf has its four lines as Postfix has them, and smtpd makes the tests."""
import contextlib
import os
import random
import re
import resource
import signal
import socket
import tempfile
import time

import postroad

LINES = """smtpd     pass  -       -       y       -       -       smtpd
  -o smtpd_banner=from-the-pass-line
dnsblog   unix  -       -       y       -       0       dnsblog
tlsproxy  unix  -       -       y       -       0       tlsproxy
"""
EHLO, MAIL, RCPT, QUIT = (b"EHLO client.example\r\n", b"MAIL FROM:<a@example.net>\r\n",
                          b"RCPT TO:<games@example.org>\r\n", b"QUIT\r\n")
CLIENT = r"\[127\.0\.0\.2\]:\d+"
DEEP = {"postscreen_%s_enable" % name: "yes" for name in ("pipelining", "non_smtp_command", "bare_newline")}


def master_cf():
    lines = postroad.MASTER_CF.splitlines(keepends=True)
    smtp = next(i for i, line in enumerate(lines) if "{smtp_port}" in line)
    lines[smtp] = "{address}:{smtp_port} inet n - y - 1 postscreen\n"
    while lines[smtp + 1].startswith(" "):
        del lines[smtp + 1]
    return "".join(lines) + LINES


class Line:
    """A client that says what it likes when it likes."""

    def __init__(self, box, source="127.0.0.2"):
        self.socket = socket.create_connection((box.address, box.smtp_port), postroad.PATIENCE, (source, 0))
        self.lines = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def say(self, *commands):
        """Each when the one before was answered; the last answer's last line."""
        reply = b""
        for command in commands:
            self.socket.sendall(command)
            reply = self.hear()
        return reply

    def hear(self):
        """The last line of a reply; b"" when the server has closed."""
        line = self.lines.readline()
        while line[3:4] == b"-":
            line = self.lines.readline()
        return line.rstrip(b"\r\n")

    def greeted_early(self):
        """Say EHLO before the greeting; hear both answers, which may be one reply to who does not look closely."""
        self.socket.sendall(EHLO)
        while self.hear() != b"250 CHUNKING":
            pass

    def rest(self):
        return self.lines.read()


class Screen(postroad.Test):
    def screened(self, **settings):
        # What looks whether the port is open is somebody who is tested, too.
        box = self.system(master_cf=master_cf(), mynetworks="192.0.2.0/24", respectful_logging="yes",
                          **{"postscreen_greet_wait": "1s", **settings})
        box.wait_log(r"DISCONNECT|disconnect from|ALLOWLISTED")
        return box

    def test_a_service_of_postscreen_is_served(self):
        box = self.system(master_cf=master_cf())
        with box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            self.assertEqual(line.recv(100), b"220 from-the-pass-line\r\n")
        box.send("ada@example.org")
        box.wait_mail("ada")
        self.assertNotIn("is not there", box.log())
        box.reload()
        box.wait_log("reload -- version")
        box.send("ada@example.org")
        box.wait_mail("ada", 2)
        box.wait_log(r"/postscreen\[\d+\]: ALLOWLISTED \[127\.")

    def test_who_waits_passes(self):
        box = self.screened(postscreen_greet_banner="wait-for-it")
        for word in ("NEW", "OLD"):
            with Line(box) as line:
                self.assertEqual(line.lines.readline(),
                                 b"220-wait-for-it\r\n" if word == "NEW" else b"220 from-the-pass-line\r\n")
                if word == "NEW":
                    line.hear()
                self.assertEqual(line.say(b"NOOP\r\n", QUIT), b"221 2.0.0 Bye")
            box.wait_log(r"postscreen\[\d+\]: CONNECT from %s to \[127\.\d+\.\d+\.\d+\]:%d$" % (CLIENT, box.smtp_port))
            box.wait_log(r"postscreen\[\d+\]: PASS %s %s$" % (word, CLIENT))
        box.wait_log(r"smtpd\[\d+\]: connect from unknown\[127\.0\.0\.2\]")

    def test_who_talks_early_is_dropped(self):
        box = self.screened(postscreen_greet_wait="5s", postscreen_greet_action="drop")
        with Line(box) as line:
            line.socket.sendall(EHLO)
            self.assertEqual(line.rest(), b"220-from-the-pass-line\r\n521 5.5.1 Protocol error\r\n")
        box.wait_log(r"PREGREET 21 after [.\d]+ from %s: EHLO client\.example\\r\\n$" % CLIENT)
        box.wait_log("DISCONNECT " + CLIENT)

    def test_who_talks_early_does_not_get_the_rest_of_the_greeting(self):
        box = self.screened(postscreen_greet_wait="5s", postscreen_greet_action="enforce")
        with Line(box) as line:
            line.socket.sendall(EHLO + QUIT)
            heard = line.rest()
        self.assertTrue(heard.startswith(b"220-from-the-pass-line\r\n250-"), heard)
        self.assertNotIn(b"\n220 ", heard)

    def test_who_talks_early_is_refused_at_rcpt(self):
        box = self.screened(postscreen_greet_wait="5s", postscreen_greet_action="enforce",
                            postscreen_reject_footer="\\c. Ask $client_address")
        with Line(box) as line:
            line.greeted_early()
            self.assertEqual(line.say(MAIL), b"250 2.1.0 Ok")
            self.assertEqual(line.say(RCPT), b"550 5.5.1 Protocol error. Ask 127.0.0.2")
            self.assertEqual(line.say(b"DATA\r\n"), b"554 5.5.1 Error: no valid recipients. Ask 127.0.0.2")
            self.assertEqual(line.say(b"RSET\r\n"), b"250 2.0.0 Ok")
            self.assertEqual(line.say(b"ETRN example.org\r\n"), b"458 Unable to queue messages. Ask 127.0.0.2")
            self.assertEqual(line.say(QUIT), b"221 2.0.0 Bye")
        box.wait_log(r"NOQUEUE: reject: RCPT from %s: 550 5\.5\.1 Protocol error; from=<a@example\.net>, "
                     r"to=<games@example\.org>, proto=ESMTP, helo=<client\.example>$" % CLIENT)
        box.wait_log("DISCONNECT " + CLIENT)
        self.assertNotIn("connect from unknown[127.0.0.2]", box.log())
        self.assertNotIn("PASS", box.log())

    def test_who_talks_early_and_is_ignored_is_tested_again(self):
        box = self.screened(postscreen_greet_wait="3s")
        for _ in range(2):
            with Line(box) as line:
                line.greeted_early()
                self.assertEqual(line.say(MAIL, RCPT), b"250 2.1.5 Ok")
        postroad.wait_until(lambda: len(re.findall("PREGREET 21", box.log())) == 2, "two early talkers", box.story)
        self.assertNotIn("PASS", box.log())

    def test_who_hangs_up(self):
        box = self.screened(postscreen_greet_wait="9s", postscreen_greet_action="enforce")
        with Line(box) as line:
            line.lines.readline()
        box.wait_log(r"HANGUP after [.\d]+ from %s in tests before SMTP handshake$" % CLIENT)
        box.wait_log("DISCONNECT " + CLIENT)
        with Line(box) as line:
            line.greeted_early()
        box.wait_log(r"HANGUP after [.\d]+ from %s in tests after SMTP handshake$" % CLIENT)

    ACCESS = "127.0.0.3 permit\n127.0.0.4 dunno\n127.0.0.5 bogus\n127.0.0.0/29 reject\n"

    def test_the_access_list(self):
        with tempfile.NamedTemporaryFile("w") as table:
            table.write(self.ACCESS)
            table.flush()
            os.chmod(table.name, 0o644)
            self.check_access(self.screened(postscreen_access_list="permit_mynetworks, cidr:" + table.name,
                                            postscreen_denylist_action="drop"))

    def check_access(self, box):
        with Line(box) as line:
            self.assertEqual(line.rest(), b"521 5.3.2 Service currently unavailable\r\n")
        with Line(box, "127.0.0.3") as line:
            self.assertEqual(line.lines.readline(), b"220 from-the-pass-line\r\n")
        for source in ("127.0.0.4", "127.0.0.5"):
            with Line(box, source) as line:
                self.assertEqual(line.lines.readline(), b"220-from-the-pass-line\r\n")
        box.wait_log("DENYLISTED " + CLIENT)
        box.wait_log(r"ALLOWLISTED \[127\.0\.0\.3\]")
        box.wait_log("unknown command: bogus -- ignoring the remainder of this access list")

    def test_old_words_and_names(self):
        box = self.system(master_cf=master_cf(), mynetworks="192.0.2.0/24", respectful_logging="no",
                          postscreen_access_list="inline:{127.0.0.2=reject,127.0.0.3=permit}", postscreen_greet_wait="1s",
                          postscreen_blacklist_action="enforce",
                          postscreen_whitelist_interfaces="!127.0.0.0/8, static:all")
        with Line(box) as line:
            line.hear()
            self.assertEqual(line.say(EHLO, MAIL, RCPT), b"550 5.3.2 Service currently unavailable")
        with Line(box, "127.0.0.4") as line:
            line.hear()
            self.assertEqual(line.say(EHLO, MAIL, RCPT), b"450 4.3.2 Service currently unavailable")
        with Line(box, "127.0.0.3") as line:
            line.hear()
        for words in ("BLACKLISTED " + CLIENT, r"WHITELIST VETO \[127\.0\.0\.4\]", r"WHITELISTED \[127\.0\.0\.3\]"):
            box.wait_log(words)

    def test_a_far_access_table_holds_nobody_up(self):
        box = self.screened(postscreen_access_list="proxy:hash:%s/late" % tempfile.gettempdir())
        with Line(box) as line:
            line.hear()
            self.assertEqual(line.say(EHLO, MAIL, RCPT), b"250 2.1.5 Ok")
        box.wait_log("table lookup error -- ignoring the remainder of this access list")

    def test_check_tells_of_mistakes(self):
        for name, value, said in (
                ("dnsbl_sites", "list.example=127.0.0.x", "error: postscreen_dnsbl_sites: .*expected a filter"),
                ("dnsbl_sites", "list.example*1.5", "error: postscreen_dnsbl_sites: .*expected a whole number"),
                ("greet_action", "reject", "error: postscreen_greet_action = reject: expected ignore, enforce or drop"),
                ("access_list", "permit_mynetwork", "error: postscreen_access_list: permit_mynetwork is none of"),
                ("post_queue_limit", "9", "warning: .*postscreen_post_queue_limit: .*none of them waits")):
            box = self.system(master_cf=master_cf(), start=False, **{"postscreen_" + name: value})
            box.run("postalias", "hash:" + box.path("etc", "aliases"), check=True)
            self.assertRegex(box.run("postroad", "-c", box.config, "check").stderr, said)

    def test_behind_a_balancer(self):
        box = self.screened(postscreen_upstream_proxy_protocol="haproxy", postscreen_greet_action="enforce",
                            postscreen_greet_wait="3s")
        header = b"PROXY TCP4 198.51.100.%d 203.0.113.1 4000 25\r\n"
        with Line(box) as line:
            line.socket.sendall(header % 7)
            line.hear()
            self.assertEqual(line.say(EHLO, MAIL, RCPT), b"250 2.1.5 Ok")
        with Line(box) as line:             # who talks early may do so in the same breath as the balancer
            line.socket.sendall(header % 8)
            line.greeted_early()
            self.assertEqual(line.say(MAIL, RCPT), b"550 5.5.1 Protocol error")
        with Line(box) as line:
            line.socket.sendall(header % 9 + EHLO)
            self.assertIn(line.hear()[:3], (b"220", b"250"))
        box.wait_log(r"PREGREET 21 after [.\d]+ from \[198\.51\.100\.9\]")
        box.wait_log(r"CONNECT from \[198\.51\.100\.7\]:4000 to \[203\.0\.113\.1\]:25$")
        box.wait_log(r"PASS NEW \[198\.51\.100\.7\]:4000$")

    # The dialogue.

    def deep(self, **settings):
        return self.screened(**DEEP, **settings)

    def test_who_passes_in_the_dialogue_goes_on(self):
        box = self.deep()
        with Line(box) as line:
            line.hear()
            line.socket.sendall(EHLO)
            offered = [line.lines.readline() for _ in range(9)]
            self.assertNotIn(b"250-PIPELINING\r\n", offered)
            self.assertEqual(line.say(MAIL, RCPT, b"DATA\r\n"), b"354 End data with <CR><LF>.<CR><LF>")
            self.assertIn(b"queued as", line.say(b"Subject: x\r\n\r\n.\r\n"))
        box.wait_log("PASS NEW " + CLIENT)
        with Line(box) as line:
            line.hear()
            self.assertEqual(line.say(EHLO, MAIL + RCPT), b"250 2.1.0 Ok")  # PIPELINING is offered now
        box.wait_log("PASS OLD " + CLIENT)

    def test_who_names_no_recipient_has_not_passed(self):
        box = self.deep()
        for _ in range(2):
            with Line(box) as line:
                line.hear()
                self.assertEqual(line.say(EHLO, QUIT), b"221 2.0.0 Bye")
        self.assertNotIn("PASS", box.log())
        box.stop()
        pregreet, dnsbl, *deep = map(int, self.row(box).split(";"))
        self.assertTrue(pregreet > 1 and dnsbl == 1 and deep == [0, 0, 0], "he has waited, and that is all")

    def test_pipelining(self):
        box = self.deep()
        with Line(box) as line:
            line.hear()
            line.say(EHLO + MAIL)
            line.hear()
            self.assertEqual(line.say(RCPT), b"550 5.5.1 Protocol error")
        box.wait_log(r"COMMAND PIPELINING from %s after EHLO: MAIL FROM:<a@example\.net>\\r\\n$" % CLIENT)
        box.wait_log("DISCONNECT " + CLIENT)
        box.wait_log(r"disconnect from unknown\[127\.0\.0\.2\] ehlo=1 mail=1 rcpt=0/1 commands=2/3$")

    def test_pipelining_dropped(self):
        box = self.deep(postscreen_pipelining_action="drop")
        with Line(box) as line:
            line.hear()
            line.socket.sendall(EHLO + MAIL)
            self.assertEqual(line.rest(), b"521 5.5.1 Protocol error\r\n")

    def test_no_command_at_all(self):
        box = self.deep()
        for words in (b"GET / HTTP/1.0\r\n", b"Subject: x\r\n"):
            with Line(box) as line:
                line.hear()
                line.socket.sendall(words)
                self.assertEqual(line.rest(), b"521 5.7.0 Error: I can break rules, too. Goodbye.\r\n")
            box.wait_log(r"NON-SMTP COMMAND from %s after CONNECT: %s$" % (CLIENT, words.decode().strip()))

    def test_a_bare_newline(self):
        box = self.deep()
        with Line(box) as line:
            line.hear()
            self.assertEqual(line.say(b"EHLO c.example\n", MAIL, RCPT), b"250 2.1.5 Ok")
        box.wait_log("BARE NEWLINE from %s after EHLO c.example$" % CLIENT)
        box.wait_log("PASS NEW " + CLIENT)

    def test_limits(self):
        box = self.deep(postscreen_command_count_limit="3", postscreen_command_time_limit="2s")
        with Line(box) as line:
            line.hear()
            line.say(EHLO, b"NOOP\r\n", b"NOOP\r\n")
            self.assertEqual(line.say(b"NOOP\r\n"), b"421 mail.example.org Service unavailable - try again later")
        with Line(box) as line:
            line.hear()
            line.say(EHLO)
            self.assertEqual(line.hear(), b"421 4.4.2 mail.example.org Error: timeout exceeded")
        with Line(box) as line:         # byte by byte is no way to stay longer
            line.hear()
            said = b""
            line.socket.settimeout(0.2)
            for _ in range(int(postroad.PATIENCE * 5)):
                with contextlib.suppress(TimeoutError):
                    line.socket.sendall(b"x")
                    said = line.socket.recv(100)
                    break
            self.assertEqual(said, b"421 4.4.2 mail.example.org Error: timeout exceeded\r\n")
        with Line(box) as line:
            line.hear()
            line.socket.sendall(b"x" * 5000)
            self.assertEqual(line.rest(), b"421 mail.example.org Service unavailable - try again later\r\n")
        with Line(box) as line:         # who has passed is served
            line.hear()
            self.assertEqual(line.say(EHLO, MAIL, *[RCPT] * 9), b"250 2.1.5 Ok")
            time.sleep(2.5)
            self.assertEqual(line.say(RCPT), b"250 2.1.5 Ok")
        for line in ("COUNT LIMIT from %s after NOOP", "TIME LIMIT from %s after EHLO", "LENGTH LIMIT from %s after CONNECT"):
            box.wait_log("COMMAND " + line % CLIENT)

    def test_too_many(self):
        box = self.screened(postscreen_client_connection_count_limit="3", postscreen_pre_queue_limit="10",
                            postscreen_greet_wait="9s")
        lines = [Line(box, "127.0.0.%d" % (20 + n // 3)) for n in range(10)]
        try:
            self.assertTrue(all(line.lines.readline().startswith(b"220-") for line in lines))
            with Line(box, "127.0.0.20") as line:
                self.assertEqual(line.rest(), b"421 4.7.0 Error: too many connections\r\n")
            with Line(box, "127.0.0.30") as line:
                self.assertEqual(line.rest(), b"421 4.3.2 All screening ports are busy\r\n")
        finally:
            for line in lines:
                line.__exit__()
        box.wait_log(r"NOQUEUE: reject: CONNECT from \[127\.0\.0\.20\]:\d+: too many connections$")
        box.wait_log(r"reject: connect from \[127\.0\.0\.30\]:\d+: all screening ports busy$")
        box.wait_log(r"HANGUP after [.\d]+ from \[127\.0\.0\.23\]")
        with Line(box, "127.0.0.30") as line:
            self.assertEqual(line.lines.readline(), b"220-from-the-pass-line\r\n")

    def test_hardly_any_room_is_stress(self):
        box = self.screened(postscreen_pre_queue_limit="10", postscreen_greet_wait="${stress?{1}:{999}}s")
        lines = [Line(box, "127.0.0.%d" % (20 + n)) for n in range(9)]
        try:
            for line in lines:
                line.lines.readline()
            box.wait_log("postscreen.*entering STRESS mode with 9 connections$")
            self.assertEqual(lines[8].hear(), b"220 from-the-pass-line")
        finally:
            for line in lines:
                line.__exit__()
        box.wait_log("postscreen.*leaving STRESS mode with 7 connections$")

    def test_whatever_is_said_whenever(self):
        """Clients that talk, wait and leave at any moment, while the keeper is killed: the next one is served."""
        words = [EHLO, b"HELO y\n", MAIL, RCPT, b"DATA\r\n", b"BDAT 5 LAST\r\nabcde", b"GET / HTTP/1.0\r\n", QUIT, b"x" * 5000,
                 b"\0\xff\r\n", b"ETRN a\r\n", b"\r\n"]
        seed = int(os.environ.get("SEED", random.randrange(10 ** 6)))
        chance = random.Random(seed)
        actions = {"postscreen_%s_action" % name: chance.choice(["ignore", "enforce", "drop"])
                   for name in ("greet", "pipelining", "non_smtp_command", "bare_newline", "denylist")}
        box = self.deep(postscreen_access_list="inline:{127.0.1.1=reject,127.0.1.2=permit}", postscreen_command_time_limit="1s",
                        **actions)
        box.allow("postscreen.* killed by signal 9")
        with self.subTest(seed=seed), contextlib.ExitStack() as stack:
            lines = [stack.enter_context(Line(box, "127.0.1.%d" % chance.randint(1, 20))).socket for _ in range(100)]
            for turn in range(10):
                for line in chance.sample(lines, 50):
                    with contextlib.suppress(OSError):
                        line.sendall(b"".join(chance.choices(words, k=chance.randint(1, 4))))
                        if chance.random() < 0.2:
                            line.shutdown(socket.SHUT_RDWR)
                if turn == 5:
                    box.kill("postscreen")
                time.sleep(chance.random() / 4)
            with Line(box, "127.0.1.2") as line:
                self.assertEqual(line.hear(), b"220 from-the-pass-line")

    # What is remembered.

    def visit(self, box, source="127.0.0.2"):
        with Line(box, source) as line:
            line.hear()
            self.assertEqual(line.say(QUIT), b"221 2.0.0 Bye")

    def row(self, box, client="127.0.0.2"):
        return box.run("postmap", "-q", client, "btree:" + box.path("lib", "postscreen_cache")).stdout.strip()

    def test_a_client_is_remembered_over_a_restart(self):
        box = self.screened()
        before = time.time()
        self.visit(box)
        box.wait_log("PASS NEW " + CLIENT)
        box.stop()
        until, *others = self.row(box).split(";")
        self.assertTrue(86400 <= int(until) - int(before) <= 86400 + postroad.PATIENCE, until)
        self.assertEqual(others, ["1"] * 4)
        box.start()
        self.visit(box)
        box.wait_log("PASS OLD " + CLIENT)
        box.reload()
        box.wait_log("reload -- version")
        self.visit(box)
        postroad.wait_until(lambda: len(re.findall("PASS OLD " + CLIENT, box.log())) == 2, "an old client", box.story)
        self.assertEqual(len(re.findall("PASS NEW " + CLIENT, box.log())), 1)

    def test_what_one_process_learns_the_others_know(self):
        box = self.screened()
        box.allow("smtpd.* killed by signal 9")
        self.visit(box)
        box.wait_log("PASS NEW " + CLIENT)
        old = box.processes("smtpd")
        box.kill("smtpd")
        postroad.wait_until(lambda: set(box.processes("smtpd")) - set(old), "another smtpd", box.story)
        self.visit(box)
        box.wait_log("PASS OLD " + CLIENT)

    def test_a_row_of_postfix_counts(self):
        box = self.system(master_cf=master_cf(), start=False, mynetworks="192.0.2.0/24", postscreen_greet_wait="1s")
        ahead = int(time.time()) + 5000
        postroad.write(box.path("lib", "postscreen_cache"), "127.0.0.2 %d;1;1\n127.0.0.3 1000;1;1;1;1\nx nonsense\n" % ahead)
        box.run("postmap", "btree:" + box.path("lib", "postscreen_cache"), check=True)
        if postroad.ROOT:
            postroad.shutil.chown(box.path("lib", "postscreen_cache.db"), postroad.OWNER)
        box.start()
        self.visit(box)
        box.wait_log("PASS OLD " + CLIENT)
        # Expired long ago, and cleaned away.
        box.wait_log(r"postscreen\[\d+\]: cache btree:.*/postscreen_cache full cleanup: retained=1 dropped=2 entries")

    def test_a_killed_keeper_costs_a_test(self):
        box = self.screened()
        box.allow("postscreen.* killed by signal 9")
        self.visit(box, "127.0.0.3")
        self.assertTrue(box.kill("postscreen"))
        for source in ("127.0.0.3", "127.0.0.4"):       # by this process's own memory; by nobody's
            self.visit(box, source)
        box.wait_log(r"PASS OLD \[127\.0\.0\.3\]")
        box.wait_log(r"PASS NEW \[127\.0\.0\.4\]")
        self.assertEqual(len(postroad.wait_until(lambda: box.processes("postscreen"), "postscreen again")), 1)

    def test_a_stopped_keeper_holds_nobody_for_long(self):
        box = self.screened()
        box.allow("postscreen")
        for pid in box.processes("postscreen"):
            os.kill(pid, signal.SIGSTOP)
        self.visit(box, "127.0.0.4")
        box.wait_log(r"PASS NEW \[127\.0\.0\.4\]")

    def test_many_who_say_nothing(self):
        """Far more, by hand: SILENT=10000."""
        count = int(os.environ.get("SILENT", "300"))
        box = self.screened(postscreen_greet_wait="6s", postscreen_client_connection_count_limit="0")
        self.visit(box, "127.0.0.3")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(count + 100, soft), max(count + 100, hard)))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        lines = []
        try:
            for n in range(count):
                line = socket.socket()
                lines.append(line)
                line.bind(("127.0.%d.%d" % (1 + n // 200, 10 + n % 200), 0))
                line.connect((box.address, box.smtp_port))
            start = time.monotonic()
            self.visit(box, "127.0.0.3")                # an old one is served at once
            self.assertLess(time.monotonic() - start, 6)
            for line in lines:                          # and each of them is greeted
                line.settimeout(postroad.PATIENCE)
                said = b""
                while b"\n220 " not in said:
                    said += line.recv(200) or self.fail("closed after %r" % said)
        finally:
            for line in lines:
                line.close()
        box.wait_log("PASS OLD \\[127.0.0.3\\]")
