"""How long a client may take: for a command as a whole, for a message by its bytes, and less when there are many."""
import contextlib
import resource
import time

import postroad


class Patience(postroad.Test):
    def line(self, box):
        line = box.connect()
        self.addCleanup(line.close)
        line.settimeout(postroad.PATIENCE)
        line.recv(4096)
        return line

    def drip(self, line, bytes_, pause=0.2):
        """Send byte by byte until the server has had enough; give what it says."""
        line.settimeout(pause)
        for byte in bytes_:
            with contextlib.suppress(TimeoutError):
                line.sendall(bytes([byte]))
                return line.recv(4096)
        line.settimeout(postroad.PATIENCE)
        return line.recv(4096)

    def say(self, line, *commands):
        for command in commands:
            line.sendall(command + b"\r\n")
            said = line.recv(4096)
        return said

    def test_a_command_has_its_time_as_a_whole(self):
        box = self.system(smtpd_timeout="2s", smtpd_per_request_deadline="yes")
        line = self.line(box)
        self.assertIn(b"421 4.4.2 mail.example.org Error: timeout exceeded", self.drip(line, b"EHLO " + b"x" * 200))
        box.wait_log("timeout after CONNECT from")
        # Whole commands may go on for ever.
        line = self.line(box)
        for _ in range(7):
            self.assertIn(b"250 ", self.say(line, b"NOOP"))
            time.sleep(0.4)

    def test_a_message_has_its_time_by_its_bytes(self):
        box = self.system(smtpd_timeout="2s", smtpd_per_request_deadline="yes", smtpd_min_data_rate="100")
        begin = b"HELO c", b"MAIL FROM:<>", b"RCPT TO:<ada@example.org>", b"DATA"
        slow = self.line(box)
        self.assertIn(b"354 ", self.say(slow, *begin))
        self.assertIn(b"421 4.4.2", self.drip(slow, b"x" * 200))
        box.wait_log(r"timeout after DATA \(\d+ bytes\) from")
        quick = self.line(box)
        self.assertIn(b"354 ", self.say(quick, *begin))
        for _ in range(7):
            quick.sendall(b"x" * 60 + b"\r\n")
            time.sleep(0.4)
        self.assertIn(b"queued as", self.say(quick, b"\r\n."))

    def test_without_a_deadline_each_byte_counts(self):
        box = self.system(smtpd_timeout="2s")
        self.assertIn(b"250 ", self.drip(self.line(box), b"HELO abcd\r\n"))

    def test_many_sessions_are_stress(self):
        box = self.system(smtpd_client_connection_count_limit="0", smtpd_timeout="${stress?{1}:{300}}s")
        box.allow("smtpd.*killed by signal")
        box.send("ada@example.org")
        box.wait_mail("ada")        # all others have started, and need not with so few descriptors
        # Its next smtpd has room for 96 sessions.
        resource.prlimit(box.master.pid, resource.RLIMIT_NOFILE, (128, 128))
        old = box.processes("smtpd")
        box.kill("smtpd")
        postroad.wait_until(lambda: set(box.processes("smtpd")) - set(old), "another smtpd", box.story)
        lines = [self.line(box) for _ in range(74)]
        box.wait_log(r"warning: service .* has 7\d sessions, of 96 that there is room for: stress")
        self.assertTrue(all(b"421 4.4.2" in line.recv(4096) for line in lines[:20]))
        box.wait_log("stress is over")
        box.wait_log("timeout after CONNECT")
