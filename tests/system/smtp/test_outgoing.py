"""smtp(8): what it says to other hosts, and what it makes of their answers."""
import re
import threading
import time

import postroad


class Outgoing(postroad.Test):
    def relay(self, **main_cf):
        self.far = self.sink()
        self.box = self.system(relayhost=self.far.nexthop(), **main_cf)
        return self.box

    def outcome(self, queue_id, status, dsn, text):
        return self.box.wait_log(r"smtp\[\d+\]: %s: to=<bob@far\.example>, .*dsn=%s, status=%s \(.*%s"
                                 % (queue_id, re.escape(dsn), status, text))

    def test_the_plain_dialogue(self):
        self.relay()
        queue_id = self.box.send("bob@far.example", options=["BODY=8BITMIME"],
                                 message=self.box.message("bob").encode() + "grüße\r\n".encode())
        self.far.wait(1)
        said = self.far.commands
        self.assertEqual(said[0], "EHLO mail.example.org")
        self.assertRegex(said[1], r"^MAIL FROM:<sender@example\.net> SIZE=\d+ BODY=8BITMIME")
        self.assertRegex(said[2], r"^RCPT TO:<bob@far\.example>( ORCPT=rfc822;bob@far\.example)?$")
        self.assertEqual(said[3], "DATA")
        self.outcome(queue_id, "sent", "2.0.0", r"250 2\.0\.0 Ok: taken\)")
        postroad.wait_until(lambda: "QUIT" in self.far.commands, "a farewell", lambda: self.far.commands)

    def test_an_old_server_gets_helo(self):
        self.relay()
        self.far.answers["EHLO"] = "502 what?"
        self.box.send("bob@far.example")
        self.far.wait(1)
        self.assertEqual(self.far.commands[:2], ["EHLO mail.example.org", "HELO mail.example.org"])
        self.assertEqual(self.far.commands[2], "MAIL FROM:<sender@example.net>")

    def test_a_refusing_greeting_defers(self):
        self.relay()
        self.far.answers["CONNECT"] = "554 no service here"
        self.outcome(self.box.send("bob@far.example"), "deferred", "4.0.0", "refused to talk to me: 554 no service here")

    def test_a_refused_sender_bounces(self):
        self.relay()
        self.far.answers["MAIL"] = "550 5.7.1 not from you"
        self.outcome(self.box.send("bob@far.example", sender=""), "bounced", "5.7.1",
                     r"said: 550 5\.7\.1 not from you \(in reply to MAIL FROM command\)\)")

    def test_a_refusal_after_the_dot(self):
        self.relay()
        self.far.answers["."] = "550-5.7.1 several\r\n550 5.7.1 lines"
        self.outcome(self.box.send("bob@far.example", sender=""), "bounced", "5.7.1",
                     r"said: 550-5\.7\.1 several 550 5\.7\.1 lines \(in reply to end of DATA command\)\)")

    def test_a_line_that_breaks_at_the_dot_defers(self):
        self.relay()
        self.far.answers["."] = ""
        self.outcome(self.box.send("bob@far.example"), "deferred", "4.4.2", "lost connection with .* while sending end of data")

    def test_silence_ends_by_a_time_limit(self):
        self.relay(smtp_helo_timeout="1s")
        def silent(line):
            time.sleep(3)
            return ""
        self.far.answers["CONNECT"] = silent
        self.outcome(self.box.send("bob@far.example"), "deferred", "4.4.2",
                     "conversation with .* timed out while receiving the initial server greeting")

    def test_garbage_from_the_server(self):
        self.relay()
        for number, garbage in enumerate(("x" * 100000, "250-" + "y" * 5000, "\x00\x01\x02", "999 nine",
                                          "\r\n".join(["250-more"] * 5000) + "\r\n250 end")):
            with self.subTest(number=number):
                self.far.answers["MAIL"] = garbage
                queue_id = self.box.send("bob%d@far.example" % number, sender="")
                self.box.wait_log(queue_id + r": to=<.*status=(deferred|bounced|sent)")
        self.far.answers.clear()
        self.box.send("bob@far.example")
        self.far.wait(1)

    def test_a_session_is_used_again(self):
        self.relay(smtp_destination_concurrency_limit="2")
        with self.box.smtp() as client:
            for n in range(30):
                self.box.send("bob%d@far.example" % n, client=client)
        self.far.wait(30)
        self.assertLess(self.far.connections, 30)

    def test_a_list_of_recipients_is_one_transaction(self):
        self.relay()
        self.box.send(*("bob%d@far.example" % n for n in range(40)))
        self.far.wait(1)
        self.assertEqual(len(self.far.messages[0][1]), 40)

    def test_a_thousand_at_once_in_one_process(self):
        self.relay(smtp_destination_concurrency_limit="1000", initial_destination_concurrency="1000",
                   default_destination_concurrency_limit="1000", smtp_destination_recipient_limit="1",
                   smtp_data_init_timeout="300s")
        at_once, most, door, lock = 0, 0, threading.Event(), threading.Lock()
        def slow(line):
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            door.wait(postroad.PATIENCE * 3)
            return "354 go ahead"
        self.far.answers["DATA"] = slow
        with self.box.smtp() as client:
            for n in range(20):
                self.box.send(*("bob%d-%d@far.example" % (n, m) for m in range(50)), client=client)
        try:
            postroad.wait_until(lambda: most >= 1000, "1,000 sessions at once", lambda: most, postroad.PATIENCE * 2)
            self.assertEqual(len(self.box.processes("smtp")), 1)
        finally:
            door.set()
        self.far.wait(1000, postroad.PATIENCE * 2)
        self.box.wait_empty()
