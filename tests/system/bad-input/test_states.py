"""Each command in each state; chunks of every size; more recipients and longer lines than anyone needs."""
import contextlib
import re
import select
import socket

import postroad

EHLO, MAIL, RCPT = b"EHLO c.example", b"MAIL FROM:<a@example.net>", b"RCPT TO:<ada@example.org>"

# What leads to the state.
STATES = {
    "connected": (), "greeted": (EHLO,), "mail": (EHLO, MAIL), "rcpt": (EHLO, MAIL, RCPT),
    "chunk": (EHLO, MAIL, RCPT, b"BDAT 3\r\nabc"),
    "refused": (EHLO, MAIL, b"RCPT TO:<nosuch@example.org>"),
}

# A command, and the first digits of its reply in each of these states.
REPLIES = [
    (b"HELO c.example",           "250 250 250 250 250 250"),
    (b"EHLO c.example",           "250 250 250 250 250 250"),
    (b"MAIL FROM:<b@example.net>", "250 250 503 503 503 503"),
    (RCPT,                        "503 503 250 250 503 250"),
    (b"DATA",                     "503 503 554 354 503 554"),
    (b"BDAT 0",                   "551 551 551 551 551 551"),
    (b"BDAT 0 LAST",              "503 503 554 250 250 554"),
    (b"BDAT",                     "521 521 521 521 521 521"),
    (b"BDAT -1",                  "521 521 521 521 521 521"),
    (b"BDAT 99999999999999999999", "521 521 521 521 521 521"),
    (b"RSET",                     "250 250 250 250 250 250"),
    (b"NOOP",                     "250 250 250 250 250 250"),
    (b"VRFY ada@example.org",     "252 252 252 252 252 252"),
    (b"EXPN ada",                 "5.. 5.. 5.. 5.. 5.. 5.."),
    (b"ETRN example.org",         "... ... 503 503 503 503"),
    (b"AUTH PLAIN AAAA",          "50. 50. 50. 50. 50. 50."),
    (b"STARTTLS",                 "50. 50. 50. 50. 50. 50."),
    (b"XCLIENT NAME=x",           "550 550 503 503 503 503"),
    (b"XFORWARD NAME=x",          "550 550 503 503 503 503"),
    (b"",                         "500 500 500 500 500 500"),
    (b"\xc3\xa4\xff",             "500 500 500 500 500 500"),
    (b"NO\0OP",                   "500 500 500 500 500 500"),
    (b"QUIT",                     "221 221 221 221 221 221"),
]


class States(postroad.Test):
    @classmethod
    def setUpClass(cls):
        cls.box = postroad.System(smtpd_error_sleep_time="0", smtpd_hard_error_limit="5000",
                                  fast_flush_domains="").start()
        cls.addClassCleanup(cls.box.close)

    def story(self):
        return self.box.story()

    def line(self):
        line = self.box.connect()
        self.addCleanup(line.close)
        line.settimeout(postroad.PATIENCE)
        self.reply(line)
        return line

    def reply(self, line):
        said = b""
        while not re.search(rb"^\d{3} .*\r\n\Z", said, re.M):
            piece = line.recv(65536)
            if not piece:
                break
            said += piece
        return said

    def say(self, line, *commands):
        said = b""
        for command in commands:
            line.sendall(command if command.startswith(b"BDAT 3\r\n") else command + b"\r\n")
            said = self.reply(line)
        return said

    def test_each_command_in_each_state(self):
        for column, (state, way) in enumerate(STATES.items()):
            for command, replies in REPLIES:
                with self.subTest(state=state, command=command), self.line() as line:
                    self.say(line, *way)
                    said = self.say(line, command)
                    self.assertRegex(said.splitlines()[-1].decode(), "^" + replies.split()[column])
                    if not said.startswith((b"221", b"354", b"521")):
                        self.assertRegex(self.say(line, b"NOOP"), rb"^250 ")

    def test_chunks_are_read_to_the_octet(self):
        """S7: whatever becomes of a chunk, as many octets are swallowed as it said."""
        box = self.system(smtpd_error_sleep_time="0", message_size_limit="1000")
        with box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            self.reply(line)
            self.say(line, EHLO, MAIL, RCPT)
            line.sendall(b"BDAT 2000\r\n" + b"QUIT\r\n" * 333 + b"..")
            self.assertRegex(self.reply(line), rb"^552 5\.3\.4 Chunk exceeds message size limit")
            line.sendall(b"BDAT 6 LAST\r\nQUIT\r\n")
            self.assertRegex(self.reply(line), rb"^551 5\.0\.0 Discarded 6 bytes after earlier error")
            self.assertRegex(self.say(line, MAIL), rb"^250 ")
            self.say(line, RCPT)
            line.sendall(b"BDAT 4294967297 LAST\r\n")
            self.assertRegex(self.reply(line), rb"^552 ")
            line.sendall(b"QUIT\r\n" * 1000)
            self.assertFalse(select.select([line], [], [], 0.2)[0], "octets of a chunk were read as commands")

    def test_an_empty_message_in_chunks(self):
        line = self.line()
        self.say(line, EHLO, MAIL, RCPT)
        self.assertRegex(self.say(line, b"BDAT 0 LAST"), rb"^250 2\.0\.0 Ok: 0 bytes queued as ")
        self.assertRegex(self.say(line, MAIL), rb"^250 ")

    def test_more_recipients_than_anyone_has(self):
        line = self.line()
        before = self.memory()
        self.say(line, EHLO, MAIL)
        some, said = RCPT + b"\r\n", b""
        line.setblocking(False)
        left, wanted = some * 100000, 100000
        with contextlib.suppress(ConnectionError):      # smtpd has had enough, and does not read the rest
            while wanted > 0:
                reads, writes, _ = select.select([line], [line] if left else [], [], postroad.PATIENCE)
                self.assertTrue(reads or writes, self.story())
                if reads:
                    piece = line.recv(65536)
                    if not piece:
                        break
                    said = (said + piece)[-65536:]
                    wanted -= piece.count(b"\n")
                if writes:
                    with contextlib.suppress(ConnectionError):      # what it said before is there to be read
                        left = left[line.send(left[:65536]):]
                        continue
                    left = b""
        self.assertIn(b"452 4.5.3 Error: too many recipients", said)
        self.assertLess(self.memory() - before, 8 << 20)

    def memory(self):
        pages = 0
        for pid in self.box.processes("smtpd"):
            with open("/proc/%d/statm" % pid) as statm:
                pages += int(statm.read().split()[1])
        return pages * 4096

    def test_a_line_of_ten_megabytes(self):
        line = self.line()
        before = self.memory()
        line.sendall(b"EHLO " + b"x" * (10 << 20) + b"\r\n")
        self.assertRegex(self.reply(line), rb"^500 5\.5\.2 Error: line too long")
        self.assertLess(self.memory() - before, 8 << 20)
        self.assertRegex(self.say(line, b"NOOP"), rb"^250 ")

    def test_half_closed_clients_get_their_answer(self):
        line = self.line()
        line.sendall(b"NOOP\r\n")
        line.shutdown(socket.SHUT_WR)
        self.assertRegex(self.reply(line), rb"^250 ")
        self.assertEqual(line.recv(100), b"")

    def test_two_hundred_sessions_in_data_at_once(self):
        lines = [self.line() for _ in range(200)]
        for line in lines:
            self.say(line, EHLO, MAIL, RCPT, b"DATA")
            line.sendall(b"Subject: x\r\n\r\n" + b"x" * 30000)
        self.assertRegex(self.say(self.line(), EHLO), rb"250 CHUNKING")
        for line in lines:
            line.sendall(b"\r\n.\r\n")
        self.assertTrue(all(b"queued as" in self.reply(line) for line in lines))
