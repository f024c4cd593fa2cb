"""master.cf with postscreen's four lines, as Postfix has them: smtpd serves the port."""
import postroad

LINES = """smtpd     pass  -       -       y       -       -       smtpd
  -o smtpd_banner=from-the-pass-line
dnsblog   unix  -       -       y       -       0       dnsblog
tlsproxy  unix  -       -       y       -       0       tlsproxy
"""


class Screen(postroad.Test):
    def with_screen(self):
        lines = postroad.MASTER_CF.splitlines(keepends=True)
        smtp = next(i for i, line in enumerate(lines) if "{smtp_port}" in line)
        lines[smtp] = "{address}:{smtp_port} inet n - y - 1 postscreen\n"
        while lines[smtp + 1].startswith(" "):
            del lines[smtp + 1]
        return "".join(lines) + LINES

    def test_a_service_of_postscreen_is_served(self):
        box = self.system(master_cf=self.with_screen())
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

    def screened(self, **settings):
        box = self.system(master_cf=self.with_screen(), mynetworks="192.0.2.0/24", **settings)
        box.wait_log("disconnect from")     # whoever looked whether the port is open has gone
        return box

    def test_who_waits_passes(self):
        box = self.screened(postscreen_greet_wait="1s", postscreen_greet_banner="wait-for-it")
        for word in ("NEW", "OLD"):
            with box.smtp() as smtp:
                self.assertEqual(smtp.noop()[0], 250)
            box.wait_log(r"smtpd\[\d+\]: CONNECT from \[127\.0\.0\.1\]:\d+")
            box.wait_log(r"PASS %s \[127\.0\.0\.1\]:\d+$" % word)

    def test_who_talks_early_is_dropped(self):
        box = self.screened(postscreen_greet_wait="5s", postscreen_greet_action="drop")
        with box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            line.sendall(b"EHLO early\r\n")
            said = b"".join(iter(lambda: line.recv(4096), b""))
        self.assertRegex(said, rb"^220-from-the-pass-line\r\n521 5\.5\.1 Protocol error\r\n$")
        box.wait_log(r"PREGREET 12 after 0\.\d\d from \[127\.0\.0\.1\]:\d+: EHLO early")

    def test_who_talks_early_is_refused_at_rcpt(self):
        box = self.screened(postscreen_greet_wait="5s", postscreen_greet_action="enforce")
        with box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            line.sendall(b"EHLO early\r\n")
            said = b""
            for command in (b"MAIL FROM:<a@example.net>", b"RCPT TO:<ada@example.org>"):
                while b"250 " not in said:
                    said += line.recv(4096)
                said = b""
                line.sendall(command + b"\r\n")
            self.assertIn(b"550 5.5.1 Protocol error", line.recv(4096))
        box.wait_log(r"NOQUEUE: reject: RCPT from unknown\[127\.0\.0\.1\]: 550 5\.5\.1 Protocol error; from=<a@example")
