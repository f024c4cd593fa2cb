"""Clients that send what no standard knows get a proper reply, and are dropped at the limit."""
import os
import random
import re
import socket

import postroad


class Garbage(postroad.Test):
    @classmethod
    def setUpClass(cls):
        # These clients say everything at once, which smtpd would otherwise end at the first reply.
        cls.box = postroad.System(smtpd_error_sleep_time="0", smtpd_forbid_unauth_pipelining="no").start()
        cls.addClassCleanup(cls.box.close)

    def story(self):
        return self.box.story()

    def talk(self, data, port=None):
        """Send it all at once, then read to the end of the connection."""
        with self.box.connect(port) as line:
            return self.rest(line, data)

    def rest(self, line, data):
        said = b""
        line.settimeout(postroad.PATIENCE)
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
        except OSError:
            pass        # dropped while we were still sending
        try:
            while piece := line.recv(65536):
                said += piece
        except ConnectionResetError:
            pass
        return said

    def ask(self, line, data, last=b"2"):
        """Send it, and read until a reply of one line, or the last line of one, begins like that."""
        line.settimeout(postroad.PATIENCE)
        line.sendall(data)
        said = b""
        while not re.search(rb"^(%s)\d* [^\n]*\n\Z" % last, said, re.M):
            piece = line.recv(65536)
            if not piece:
                break
            said += piece
        return said

    def deliver(self, sender, recipient, content, rest=b"QUIT\r\n"):
        """A proper dialogue up to DATA; then content and what follows it, all at once."""
        with self.box.connect() as line:
            self.ask(line, b"")
            self.ask(line, b"EHLO client.example.net\r\n")
            self.ask(line, b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (sender, recipient), b"354|5")
            return self.rest(line, content + rest)

    def still_works(self):
        with self.box.smtp() as smtp:
            self.assertEqual(smtp.noop()[0], 250)

    def test_random_bytes(self):
        chance = random.Random(1)
        for _ in range(50):
            said = self.talk(chance.randbytes(chance.randrange(1, 20000)))
            self.assertTrue(said == b"" or said.startswith(b"220 ") or said.startswith(b"554 ") , said[:200])
        self.still_works()

    def test_a_line_of_a_megabyte(self):
        said = self.talk(b"EHLO " + b"x" * 1000000 + b"\r\nNOOP\r\nQUIT\r\n")
        for line in said.splitlines():
            self.assertRegex(line, rb"^\d{3}[ -]")
            self.assertLess(len(line), 3000)
        self.still_works()

    def test_a_megabyte_without_a_line_end(self):
        self.talk(b"x" * 1000000)
        self.still_works()

    def test_nuls(self):
        said = self.talk(b"EHLO a\0b\r\nMAIL FROM:<a\0@b.example>\r\nNO\0OP\r\nQUIT\r\n")
        self.assertTrue(said.startswith(b"220 "))
        for line in said.splitlines():
            self.assertNotIn(b"\0", line)
        self.still_works()

    def test_too_many_errors_end_the_session(self):
        with self.box.connect() as line:
            self.ask(line, b"")
            self.ask(line, b"EHLO client.example.net\r\n")
            for n in range(100):
                said = self.ask(line, b"NONSENSE\r\n", b"[45]")
                self.assertTrue(said.startswith(b"500 5.5.2 Error: command not recognized\r\n"), said)
                if n == 19:
                    break
                self.assertNotIn(b"421", said)
            while b"421" not in said:
                said += line.recv(1000) or self.fail(said)
        self.assertRegex(said, rb"421 4\.7\.0 .* Error: too many errors")
        self.box.wait_log(r"too many errors after \S+ from ")

    def test_a_web_browser_is_shown_the_door(self):
        said = self.talk(b"GET / HTTP/1.1\r\nHost: mail\r\n\r\n").splitlines()
        self.assertRegex(said[-1], rb"^221 2\.7\.0 Error: I can break rules, too\. Goodbye\.")

    def test_content_with_every_byte_and_a_long_line(self):
        content = b"Subject: bytes\r\n\r\n" + bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") \
            + b"\r\n" + b"w" * 1000000 + b"\r\n"
        said = self.deliver(b"", b"test@example.org", content + b".\r\n")
        self.assertIn(b"250 2.0.0 Ok: queued as", said)
        with open(self.box.wait_mail("test")[0].path, "rb") as f:
            body = f.read().split(b"\n\n", 1)[1]
        self.assertEqual(body.replace(b"\n", b"").count(b"w"), 1000000 + 1)

    def test_smuggling_does_not_work(self):
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n",
                    b"\r\0\n.\r\n", b"\r\n.\r\0\n"):
            with self.subTest(end=end):
                said = self.deliver(
                    b"a@example.net", b"user@example.org",
                    b"Subject: outer\r\n\r\nHello." + end + b"MAIL FROM:<evil@example.net>\r\n"
                    b"RCPT TO:<user@example.org>\r\nDATA\r\nSubject: inner\r\n\r\nsmuggled\r\n.\r\n")
                self.assertLessEqual(said.count(b"queued as"), 1, said)
        self.box.wait_empty()
        self.assertEqual([m["Subject"] for m in self.box.mails("user") if m["Subject"] == "inner"], [])

    def test_pop3_garbage(self):
        chance = random.Random(2)
        for size in (1, 100, 100000):
            self.talk(chance.randbytes(size), self.box.pop3_port)
        said = self.talk(b"USER " + b"x" * 1000000 + b"\r\nQUIT\r\n", self.box.pop3_port)
        self.assertTrue(said.startswith(b"+OK"))
        pop = self.box.pop3("ada")
        pop.quit()

    def test_a_thousand_connections_that_say_nothing(self):
        lines = []
        try:
            for _ in range(min(1000, os.sysconf("SC_OPEN_MAX") - 100)):
                lines.append(self.box.connect())
            self.still_works()
        finally:
            for line in lines:
                line.close()
        self.still_works()
