"""The programs that read our log: fail2ban's filters and pflogsumm see what they see in Postfix's."""
import os
import re
import subprocess

import postroad


class LogReaders(postroad.Test):
    def setUp(self):
        far = self.sink()
        far.answers["RCPT"] = lambda line: "550 5.1.1 no" if "bad" in line else "250 2.1.5 Ok"
        # As "postroad adopt" sets it, so that a site's log tools go on.
        self.box = self.system(syslog_name="postfix", relayhost=far.nexthop())
        self.box.send(postroad.address("ada"))
        self.box.send("good@far.example")
        self.box.send("bad@far.example", sender="ada@example.org")
        with self.box.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("a@example.net")
            self.assertEqual(smtp.rcpt("nosuch@example.org")[0], 550)
        self.box.wait_mail("ada", 2)
        self.box.wait_log(r"disconnect from .* rcpt=0/1")
        self.box.wait_empty()

    def test_lines_have_the_known_forms(self):
        for pattern in (
                r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w-]+ postfix/smtpd\[\d+\]: connect from \S+\[127[\d.]+\]$",
                r"postfix/smtpd\[\d+\]: [0-9A-F]+: client=\S+\[127[\d.]+\]$",
                r"postfix/cleanup\[\d+\]: [0-9A-F]+: message-id=<.*>$",
                r"postfix/qmgr\[\d+\]: [0-9A-F]+: from=<sender@example\.net>, size=\d+, nrcpt=1 \(queue active\)$",
                r"postfix/local\[\d+\]: [0-9A-F]+: to=<%s@example\.org>, relay=local, delay=[\d.]+, "
                r"delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2\.0\.0, status=sent \(delivered to maildir\)$" % postroad.ACCOUNTS["ada"],
                r"postfix/smtp\[\d+\]: [0-9A-F]+: to=<good@far\.example>, relay=.*\[127[\d.]+\]:\d+, delay=.*, dsn=2\.0\.0, "
                r"status=sent \(250 2\.0\.0 Ok: taken\)$",
                r"postfix/bounce\[\d+\]: [0-9A-F]+: sender non-delivery notification: [0-9A-F]+$",
                r"postfix/qmgr\[\d+\]: [0-9A-F]+: removed$",
                r"postfix/smtpd\[\d+\]: disconnect from \S+\[127[\d.]+\] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4$",
                r"postfix/master\[\d+\]: daemon started -- version \S+, configuration \S+$"):
            with self.subTest(pattern=pattern):
                self.box.wait_log(pattern)

    @postroad.need_program("fail2ban-regex")
    def test_fail2ban_sees_the_refusal(self):
        done = subprocess.run(["fail2ban-regex", self.box.log_file, "postfix"], capture_output=True, text=True)
        self.assertRegex(done.stdout, r"Failregex: 1 total", done.stdout + done.stderr)

    @postroad.need_program("pflogsumm")
    def test_pflogsumm_counts(self):
        pflogsumm = next(p for p in ("/usr/sbin/pflogsumm", "/usr/bin/pflogsumm") if os.path.exists(p))
        done = subprocess.run([pflogsumm, self.box.log_file], capture_output=True, text=True)
        counted = dict(reversed(l.split(None, 1)) for l in done.stdout.splitlines() if re.match(r"\s+\d+\s+\S", l))
        # Neither notices nor what an alias forwards are received.
        self.assertEqual(counted.get("received"), "3", done.stdout)
        self.assertEqual(counted.get("delivered"), "3", done.stdout)
        self.assertEqual(counted.get("bounced", "").split()[:1], ["1"], done.stdout)
        self.assertRegex(done.stdout, r"\n\s+1\s+rejected")
