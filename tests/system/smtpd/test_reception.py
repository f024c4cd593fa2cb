"""What smtpd takes in arrives as it was sent, once; what it refuses leaves a log line and nothing else."""
import os
import re
import select
import signal
import socket
import time

import postroad


class Reception(postroad.Test):
    def setUp(self):
        self.box = self.system(smtpd_error_sleep_time="0")

    def dialogue(self, *steps):
        """Send each step and read one reply; give the last."""
        with self.box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            reply = self.reply(line)
            for step in steps:
                line.sendall(step)
                reply = self.reply(line)
            return reply

    def reply(self, line):
        said = b""
        while not re.search(rb"^\d{3} .*\r\n", said, re.M):
            piece = line.recv(65536)
            if not piece:
                return said
            said += piece
        return said

    def body(self, mail):
        with open(mail.path, "rb") as f:
            return f.read().split(b"\n\n", 1)[1]

    begin = (b"EHLO client.example.net\r\n", b"MAIL FROM:<a@example.net>\r\n", b"RCPT TO:<ada@example.org>\r\n")

    def test_sizes_around_the_limit_of_memory(self):
        sizes = (0, 1, 65000, 65535, 65536, 65537, 70000, 200000, 2000000)
        for size in sizes:
            content = (b"Subject: %d\r\n\r\n" % size) + b"".join(
                b"%07d\r\n" % n for n in range(size // 9)) + b"x" * (size % 9) + b"\r\n"
            self.assertIn(b"queued as", self.dialogue(*self.begin, b"DATA\r\n", content + b".\r\n"))
        for mail in self.box.wait_mail("ada", len(sizes)):
            size = int(mail["Subject"])
            wanted = b"".join(b"%07d\n" % n for n in range(size // 9)) + b"x" * (size % 9) + b"\n"
            self.assertEqual(self.body(mail), wanted)

    def test_chunks_of_a_large_message(self):
        content = b"Subject: chunks\r\n\r\n" + b"".join(b".%08d\r\n" % n for n in range(30000))
        chunks = [content[i:i + 50001] for i in range(0, len(content), 50001)]
        steps = [b"BDAT %d%s\r\n" % (len(c), b" LAST" if c is chunks[-1] else b"") + c for c in chunks]
        self.assertRegex(self.dialogue(*self.begin, *steps), rb"250 2.0.0 Ok: \d+ bytes queued as")
        mail = self.box.wait_mail("ada")[0]
        self.assertEqual(self.body(mail), content.split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n"))

    def test_8_bits_become_7_where_all_is_to_be_so(self):
        self.box = self.system(force_mime_input_conversion="yes")
        head = (b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b"Content-Transfer-Encoding: 8bit\r\n\r\n")
        for size in 10, 100000:
            line = "gr\u00fcn=\r\n".encode()
            self.dialogue(self.begin[0], self.begin[1][:-2] + b" BODY=8BITMIME\r\n", self.begin[2], b"DATA\r\n",
                          head + line * (size // 10) + b".\r\n")
        for mail in self.box.wait_mail("ada", 2):
            self.assertEqual(mail["Content-Transfer-Encoding"], "quoted-printable")
            self.assertEqual(set(self.body(mail).splitlines()), {b"gr=C3=BCn=3D"})

    def test_content_byte_by_byte(self):
        with self.box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.reply(line)
            for step in self.begin + (b"DATA\r\n",):
                line.sendall(step)
                self.reply(line)
            for byte in b"Subject: slow\r\n\r\n..dot\r\n.\r\n":
                line.sendall(bytes([byte]))
            self.assertIn(b"queued as", self.reply(line))
        self.assertEqual(self.body(self.box.wait_mail("ada")[0]), b".dot\n")

    def test_smuggling_variants_are_one_message_each(self):
        ends = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n\0.\r\n",
                b"\r\n.\0\r\n", b"\r\n.\r\r\n", b"\n\r.\r\n", b"\r\n.\r\0\n")
        for number, end in enumerate(ends):
            with self.subTest(end=end):
                inner = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\nSubject: inner\r\n\r\n"
                said = self.dialogue(*self.begin, b"DATA\r\n",
                                     b"Subject: outer\r\n\r\nx" + end + inner + b"y\r\n.\r\n")
                self.assertEqual(said.count(b"queued as"), 1, said)
                self.assertEqual(len(self.box.wait_mail("ada", number + 1)), number + 1)
        self.assertEqual({m["Subject"] for m in self.box.mails("ada")}, {"outer"})

    def test_bare_newlines_are_noted(self):
        """Once a session; and the message is one all the same."""
        self.box = self.system(smtpd_forbid_bare_newline="note")
        message = b"DATA\r\n", b"Subject: x\r\n\r\na\nb\nc\r\n.\r\n"
        self.assertIn(b"queued as", self.dialogue(*self.begin, *message, *self.begin[1:], *message))
        for mail in self.box.wait_mail("ada", 2):
            self.assertEqual(self.body(mail), b"a\nb\nc\n")
        self.box.wait_log(r"disconnect from .* mail=2 rcpt=2 data=2")
        self.assertEqual(self.box.log().count("notice: bare <LF> received after DATA from "), 1)

    def test_the_received_header(self):
        with self.box.smtp() as smtp:
            self.box.send("ada@example.org", client=smtp)
        received = self.box.wait_mail("ada")[0].get_all("Received")[-1]
        self.assertRegex(received, r"from client.example.net \(unknown \[127\.[\d.]+\]\)\s+"
                         r"by mail.example.org \(Postroad\) with ESMTP id \w+\s+for <ada@example.org>; "
                         r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4} \(\w+\)")

    def test_the_log_tells_the_session(self):
        with self.box.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("a@example.net")
            smtp.rcpt("nosuch@example.org")
            smtp.docmd("FOO")
        self.box.wait_log(r"smtpd\[\d+\]: connect from unknown\[127[\d.]+\]")
        self.box.wait_log(r"NOQUEUE: reject: RCPT from unknown\[127[\d.]+\]: 550 5\.1\.1 <nosuch@example\.org>: "
                          r"Recipient address rejected: User unknown in local recipient table; "
                          r"from=<a@example\.net> to=<nosuch@example\.org> proto=ESMTP helo=<client\.example\.net>$")
        self.box.wait_log(r"disconnect from unknown\[127[\d.]+\] ehlo=1 mail=1 rcpt=0/1 quit=1 "
                          r"unknown=0/1 commands=3/5$")

    def test_the_log_tells_the_client_of_a_proxy(self):
        box = self.system(smtpd_authorized_xforward_hosts="127.0.0.0/8")
        with box.smtp() as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.docmd("XFORWARD", "NAME=first.example ADDR=192.0.2.1 IDENT=4F0A SOURCE=REMOTE")[0], 250)
            first = box.send("ada@example.org", client=smtp)
            second = box.send("ada@example.org", client=smtp)
        box.wait_log(r"%s: client=unknown\[127\.0\.0\.1\], orig_queue_id=4F0A, orig_client=first\.example\[192\.0\.2\.1\]$"
                     % first)
        box.wait_log(r"%s: client=unknown\[127\.0\.0\.1\]$" % second)

    def test_lost_connections_name_the_command(self):
        for steps, wanted in (((), "CONNECT"), (self.begin, "RCPT"),
                              (self.begin + (b"DATA\r\n",), r"DATA \(\d+ bytes\)")):
            with self.subTest(wanted=wanted):
                with self.box.connect() as line:
                    line.settimeout(postroad.PATIENCE)
                    self.reply(line)
                    for step in steps:
                        line.sendall(step)
                        self.reply(line)
                self.box.wait_log("lost connection after %s from unknown" % wanted)

    def test_a_slow_client_holds_nobody(self):
        slow = [self.box.connect() for _ in range(200)]
        try:
            for line in slow:
                line.settimeout(postroad.PATIENCE)
                self.reply(line)
                for step in self.begin + (b"DATA\r\n",):
                    line.sendall(step)
                    self.reply(line)
                line.sendall(b"Subject: slow\r\n\r\nhalf a line")
            self.box.send("user@example.org")
            for line in slow:
                line.sendall(b"\r\n.\r\n")
            for line in slow:
                self.assertIn(b"queued as", self.reply(line))
        finally:
            for line in slow:
                line.close()
        self.assertEqual(len(self.box.wait_mail("ada", 200)), 200)

    def test_errors_slow_down_the_one_who_makes_them(self):
        box = self.system(smtpd_error_sleep_time="3s", smtpd_soft_error_limit="1")
        with box.connect() as bad, box.connect() as good:
            for line in (bad, good):
                line.settimeout(postroad.PATIENCE)
                self.reply(line)
            started = time.monotonic()
            bad.sendall(b"FOO\r\n")
            good.sendall(b"NOOP\r\n")
            self.assertIn(b"250 ", self.reply(good))
            self.assertFalse(select.select([bad], [], [], 0)[0], "the bad one was answered at once")
            self.assertIn(b"500 ", self.reply(bad))
            self.assertGreater(time.monotonic() - started, 2.5)

    def test_too_many_sessions_of_one_client(self):
        box = self.system(smtpd_client_connection_count_limit="3", smtpd_client_event_limit_exceptions="")
        with box.smtp() as smtp:
            smtp.noop()     # whoever looked whether the port is open has gone by now
        lines = [box.connect() for _ in range(4)]
        try:
            said = [self.reply(line)[:4] for line in lines]
            self.assertEqual(said.count(b"421 "), 1, said)
        finally:
            for line in lines:
                line.close()
        box.wait_log("Connection concurrency limit exceeded: 4 from unknown")

    def test_a_dead_cleanup_neither_loses_nor_doubles(self):
        self.box.allow("cleanup.*(killed by signal|throttling)")
        with self.box.smtp() as smtp:
            for number in range(30):
                if number % 10 == 5:
                    self.box.kill("cleanup")
                self.box.send("ada@example.org", subject=str(number), client=smtp)
        mails = self.box.wait_mail("ada", 30)
        self.assertEqual(sorted(int(m["Subject"]) for m in mails), list(range(30)))

    def test_a_stop_sends_idle_clients_away_and_lets_a_message_end(self):
        with self.box.connect() as idle, self.box.connect() as sending:
            for line in (idle, sending):
                line.settimeout(postroad.PATIENCE)
                self.reply(line)
            for step in self.begin + (b"DATA\r\n",):
                sending.sendall(step)
                self.reply(sending)
            self.box.allow("smtpd: bad command startup")     # so soon after its start
            self.box.kill("smtpd", signal.SIGTERM)
            self.assertRegex(self.reply(idle), rb"421 4\.3\.2 mail\.example\.org Service shutting down")
            sending.sendall(b"Subject: last\r\n\r\nx\r\n.\r\n")
            said = b""
            while piece := sending.recv(65536):
                said += piece
            self.assertRegex(said, rb"250 2\.0\.0 Ok: queued as \w+\r\n421 4\.3\.2 ")
        self.assertEqual(self.box.wait_mail("ada")[0]["Subject"], "last")

    def test_nothing_can_be_opened_from_inside(self):
        self.box.send("ada@example.org")
        for pid in self.box.processes("smtpd"):
            with open("/proc/%d/status" % pid) as f:
                status = f.read()
            self.assertRegex(status, r"NoNewPrivs:\s+1")
            if os.environ.get("ASAN_OPTIONS") is None:
                self.assertRegex(status, r"CapEff:\s+0{16}")
