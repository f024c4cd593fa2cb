"""What a header looks like behind cleanup: as behind Postfix's, field by field."""
import os
import re

import postroad


class Header(postroad.Test):
    def setUp(self):
        self.box = self.system(local_header_rewrite_clients="permit_mynetworks", myorigin="example.org")

    def header_of(self, content, recipient="ada@example.org"):
        with self.box.smtp() as client:
            client.ehlo()
            client.mail("bob@example.net")
            client.rcpt(recipient)
            self.assertEqual(client.data(content)[0], 250)
        with open(self.box.wait_mail("ada")[0].path) as f:
            return f.read().split("; ", 1)[1].split("\n", 1)[1]    # behind Received

    def test_without_a_body_there_is_no_empty_line(self):
        self.assertRegex(self.header_of("From: a@b.example\r\nTo: c@d.example\r\nDate: x\r\nMessage-Id: <1@b>\r\n"),
                         r"^From: .*\nTo: .*\nDate: x\nMessage-Id: <1@b>\n$")

    def test_who_sends_has_a_name(self):
        for name, shown in (("Ada Lovelace", "Ada Lovelace"), ("A. (\"B\") \\ C", r'"A. (\"B\") \\ C"'),
                            ("A\nBcc: evil@x.org", '"ABcc: evil@x.org"')):
            self.box.run("sendmail", "-F", name, "-f", "me@example.org", "ada", input="Subject: x\n\nx\n", check=True)
            path = self.box.wait_mail("ada")[0].path
            with open(path) as f:
                self.assertRegex(f.read(), r"\nMessage-Id: <.*>\nDate: .*\nFrom: %s <me@example.org>\n" % re.escape(shown))
            os.unlink(path)

    def test_sent_again(self):
        self.assertRegex(self.header_of("From: a@b.example\r\nTo: c@d.example\r\nResent-To: ada\r\n\r\nx\r\n"),
                         r"^From: .*\nTo: .*\nResent-To: ada@example.org\n"
                         r"Resent-Message-Id: <.*>\nResent-Date: .*\nResent-From: bob@example.net\n\nx\n$")

    def test_blanks_before_the_colon(self):
        self.assertRegex(self.header_of("Subject : a\r\nTo\t:\tada\r\n\r\n"), r"^Subject: a\nTo: ada@example.org\n")

    def test_lines_of_a_mailbox(self):
        self.assertRegex(self.header_of("From ada Mon\r\n>From bob Tue\r\nSubject: x\r\n\r\nFrom here\r\n"),
                         r"^X-Mailbox-Line: From ada Mon\nX-Mailbox-Line: >From bob Tue\nSubject: x\n(.*\n)*\nFrom here\n$")

    def test_what_was_asked_for(self):
        self.header_of("Subject: x\r\n\r\n", "ada")
        self.box.wait_log(r"to=<\w+@example.org>, orig_to=<ada>, relay=local")
