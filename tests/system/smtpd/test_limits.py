"""Limits of a client: sessions at once, connections, messages and recipients in a time; counted by anvil."""
import contextlib
import re

import postroad

LIMITED = dict(smtpd_client_event_limit_exceptions="", smtpd_error_sleep_time="0")


class Limits(postroad.Test):
    def limited(self, **limits):
        box = self.system(**LIMITED, **{"smtpd_client_%s_limit" % k: str(v) for k, v in limits.items()})
        box.wait_log("disconnect from")     # whoever looked whether the port is open has gone
        return box

    def open(self, box, stack, source=None):
        """A new session; its first reply."""
        line = stack.enter_context(box.connect())
        line.settimeout(postroad.PATIENCE)
        return line, line.recv(4096)

    def test_sessions_at_once(self):
        box = self.limited(connection_count=2)
        with contextlib.ExitStack() as stack:
            first, _ = self.open(box, stack)
            self.assertIn(b"220 ", self.open(box, stack)[1])
            self.assertIn(b"421 4.7.0 mail.example.org Error: too many connections from 127.",
                          self.open(box, stack)[1])
            box.wait_log(r"warning: Connection concurrency limit exceeded: 3 from unknown\[127\.[^ ]* for service ")
            first.close()
            postroad.wait_until(lambda: b"220 " in self.open(box, stack)[1], "room after one has left", box.story)

    def test_a_killed_anvil_hears_of_the_sessions_again(self):
        box = self.limited(connection_count=3)
        box.allow("anvil.*killed by signal")
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                self.assertIn(b"220 ", self.open(box, stack)[1])
            box.kill("anvil")
            self.assertIn(b"220 ", self.open(box, stack)[1])
            self.assertIn(b"421 ", self.open(box, stack)[1])

    def test_sessions_of_a_killed_smtpd_are_gone(self):
        box = self.limited(connection_count=1)
        box.allow("smtpd.*killed by signal")
        with contextlib.ExitStack() as stack:
            self.assertIn(b"220 ", self.open(box, stack)[1])
            box.kill("smtpd")

            def welcome():
                with contextlib.suppress(OSError), contextlib.ExitStack() as once:
                    return b"220 " in self.open(box, once)[1]
            postroad.wait_until(welcome, "a session with the next smtpd", box.story)

    def test_connection_rate(self):
        box = self.system(**LIMITED, smtpd_client_connection_rate_limit="5")
        with contextlib.ExitStack() as stack:
            replies = [self.open(box, stack)[1] for _ in range(8)]
        self.assertIn(b"421 ", replies[-1])
        box.wait_log(r"Connection rate limit exceeded: \d+ from unknown\[127\.")

    def test_message_and_recipient_rate(self):
        box = self.limited(message_rate=3, recipient_rate=4)
        with box.smtp() as smtp:
            smtp.ehlo()
            for number in range(4):
                said = smtp.mail("a@example.net")
                smtp.rset()
            self.assertEqual(said[0], 450)
            self.assertRegex(said[1], rb"4\.7\.1 Error: too much mail from 127\.")
        box.wait_log("Message delivery request rate limit exceeded: 4 from unknown")
        box = self.limited(recipient_rate=4)
        with box.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("a@example.net")
            said = [smtp.rcpt("ada@example.org") for _ in range(5)]
            self.assertEqual([code for code, _ in said], [250] * 4 + [450])
            self.assertRegex(said[4][1], rb"4\.7\.1 Error: too many recipients from 127\.")
        box.wait_log("Recipient address rate limit exceeded: 5 from unknown")
        box.stop()
        for kind, value in (("connection rate", "2/60s"), ("connection count", "[12]"), ("message rate", "1/60s"),
                            ("recipient rate", "5/60s")):
            box.wait_log(r"anvil\[\d+\]: statistics: max %s %s for \([^ ]*:127\.[.\d]+\) at \w{3} [ \d]\d \d\d:\d\d:\d\d$"
                         % (kind, value))
        box.wait_log("statistics: max cache size 1 at ")

    def test_a_network_is_one_client(self):
        box = self.system(**LIMITED, smtpd_client_ipv4_prefix_length="20")
        with box.smtp():
            pass
        box.stop()
        self.assertTrue(re.search(r"max connection rate .* for \([^ ]*:127\.[.\d]+/20\)", box.log()), box.story())

    def test_without_anvil_each_process_counts_its_own(self):
        lines = [line for line in postroad.MASTER_CF.splitlines(keepends=True) if not line.startswith("anvil")]
        box = self.system(master_cf="".join(lines), smtpd_client_connection_count_limit="2", **LIMITED)
        box.wait_log("disconnect from")
        with contextlib.ExitStack() as stack:
            said = [self.open(box, stack)[1][:4] for _ in range(3)]
        self.assertEqual(said, [b"220 ", b"220 ", b"421 "])
        for _ in range(20):
            with contextlib.ExitStack() as stack:
                self.open(box, stack)
        self.assertLess(box.log().count("connect to the anvil service"), 15, "asked again and again")
