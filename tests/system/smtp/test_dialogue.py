"""What smtp(8) says, and what it makes of the answers."""
import concurrent.futures
import os
import signal
import threading
import time

import postroad
from agent import Test


class Dialogue(Test):
    def setUp(self):
        self.server = self.sink()
        self.smtp = self.agent(smtp_connection_cache_on_demand="no")

    def one(self, **options):
        return self.smtp.one(self.server.nexthop(), **options)

    def test_a_message_arrives_as_it_was(self):
        content = "Subject: x\n\n.\n..two\nend"
        found = self.smtp.deliver(self.server.nexthop(), "ada@example.net", "bob@example.net", content=content)
        relay = "%s[%s]:%d" % (self.server.address, self.server.address, self.server.port)
        self.assertEqual([f[1:] for f in found], [("sent", "2.0.0", relay, self.server.address,
                                                   "250 2.0.0 Ok: taken")] * 2)
        self.assertEqual(self.server.wait(), [("sender@example.org", ["ada@example.net", "bob@example.net"],
                                                 b"Subject: x\r\n\r\n.\r\n..two\r\nend\r\n")])
        self.smtp.wait_log(r"smtp\[\d+\]: \w+: to=<ada@example.net>, relay=\S+\[127.\S+\]:\d+, delay=\S+, "
                           r"delays=\S+/\S+/\S+/\S+, dsn=2.0.0, status=sent \(250 2.0.0 Ok: taken\)")

    def test_each_recipient_has_its_own_fate(self):
        self.server.answers["RCPT"] = lambda line: (
            "550 5.1.1 no such user" if "bad" in line else "450 4.2.0 busy" if "later" in line else
            "552 5.5.3 too many" if "many" in line else "250 2.1.5 Ok")
        found = self.smtp.deliver(self.server.nexthop(), "bad@x.org", "good@x.org", "later@x.org", "many@x.org")
        by_name = {f[0]: f for f in found}
        self.assertEqual(by_name["good@x.org"][1:3], ("sent", "2.0.0"))
        self.assertEqual(by_name["bad@x.org"][1:3], ("bounced", "5.1.1"))
        self.assertRegex(by_name["bad@x.org"][5], r"^host 127\S+\[127\S+\] said: 550 5.1.1 no such user "
                                                  r"\(in reply to RCPT TO command\)$")
        self.assertEqual(by_name["later@x.org"][1:3], ("deferred", "4.2.0"))
        self.assertEqual(by_name["many@x.org"][1:3], ("deferred", "4.5.3"))

    def test_a_lone_dot_when_nobody_is_left(self):
        self.server.answers["RCPT"] = "550 5.1.1 no"
        self.server.answers["DATA"] = "354 go ahead all the same"
        self.assertRegex(self.one(), "bounced 5.1.1")
        self.assertEqual(self.server.wait()[0][1:], ([], b""))

    def test_replies_that_are_filtered(self):
        """A 5xx that is to be tried again; a keyword that is not wanted; what is no reply is broken."""
        smtp = self.agent(smtp_reply_filter="regexp:{ {/^550 5\\.1\\.1 (broken)/ 450 4.1.1 not yet $$1}, {/^250.PIPELINING/ 250-X}, "
                                            "{/^252/ nonsense} }")
        self.server.answers["RCPT"] = lambda line: "550 5.1.1 broken" if "bad" in line else "550 5.1.1 no"
        found = {f[0]: f for f in smtp.deliver(self.server.nexthop(), "bad@x.org", "worse@x.org")}
        self.assertEqual(found["bad@x.org"][1:3], ("deferred", "4.1.1"))
        self.assertIn("said: 450 4.1.1 not yet broken (in reply to RCPT TO", found["bad@x.org"][5])
        self.assertEqual(found["worse@x.org"][1:3], ("bounced", "5.1.1"))
        self.server.answers["RCPT"] = "252 maybe"
        self.assertEqual(smtp.deliver(self.server.nexthop(), "bad@x.org")[0][1], "deferred")

    def test_mail_is_refused(self):
        self.server.answers["MAIL"] = "550 5.7.1 go away"
        self.assertRegex(self.one(), r"^bounced 5.7.1 host .* said: 550 .*in reply to MAIL FROM command")
        self.server.answers["MAIL"] = "451 later"
        self.assertRegex(self.one(), r"^deferred 4.0.0 ")

    def test_data_is_refused(self):
        self.server.answers["DATA"] = "451 4.3.0 no"
        self.assertRegex(self.one(), r"^deferred 4.3.0 .*in reply to DATA command")
        self.server.answers["DATA"] = "354 go"
        self.server.answers["."] = "554 5.6.0 spam"
        self.assertRegex(self.one(), r"^bounced 5.6.0 .*in reply to end of DATA command")

    def test_greetings(self):
        self.server.answers["CONNECT"] = "554 go away"
        self.assertRegex(self.one(), r"^deferred 4.0.0 host \S+ refused to talk to me: 554 go away")
        self.server.answers["CONNECT"] = "220-a\r\n220-b\r\n220 c"
        self.server.answers["EHLO"] = "500 what?"
        self.assertRegex(self.one(), r"^sent 2.0.0")
        self.assertEqual([c for c in self.server.commands if c != "QUIT"], ["EHLO mail.example.org", "HELO mail.example.org",
                                                       "MAIL FROM:<sender@example.org>",
                                                       "RCPT TO:<ada@example.net>", "DATA"])
        self.server.answers["HELO"] = "550 no"
        self.assertRegex(self.one(), r"^bounced 5.0.0 .*refused to talk to me: 550 no")

    def test_what_is_offered_is_used(self):
        self.one(options=("-8", "-u", "-e", "a+b", "-r", "hdrs", "-N", "6"))
        self.assertEqual(self.server.commands[1:3], [
            "MAIL FROM:<sender@example.org> SIZE=27 BODY=8BITMIME RET=HDRS ENVID=a+2Bb",
            "RCPT TO:<ada@example.net> ORCPT=rfc822;ada@example.net NOTIFY=SUCCESS,FAILURE"])

    def test_too_large_for_the_server(self):
        self.server.answers["EHLO"] = "250-x\r\n250 SIZE 10"
        self.assertRegex(self.one(), r"^bounced 5.3.4 message size 27 exceeds size limit 10 of server")

    def test_utf8_needs_smtputf8(self):
        self.assertRegex(self.smtp.one(self.server.nexthop(), "p\u00e5l@example.net"),
                         r"^bounced 5.6.7 SMTPUTF8 is required, but was not offered by host")
        self.assertRegex(self.one(content="Subject: p\u00e5\n\nx\n", options=("-u",)), "^bounced 5.6.7")
        self.assertRegex(self.one(content="Subject: a\n\np\u00e5\n", options=("-u", "-8")), "^sent")
        self.server.answers["EHLO"] = "250-x\r\n250 SMTPUTF8"
        self.assertRegex(self.smtp.one(self.server.nexthop(), "p\u00e5l@example.net"), "^sent")

    def test_long_lines_are_cut_and_bare_cr_goes(self):
        self.one(content=b"a" * 1500 + b"\nb\rc\n" + b"x" * 998 + b"\n")
        self.assertEqual(self.server.wait()[0][2], b"a" * 998 + b"\r\n " + b"a" * 502 + b"\r\nb c\r\n" +
                         b"x" * 998 + b"\r\n")

    def test_a_large_message_from_its_file(self):
        content = b"Subject: large\n\n" + b"0123456789abcdef\n" * 600000
        self.smtp.deliver(self.server.nexthop(), content=content, options=("-f",))
        self.assertEqual(self.server.wait()[0][2], content.replace(b"\n", b"\r\n"))

    def test_lmtp_is_not_there_yet(self):
        self.assertRegex(self.smtp.one("unix:private/dovecot-lmtp"), "^deferred 4.3.5 .*LMTP")

    def test_nobody_listens(self):
        address, port = self.server.address, postroad.free_port(self.server.address)
        self.assertRegex(self.smtp.one("[%s]:%d" % (address, port)),
                         r"^deferred 4.4.1 connect to 127\S+\[127\S+\]:%d: Connection refused" % port)

    def test_the_second_of_two_relays(self):
        dead = "[%s]:%d" % (self.server.address, postroad.free_port(self.server.address))
        self.assertRegex(self.smtp.one(dead + ", " + self.server.nexthop()), "^sent")


class Reuse(Test):
    def setUp(self):
        self.server = self.sink()
        self.smtp = self.agent()

    def test_the_next_message_uses_the_connection(self):
        self.smtp.deliver(self.server.nexthop(), options=("-n", "1"))
        self.smtp.deliver(self.server.nexthop(), options=("-n", "1"))
        self.smtp.deliver(self.server.nexthop(), options=("-n", "1"))
        self.assertEqual((self.server.connections, len(self.server.messages)), (1, 3))
        self.smtp.wait_log(r"relay=\S+, conn_use=3, delay=")
        postroad.wait_until(lambda: self.server.commands[-1] == "QUIT", "QUIT after two seconds")

    def test_a_connection_that_died_is_no_news(self):
        self.smtp.one(self.server.nexthop())
        self.server.answers["RSET"] = ""
        self.assertRegex(self.smtp.one(self.server.nexthop()), "^sent")
        self.assertEqual(self.server.connections, 2)

    def test_reload_ends_the_process_after_its_last_delivery(self):
        reached = threading.Event()

        def slow(line):
            reached.set()
            time.sleep(0.5)
            return "250 2.0.0 Ok: taken"
        self.server.answers["."] = slow
        with concurrent.futures.ThreadPoolExecutor() as pool:
            found = pool.submit(self.smtp.one, self.server.nexthop())
            self.assertTrue(reached.wait(5))
            os.kill(self.smtp.pid, signal.SIGHUP)
            self.assertRegex(found.result(), "^sent")
        self.smtp.wait_end()

    def test_a_peer_that_is_looked_at(self):
        smtp = self.agent(debug_peer_list=self.server.address)
        smtp.one(self.server.nexthop())
        smtp.wait_log(r"> 127\S+: MAIL FROM:<sender@example.org>")
        smtp.wait_log(r"< 127\S+: 250 2.1.5 Ok")

    def test_ipv6(self):
        try:
            server = self.sink(address="::1")
        except OSError as e:
            self.skipTest("no IPv6 here: %s" % e)
        smtp = self.agent(inet_protocols="all")
        found = smtp.deliver("[IPv6:::1]:%d" % server.port)
        self.assertEqual(found[0][1:4], ("sent", "2.0.0", "::1[::1]:%d" % server.port))
