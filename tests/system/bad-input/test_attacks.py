"""What attackers have tried on mail servers, one test each: S1 to S16 of the list by which smtpd was planned.

Beside them: smuggling (S1) in test_garbage and smtpd/test_reception, chunks (S7) in test_states, early talkers (S5)
in smtpd/*.talk. STARTTLS and AUTH (S3, S4, S6) are not there yet; that they answer and keep their place is here.
"""
import contextlib
import os
import re
import resource
import select
import socket

import postroad

HELLO, FROM, TO = b"EHLO c.example", b"MAIL FROM:<a@example.net>", b"RCPT TO:<ada@example.org>"
SESSIONS = int(os.environ.get("SESSIONS", "1500"))
RECIPIENTS = 300000     # of one session: beyond all limits, and more than any buffer holds

# S8: what would come out of xtext or a quoted pair as a control character, or end a record.
INJECTIONS = [
    b"MAIL FROM:<a@example.net> ENVID=x+0Ay", b"MAIL FROM:<a@example.net> ENVID=x+0D", b"MAIL FROM:<a@example.net> ENVID=+00",
    b"MAIL FROM:<a@example.net> ENVID=x+7F", b"MAIL FROM:<\"a\\\r\"@example.net>", b"MAIL FROM:<\"a\r\"@example.net>",
    b"MAIL FROM:<\"a\\\x01\"@example.net>", b"MAIL FROM:<a@example.net> AUTH=<>\x01", b"MAIL FROM:<a\x7f@example.net>",
]

# S9: each is refused or taken, at once.
BOMBS = [
    b"<" + b"a" * 4000 + b"@example.org>", b"<" + b"(" * 4000 + b"@example.org>", b"<" + b"@a," * 1300 + b"@b:ada@example.org>",
    b"<" + b'"\\ "' * 900 + b"@example.org>", b"<" + b'"' * 3999 + b"@example.org>", b"<" + b"<" * 4000, b"<" + b"[" * 4000 + b">",
    b"<" + b"!" * 4000 + b">", b"<" + b"%" * 3900 + b"@example.org>", b"<" + b"@" * 4000 + b">", b"<" + b"." * 4000 + b">",
    b'<""@example.org>', b"<ada@[IPv6:" + b":" * 3900 + b"]>", b"<ada@[IPv6:::]>", b"<ada@" + b"b." * 1900 + b"org>", b"<\\" * 1300,
    b"<" + b"\\@" * 1900 + b">", "<\u00e4da@example.org>".encode(), b"<\xff\xfe@example.org>", b"<ada@xn--" + b"-" * 60 + b".org>",
]

# S13: no shell ever sees them; the answer is that there is no such user.
COMMANDS = [b"|id", b"|/bin/sh", b"$(id)", b"`id`", b";id", b"-oQ/tmp", b"/etc/passwd", b":include:/etc/passwd", b"a;touch${IFS}x",
            b'"|id"', b'"a b;id"', b"\\|id", b"&id", b"a>b"]

# S15: what an open relay would take. The system is example.org.
OUTSIDE = [
    b"u@far.example", b"u%far.example@example.org", b"far.example!u@example.org", b"far.example!u", b"u@far.example@example.org",
    b'"u@far.example"@example.org', b'"u@far.example"', b'"u%far.example"@example.org', b"@example.org:u@far.example",
    b"@far.example:u@example.net", b"u%far.example", b"u%far.example%example.org@example.org", b"u%far.example@[127.0.0.1]",
    b"example.org!u@far.example", b"example.org!far.example!u", b"u@far.example%example.org@example.org", b"u@[192.0.2.1]",
    b"u@[IPv6:2001:db8::1]", b"u@example.org.far.example", b"u@xexample.org", b"u@example.org@far.example", b'"u"@far.example',
    b"far.example!u@[127.0.0.1]", b"@example.org,@far.example:u@elsewhere.example", b"u@FAR.example.", b"u@far.example.",
    b"postmaster@far.example", b"abuse%far.example@example.org", b"ada@example.com", b"ada@example.org.example.com",
    b"mailer!mailhost!u@far.example", b"u%far%example.org", b'u%"far.example"@example.org', b"\\u%far.example@example.org",
]


class Attacks(postroad.Test):
    @classmethod
    def setUpClass(cls):
        # The clients are strangers.
        cls.box = postroad.System(smtpd_error_sleep_time="0", smtpd_hard_error_limit="10000000", mynetworks="192.0.2.0/24",
                                  smtpd_client_connection_count_limit="0", message_size_limit="3000000",
                                  smtpd_forbid_bare_newline="normalize").start()
        cls.addClassCleanup(cls.box.close)

    def story(self):
        return self.box.story()

    def line(self, *commands, box=None):
        line = (box or self.box).connect()
        self.addCleanup(line.close)
        line.settimeout(postroad.PATIENCE)
        self.reply(line)
        for command in commands:
            self.say(line, command)
        return line

    def reply(self, line):
        said = b""
        while not re.search(rb"^\d{3} [^\n]*\r\n\Z", said, re.M):
            piece = line.recv(65536)
            if not piece:
                break
            said += piece
        return said

    def say(self, line, command):
        line.sendall(command + b"\r\n")
        return self.reply(line)

    def memory(self):
        pages = 0
        for pid in self.box.processes("smtpd"):
            with open("/proc/%d/statm" % pid) as statm:
                pages += int(statm.read().split()[1])
        return pages * 4096

    def works(self):
        self.assertRegex(self.say(self.line(HELLO), FROM), rb"^250 ")

    def test_s2_byte_by_byte(self):
        line = self.line()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for command, code in ((HELLO, b"250"), (b"NO\xe4P", b"500"), (b"NO\0P", b"500"), (b"NOOP\rRSET", b"500"), (b"RSET", b"250")):
            for byte in command + b"\r\n":
                line.sendall(bytes([byte]))
            self.assertEqual(self.reply(line)[:3], code, command)

    def test_s3_nothing_behind_starttls_counts(self):
        line = self.line(HELLO, FROM)
        self.assertRegex(self.say(line, b"STARTTLS\r\nRSET\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<ada@example.org>"),
                         rb"^(502 5\.5\.1|554 5\.5\.0) ")
        self.assertEqual(line.recv(100), b"")

    def test_s5_only_what_may_be_sent_ahead(self):
        for group, wanted in ((HELLO + b"\r\n" + FROM, b"554"), (b"HELO x\r\n" + FROM, b"554"), (b"QUIT\r\n" + FROM, b"554"),
                              (b"NOOP\r\nNOOP", b"554")):
            with self.subTest(group=group):
                line = self.line()
                self.assertEqual(self.say(line, group)[:3], wanted)
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(line.recv(100), b"")
        line = self.line(HELLO)
        line.sendall(b"\r\n".join((FROM, TO, b"DATA", b"Subject: too early", b"", b".", b"")))
        said = b""
        with contextlib.suppress(ConnectionError):
            while (piece := line.recv(65536)):
                said += piece
        self.assertRegex(said, rb"^250 .*\r\n250 .*\r\n554 5\.5\.0 Error: SMTP protocol synchronization\r\n\Z")

    def test_s6_no_logins(self):
        line = self.line(HELLO)
        for command in (b"AUTH PLAIN =", b"AUTH PLAIN AGEAYg==", b"AUTH LOGIN", b"AUTH PLAIN " + b"A" * 4000, b"AUTH ../..", b"AUTH"):
            self.assertEqual(self.say(line, command)[:3], b"503")

    def test_s7_sizes_of_chunks(self):
        for size, wanted in ((2**31, b"552"), (2**32, b"552"), (2**63 - 1, b"552"), (2**63, b"521"), (2**64, b"521"), (-1, b"521")):
            with self.subTest(size=size):
                self.assertEqual(self.say(self.line(HELLO, FROM, TO), b"BDAT %d LAST" % size)[:3], wanted)

    def test_s8_no_control_character_comes_in(self):
        line = self.line(HELLO)
        for command in INJECTIONS:
            with self.subTest(command=command):
                self.assertEqual(self.say(line, command)[:1], b"5")
        self.assertRegex(self.say(line, FROM), rb"^250 ")
        for value in (b"x+0A", b"x+0D+0ARCPT", b"x+00"):
            self.assertEqual(self.say(line, TO + b" ORCPT=rfc822;" + value)[:3], b"501")
        said = self.say(self.line(), b"EHLO a\rb\x01(c)<d>;\"e")
        self.assertNotRegex(said, rb"\r[^\n]|\x01")

    def test_s9_addresses_that_explode(self):
        line = self.line(HELLO, FROM)
        for bomb in BOMBS:
            with self.subTest(bomb=bomb[:40]):
                self.assertRegex(self.say(line, b"RCPT TO:" + bomb), rb"^[2-5]\d\d")
        self.assertRegex(self.say(line, b"RSET"), rb"^250 ")

    def test_s10_recipients_without_end(self):
        line = self.line(HELLO, FROM)
        self.say(line, TO)
        before = self.memory()
        left, wanted, said = (TO + b"\r\n") * RECIPIENTS, RECIPIENTS, b""
        view, at = memoryview(left), 0
        line.setblocking(False)
        while wanted > 0:
            reads, writes, _ = select.select([line], [line] if at < len(left) else [], [], postroad.PATIENCE)
            self.assertTrue(reads or writes, "stuck at %d, %d left" % (at, wanted))
            if reads:
                piece = line.recv(1 << 20)
                self.assertTrue(piece, "smtpd hung up")
                said, wanted = piece[-100:], wanted - piece.count(b"\n")
            if writes:
                at += line.send(view[at:at + 65536])
        self.assertTrue(said.endswith(b"452 4.5.3 Error: too many recipients\r\n"), said)
        line.settimeout(postroad.PATIENCE)
        self.assertLess(self.memory() - before, 16 << 20)
        self.assertRegex(self.say(line, b"RSET"), rb"^250 ")

    def test_s10_one_recipient_a_thousand_times(self):
        line = self.line(HELLO, FROM)
        line.sendall((TO.replace(b"ada@", postroad.ACCOUNTS["test"].encode() + b"@") + b"\r\n") * 1000)
        said = b""
        while said.count(b"\n") < 1000:
            said += line.recv(65536)
        self.say(line, b"DATA")
        self.assertIn(b"queued as", self.say(line, b"Subject: one\r\n\r\nx\r\n."))
        self.box.wait_mail("test")
        self.box.wait_empty()
        self.assertEqual(len(self.box.mails("test")), 1)

    def message(self, content, size=None):
        line = self.line(HELLO, FROM + (b" SIZE=%d" % size if size else b""), TO)
        if not self.say(line, b"DATA").startswith(b"354"):
            return b""
        line.sendall(content)
        return self.say(line, b"\r\n.")

    def test_s11_sizes_that_lie(self):
        self.assertRegex(self.message(b"x" * 70 + b"\r\n" * 1600000, 10), rb"^552 5\.3\.4 ")
        self.assertRegex(self.message(b"Subject: more\r\n\r\n" + b"x" * 5000, 1), rb"^250 ")
        self.assertRegex(self.say(self.line(HELLO), FROM + b" SIZE=3000001"), rb"^552 5\.3\.4 ")

    def test_s11_headers_without_end(self):
        for content in (b"Subject: " + b"x" * 2900000, b"To: a@example.net\r\n" * 150000, b"X: y\r\n z" * 300000,
                        b"To: " + b"a," * 1400000, b"To: " + b"(" * 2900000, b"From: " + b"<" * 2900000):
            with self.subTest(content=content[:20]):
                self.assertRegex(self.message(content), rb"^[245]\d\d ")
        self.assertRegex(self.message(b"Received: from x by y; now\r\n" * 100000), rb"^(250|554|550) ")
        self.works()

    def test_s12_parts_within_parts(self):
        nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(10000))
        for content in (nested, b"Content-Type: multipart/mixed; boundary=" + b"b" * 1000000, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                        + b"--b\r\n" * 100000, b"Content-Type: " + b"a/" * 500000):
            with self.subTest(content=content[:20]):
                self.assertRegex(self.message(content), rb"^[245]\d\d ")
        self.works()

    def test_s13_no_address_is_a_command(self):
        line = self.line(HELLO, FROM)
        for name in COMMANDS:
            with self.subTest(name=name):
                self.assertRegex(self.say(line, b"RCPT TO:<" + name + b"@example.org>"), rb"^(550 5\.1\.1|501 5\.1\.3) ")

    def test_s14_all_sessions_in_data_at_once(self):
        """As many as there are descriptors for, up to SESSIONS; then all end their message in the same moment."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(SESSIONS, hard // 2 - 500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 500), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        box = self.system(mynetworks="192.0.2.0/24", smtpd_client_connection_count_limit="0", local_transport="discard:")
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(box.connect()) for _ in range(wanted)]
            for line in lines:
                line.settimeout(postroad.PATIENCE)
                self.reply(line)
            for command, code in ((HELLO, b"250"), (FROM, b"250"), (TO, b"250"), (b"DATA", b"354")):
                for line in lines:
                    line.sendall(command + b"\r\n")
                for line in lines:
                    self.assertEqual(self.reply(line)[:3], code)
            for line in lines:
                line.sendall(b"Subject: x\r\n\r\n" + b"x" * 2000)
            self.assertRegex(self.say(self.line(HELLO, box=box), FROM), rb"^250 ")
            for line in lines:
                line.sendall(b"\r\n.\r\n")
            self.assertEqual(sum(b"queued as" in self.reply(line) for line in lines), wanted)

    def test_s14_who_does_not_read_his_replies(self):
        before = self.memory()
        deaf = [self.line(HELLO) for _ in range(20)]
        for line in deaf:
            line.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    line.send(b"RSET\r\n" * 10000)
        self.works()
        self.assertLess(self.memory() - before, 16 << 20)

    def test_s14_connections_that_come_and_go(self):
        """Half of them close at once, half are reset; then the next one is served."""
        linger = b"\1\0\0\0\0\0\0\0"
        for n in range(2000):
            with socket.create_connection((self.box.address, self.box.smtp_port), postroad.PATIENCE) as line:
                if n % 2:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.works()

    def test_s15_nothing_is_relayed(self):
        line = self.line(HELLO)
        for sender in (FROM, b"MAIL FROM:<>", b"MAIL FROM:<ada@example.org>"):
            self.say(line, b"RSET")
            self.assertRegex(self.say(line, sender), rb"^250 ")
            for recipient in OUTSIDE:
                with self.subTest(sender=sender, recipient=recipient):
                    self.assertRegex(self.say(line, b"RCPT TO:<" + recipient + b">"), rb"^(454 4\.7\.1|550 5\.1\.1|501 5\.1\.3) ")
            self.assertRegex(self.say(line, b"DATA"), rb"^554 5\.5\.1 ")

    def test_s16_nothing_is_told(self):
        line = self.line(HELLO)
        known, unknown = self.say(line, b"VRFY ada"), self.say(line, b"VRFY nosuch")
        self.assertEqual(known.replace(b"ada", b"nosuch"), unknown)
        for command, code in ((b"EXPN postmaster", b"500"), (b"TURN", b"500"), (b"XCLIENT ADDR=127.0.0.1", b"550"),
                              (b"XFORWARD ADDR=127.0.0.1", b"550"), (b"SEND FROM:<a@b>", b"500"), (b"DEBUG", b"500"), (b"WIZ", b"500")):
            self.assertEqual(self.say(line, command)[:3], code, command)
