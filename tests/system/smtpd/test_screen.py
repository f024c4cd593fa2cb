"""master.cf with postscreen's four lines, as Postfix has them: smtpd serves the port."""
import postroad

LINES = """smtpd     pass  -       -       y       -       -       smtpd
  -o smtpd_banner=from-the-pass-line
dnsblog   unix  -       -       y       -       0       dnsblog
tlsproxy  unix  -       -       y       -       0       tlsproxy
"""


class Screen(postroad.Test):
    def test_a_service_of_postscreen_is_served(self):
        lines = postroad.MASTER_CF.splitlines(keepends=True)
        smtp = next(i for i, line in enumerate(lines) if "{smtp_port}" in line)
        lines[smtp] = "{address}:{smtp_port} inet n - y - 1 postscreen\n"
        while lines[smtp + 1].startswith(" "):
            del lines[smtp + 1]
        box = self.system(master_cf="".join(lines) + LINES)
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
