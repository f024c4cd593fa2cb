"""Content as the other host is to get it: 7 bits for who takes no more, smtp_header_checks; VERP, a sender for each recipient."""
import quopri
import re

import postroad

PARTS = """\
Subject: gr\u00fcn
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=cut
Content-Transfer-Encoding: 8bit

preamble
--cut
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

gr\u00fcn = schwarz \n{}
.
--cut
Content-Transfer-Encoding: base64

Z3LDvG4=
--cut
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Content-Transfer-Encoding: binary

\u00fc
--cut--
""".format("\u00e4" * 100)


class Shape(postroad.Test):
    def relay(self, old=False, **settings):
        self.far = self.sink()
        if old:
            self.far.answers["EHLO"] = "250-sink.example.net\r\n250 PIPELINING"
        self.box = self.system(relayhost=self.far.nexthop(), **settings)
        return self.box

    def got(self, n=1):
        content = self.far.wait(n)[n - 1][2]
        return content if isinstance(content, bytes) else b"".join(content)

    def test_seven_bits(self):
        self.relay(old=True)
        self.box.send("bob@far.example", message=PARTS.replace("\n", "\r\n").encode())
        text = self.got()
        self.assertNotIn(b"8bit", text.lower())
        self.assertNotIn(b"binary", text.lower())
        self.assertEqual(text.count(b"Content-Transfer-Encoding: quoted-printable"), 2)
        self.assertEqual(text.count(b"Content-Transfer-Encoding: 7bit"), 2)
        self.assertIn(b"\r\n\r\nZ3LDvG4=\r\n", text)
        body = text.split(b"--cut\r\n")[1].split(b"\r\n\r\n", 1)[1]
        self.assertTrue(all(len(line) <= 76 for line in body.split(b"\r\n")), body)
        self.assertEqual(quopri.decodestring(body.replace(b"\r\n", b"\n")).decode(),
                         PARTS.split("--cut\n")[1].split("\n\n", 1)[1])
        self.assertNotIn("BODY=", " ".join(self.far.commands))

    def test_eight_bits_for_who_takes_them(self):
        self.relay()
        self.box.send("bob@far.example", message=PARTS.replace("\n", "\r\n").encode())
        self.assertIn("gr\u00fcn = schwarz \r\n".encode(), self.got())
        self.assertIn("BODY=8BITMIME", " ".join(self.far.commands))

    def test_no_conversion(self):
        self.relay(old=True, disable_mime_output_conversion="yes")
        self.box.send("bob@far.example", message=PARTS.replace("\n", "\r\n").encode())
        self.assertIn("gr\u00fcn = schwarz \r\n".encode(), self.got())

    def test_checks(self):
        self.relay(smtp_header_checks="inline:{ {X-Gone: 1=IGNORE}, {X-Old: 2=REPLACE X-New: 2}, {X-Odd: 3=REJECT} }",
                   smtp_mime_header_checks="inline:{ {Content-Id: 4=WARN seen} }",
                   smtp_body_checks="inline:{ {away=STRIP}, {here=PREPEND before} }")
        queue_id = self.box.send("bob@far.example", message="X-Gone: 1\r\nX-Old: 2\r\nX-Odd: 3\r\nContent-Id: 4\r\n\r\naway\r\nhere\r\n")
        text = self.got().decode()
        self.assertNotIn("X-Gone", text)
        self.assertTrue(text.endswith("\r\nX-New: 2\r\nX-Odd: 3\r\nContent-Id: 4\r\n\r\nbefore\r\nhere\r\n"), text)
        for line in ("replace: header X-Old: 2: X-New: 2", "warning: header Content-Id: 4: seen", "strip: body away",
                     "prepend: body here: before"):
            self.box.wait_log("smtp.*: %s: %s$" % (queue_id, re.escape(line)))
        self.box.wait_log("unknown command in smtp_header_checks map: REJECT")


class Verp(postroad.Test):
    def senders(self, far, n):
        return sorted(sender.partition(" ")[0].removeprefix("FROM:").strip("<>") for sender, _, _ in far.wait(n))

    def test_by_smtp(self):
        far = self.sink()
        box = self.system(relayhost=far.nexthop(), authorized_verp_clients="$mynetworks")
        with box.smtp() as client:
            client.ehlo()
            self.assertIn("xverp", client.esmtp_features)
            for options, code in (("XVERP", 250), ("XVERP=-=", 250), ("XVERP=zz", 501), ("XVERP=+", 501), ("XVERP=+=+", 501)):
                self.assertEqual(client.docmd("MAIL FROM:<list@example.org> " + options)[0], code, options)
                client.rset()
            self.assertEqual(client.docmd("MAIL FROM:<> XVERP"), (503, b"5.5.4 Error: XVERP requires non-null sender"))
            client.docmd("MAIL FROM:<list@example.org> XVERP")
            client.rcpt("ada@far.example")
            client.rcpt("bob@far.example")
            client.data("Subject: x\r\n\r\nx\r\n")
        self.assertEqual(self.senders(far, 2), ["list+ada=far.example@example.org", "list+bob=far.example@example.org"])

    def test_not_for_strangers(self):
        box = self.system(mynetworks="192.0.2.0/24")
        with box.smtp() as client:
            client.ehlo()
            self.assertNotIn("xverp", client.esmtp_features)
            self.assertEqual(client.docmd("MAIL FROM:<a@example.org> XVERP"), (555, b"5.5.4 Unsupported option: XVERP"))

    def test_by_sendmail(self):
        far = self.sink()
        box = self.system(relayhost=far.nexthop())
        box.run("sendmail", "-XV-=", "-f", "list@example.org", "ada@far.example", "bob@far.example", input="Subject: x\n\n", check=True)
        self.assertEqual(self.senders(far, 2), ["list-ada=far.example@example.org", "list-bob=far.example@example.org"])
        done = box.run("sendmail", "-XVzz", "-f", "a@example.org", "ada", input="x\n")
        self.assertEqual((done.returncode, done.stderr), (75, "sendmail: fatal: -V requires two characters from -=+\n"))

    def bounced(self, **settings):
        box = self.system(recipient_delimiter="+", default_transport="error:5.1.1 nobody", **settings)
        box.run("sendmail", "-XV", "-f", postroad.address("ada"), "x@far.example", "y@far.example", input="Subject: x\n\n", check=True)
        return box

    def test_each_failure_has_a_notice(self):
        mails = self.bounced().wait_mail("ada", 2)
        self.assertEqual(sorted(re.search(r"(?m)^Delivered-To: (.*)", m.as_string()).group(1) for m in mails),
                         ["games+%s=far.example@example.org" % c for c in "xy"])

    def test_one_notice_for_all(self):
        box = self.bounced(disable_verp_bounces="yes")
        mail = box.wait_mail("ada")[0].as_string()
        self.assertIn("x@far.example", mail)
        self.assertIn("y@far.example", mail)
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)
