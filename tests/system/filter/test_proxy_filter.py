"""A filter before the queue: the client hears what it says, and nothing is ours before that."""
import os
import sys
import threading

import postroad

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scanner import FILTERED, Filter    # noqa: E402


class Proxy(postroad.Test):
    def system(self, **settings):
        box = super().system(start=False, **{"notify_classes": "", **settings})     # no transcripts of the trouble made here
        port = postroad.free_port(box.address)
        self.filter = Filter((box.address, port))
        self.addCleanup(self.filter.close)
        box.master_cf += FILTERED.replace("-o content_filter=\n", "-o smtpd_proxy_filter=\n") % (box.address, port)
        box.settings.setdefault("smtpd_proxy_filter", "%s:%d" % (self.filter.address, self.filter.port))
        return box.start()

    def answer(self, box, text="Subject: x\r\n\r\nHello.\r\n", to="ada@example.org", sender="a@example.net", options=()):
        with box.smtp() as smtp:
            smtp.ehlo()
            postroad.check(smtp.mail(sender, list(options)), 250)
            postroad.check(smtp.rcpt(to, ["NOTIFY=FAILURE"] if options else []), 250)
            code, reply = smtp.data(text)
            return "%d %s" % (code, reply.decode())

    def test_the_client_hears_the_filter(self):
        box = self.system()
        self.assertEqual(self.answer(box, options=["SIZE=30", "BODY=8BITMIME", "ENVID=q+2B1"]), "250 2.6.0 Ok, brought back")
        mail = box.wait_mail("ada")[0]
        self.assertEqual(mail["X-Filtered"], "yes")
        received = mail.get_all("Received")
        self.assertEqual(len(received), 2)
        self.assertNotIn(" id ", received[1])
        box.wait_log(r"\]: proxy-accept: END-OF-MESSAGE: 250 2.6.0 Ok, brought back; "
                     r"from=<a@example.net> to=<ada@example.org> proto=ESMTP helo=<client.example.net>")
        box.wait_log(r"NOQUEUE: client=unknown\[127.")
        said = self.filter.commands
        self.assertEqual(said[0], "EHLO mail.example.org")
        self.assertRegex(said[1], r"^XFORWARD NAME=\[UNAVAILABLE\] ADDR=127.0.0.1 PORT=\d+ HELO=client.example.net PROTO=ESMTP "
                                  "SOURCE=REMOTE$")
        self.assertEqual(said[2], "MAIL FROM:<a@example.net> BODY=8BITMIME ENVID=q+2B1")
        self.assertEqual(said[3], "RCPT TO:<ada@example.org> NOTIFY=FAILURE")
        box.wait_empty()

    def test_a_refusal_is_the_clients(self):
        box = self.system()
        self.assertEqual(self.answer(box, "Subject: x\r\n\r\na virus\r\n"), "550 5.7.1 a virus")
        box.wait_log(r"\]: proxy-reject: END-OF-MESSAGE: 550 5.7.1 a virus; from=<a@example.net> to=<ada@")
        self.filter.answers["RCPT"] = "452-4.2.2 it is\r\n452 4.2.2 full"
        self.assertEqual(self.answer(box), "452 4.2.2 it is\n4.2.2 full")
        box.wait_log(r'warning: proxy \S+ rejected "RCPT TO:<ada@example.org>": "452-4.2.2 it is')
        self.filter.answers["RCPT"] = None
        for command in ("MAIL", "RCPT", "DATA"):        # a yes to a command is not one to the message
            self.filter.answers[command] = "354 odd" if command != "DATA" else "250 odd"
            self.assertEqual(self.answer(box), "451 4.3.0 Error: queue file write error")
            del self.filter.answers[command]
        self.filter.judge = lambda *message: "354 odd"
        self.assertEqual(self.answer(box), "451 4.3.0 Error: queue file write error")
        self.filter.answers["EHLO"] = "500 what?"
        self.assertEqual(self.answer(box), "451 4.3.0 Error: queue file write error")
        self.assertEqual(box.queue(), {})

    def test_one_that_is_away_or_dies(self):
        box = self.system(smtpd_proxy_timeout="2s")
        self.filter.dies = "before"
        self.assertEqual(self.answer(box), "451 4.3.0 Error: queue file write error")
        box.wait_log("warning: lost connection with proxy %s:%d" % (self.filter.address, self.filter.port))
        self.filter.dies = None
        silent = threading.Event()
        self.filter.answers["DATA"] = lambda line: silent.wait(postroad.PATIENCE) and ""
        self.assertEqual(self.answer(box), "451 4.3.0 Error: queue file write error")
        silent.set()
        box.wait_log("warning: timeout talking to proxy " + self.filter.address)
        self.filter.close()
        self.assertEqual(self.answer(box), "451 4.3.0 Error: queue file write error")
        box.wait_log(r"warning: connect to proxy filter \S+: Connection refused")
        self.assertEqual(box.queue(), {})

    def test_the_content_is_the_clients(self):
        box = self.system()
        self.filter.back = None
        for text in ("Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nlast", "Subject: large\r\n\r\n" + ".0123456789\r\n" * 20000, "\r\n"):
            self.assertEqual(self.answer(box, text)[:3], "250")
            content = self.filter.messages[-1][2].decode()
            self.assertTrue(content.startswith("Received: from client.example.net"), content[:100])
            head = content.index("\r\n" + text[:5] if text != "\r\n" else "\r\n\r\n")
            self.assertEqual(content[head + 2:], text if text.endswith("\r\n") else text + "\r\n")

    def test_many_take_turns(self):
        box = self.system()
        self.filter.back = None
        lock, go_on, inside, most = threading.Lock(), threading.Event(), set(), []

        def slowly(*message):
            with lock:
                inside.add(threading.get_ident())
                most.append(len(inside))
            go_on.wait(postroad.PATIENCE)
            with lock:
                inside.discard(threading.get_ident())
            return "250 2.0.0 Ok"
        self.filter.judge = slowly
        answers = []
        clients = [threading.Thread(target=lambda: answers.append(self.answer(box))) for _ in range(25)]
        for client in clients:
            client.start()
        postroad.wait_until(lambda: len(most) >= 20, "twenty at the filter", box.story)
        go_on.set()
        for client in clients:
            client.join()
        self.assertEqual(answers, ["250 2.0.0 Ok"] * 25)
        self.assertLessEqual(max(most), 20)

    def test_what_access_tables_cannot_do_then(self):
        box = self.system(smtpd_recipient_restrictions="check_sender_access inline:{ { a@example.net = HOLD } }, permit")
        self.assertEqual(self.answer(box)[:3], "250")
        box.wait_log("with smtpd_proxy_filter specified, action HOLD is unavailable")
        box.wait_mail("ada")

    def test_a_client_that_leaves(self):
        box = self.system()
        go_on = threading.Event()
        judge = self.filter.judge
        self.filter.judge = lambda *message: go_on.wait(postroad.PATIENCE) and judge(*message)
        client = box.smtp()
        client.ehlo()
        client.mail("a@example.net")
        client.rcpt("ada@example.org")
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
        postroad.wait_until(lambda: "DATA" in self.filter.commands, "the message at the filter")
        client.close()
        go_on.set()
        box.wait_mail("ada")
        self.assertEqual(self.answer(box)[:3], "250")
