"""A list of thousands in one transaction, where the site permits it."""
import postroad


class ManyRecipients(postroad.Test):
    def test_as_many_as_the_site_permits(self):
        many = 8000
        box = self.system(smtpd_recipient_limit=many, relayhost="[127.0.0.1]:1")
        with box.smtp() as smtp:
            smtp.ehlo()
            postroad.check(smtp.mail("list@example.net"), 250)
            for begin in range(0, many, 1000):
                smtp.send("".join("RCPT TO:<a-name-of-some-length-%d@far.example>\r\n" % n for n in range(begin, begin + 1000)))
                for _ in range(1000):
                    postroad.check(smtp.getreply(), 250)
            postroad.check(smtp.rcpt("one-more@far.example"), 452)
            postroad.check(smtp.data("Subject: a list\r\n\r\nHello.\r\n"), 250)
        box.wait_log(r"nrcpt=%d " % many)
