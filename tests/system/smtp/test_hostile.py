"""Servers that misbehave at every stage: the mail waits, and the agent lives (reliability C1)."""
import contextlib
import os
import random
import socket
import subprocess
import threading

import postroad
from agent import Test

STAGES = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."]


class Raw:
    """A server that reads what comes and sends one thing on connecting."""

    def __init__(self, *pieces, repeat=1):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.pieces, self.repeat = pieces, repeat
        threading.Thread(target=self.serve, daemon=True).start()

    def nexthop(self):
        return "[127.0.0.1]:%d" % self.socket.getsockname()[1]

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        with contextlib.suppress(OSError), client:
            for _ in range(self.repeat):
                for piece in self.pieces:
                    client.sendall(piece)
            while client.recv(65536):
                pass

    def close(self):
        self.socket.close()


class Hostile(Test):
    def setUp(self):
        self.server = self.sink()
        self.smtp = self.agent(smtp_helo_timeout=1, smtp_mail_timeout=1, smtp_rcpt_timeout=1,
                               smtp_data_init_timeout=1, smtp_data_done_timeout=1, smtp_data_xfer_timeout=1,
                               smtp_connection_cache_on_demand="no")

    def one(self, server=None, **options):
        return self.smtp.one((server or self.server).nexthop(), **options)

    def raw(self, *pieces, **options):
        server = Raw(*pieces, **options)
        self.addCleanup(server.close)
        return server

    def stays_alive(self):
        self.server.answers = {}
        postroad.wait_until(lambda: self.one().startswith("sent"), "a delivery", self.smtp.story)

    def test_lost_at_each_stage(self):
        doing = ["receiving the initial server greeting", "performing the EHLO handshake", "sending MAIL FROM",
                 "sending RCPT TO", "sending DATA command",
                 "sending end of data -- message may be sent more than once"]
        for stage, what in zip(STAGES, doing):
            with self.subTest(stage):
                self.server.answers = {stage: ""}
                self.assertRegex(self.one(), r"^deferred 4.4.2 lost connection with \S+ while %s$" % what)
        self.stays_alive()

    def test_silent_at_each_stage(self):
        """A reply that begins and never ends, until the time limit."""
        for stage in STAGES:
            with self.subTest(stage):
                self.server.answers = {"EHLO": "250 x", stage: "250-more\r\n250-to come"}
                self.assertRegex(self.one(), r"^deferred 4.4.2 conversation with \S+ timed out while ")
        self.stays_alive()

    def test_421_at_each_stage(self):
        for stage in STAGES:
            with self.subTest(stage):
                self.server.answers = {stage: "421 4.3.2 shutting down"}
                self.assertRegex(self.one(), r"^deferred 4.3.2 host \S+ (said|refused to talk to me): 421 4.3.2")
        self.stays_alive()

    def test_no_smtp_at_each_stage(self):
        for reply in ("000 x", "25", "hello", "999 x", "\0" * 50, "250-a\r\n550 b", "-1"):
            for stage in STAGES:
                with self.subTest((stage, reply)):
                    self.server.answers = {stage: reply}
                    self.assertRegex(self.one(), r"^deferred 4.5.0 host \S+ sent something that is no SMTP reply")
        self.stays_alive()

    def test_a_reply_without_end(self):
        for server in (self.raw(b"220-x\r\n" * 1000, repeat=100000), self.raw(b"2" * 65536, repeat=16384),
                       self.raw(b"220 " + b"x" * 65536, repeat=16384)):
            self.assertRegex(self.one(server), "^deferred 4.5.0 ")
        self.assertLess(self.smtp.memory(), 40 << 20)
        self.stays_alive()

    def test_replies_before_the_commands(self):
        everything = (b"220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
        self.assertRegex(self.one(self.raw(everything)), "^deferred 4.5.0 host .* replied before it was asked")
        self.server.answers["DATA"] = "354 go\r\n250 taken already"
        self.assertRegex(self.one(), "^deferred 4.5.0 host .* replied before it was asked")
        self.stays_alive()

    def test_in_doubt_tries_no_other_host(self):
        """Invariant 2: between the final dot and its answer."""
        self.server.answers["."] = ""
        other = self.sink()
        found = self.smtp.one("%s, %s" % (self.server.nexthop(), other.nexthop()))
        self.assertRegex(found, "^deferred 4.4.2 .*message may be sent more than once")
        self.assertEqual(other.connections, 0)

    def test_qmgr_dies_between_the_dot_and_its_answer(self):
        """Invariant 3: its successor hears what became of the message, which is not sent again."""
        self.smtp = self.agent()
        reached, go_on = threading.Event(), threading.Event()

        def slow(line):
            reached.set()
            go_on.wait(postroad.PATIENCE)
            return "250 2.0.0 Ok: taken once"
        self.server.answers["."] = slow
        qmgr = subprocess.Popen([postroad.BUILD + "/tests/system/deliver", self.smtp.socket_path,
                                 self.server.nexthop(), "sender@example.org", "ada@example.net"],
                                stdin=subprocess.DEVNULL)
        self.assertTrue(reached.wait(postroad.PATIENCE))
        qmgr.kill()
        qmgr.wait()
        threading.Timer(0.3, go_on.set).start()
        self.assertRegex(self.one(options=("-p",)), "^sent 2.0.0 250 2.0.0 Ok: taken once")
        self.assertRegex(self.one(options=("-p",)), "^sent 2.0.0 250 2.0.0 Ok: taken once")
        self.assertEqual(len(self.server.messages), 1)

    def test_qmgr_dies_before_the_dot(self):
        """Nobody wants that delivery any more: it is given up, and asked for again."""
        self.smtp = self.agent()
        reached, go_on = threading.Event(), threading.Event()

        def slow(line):
            reached.set()
            go_on.wait(postroad.PATIENCE)
            return "250 2.1.5 Ok"
        self.server.answers["RCPT"] = slow
        qmgr = subprocess.Popen([postroad.BUILD + "/tests/system/deliver", self.smtp.socket_path,
                                 self.server.nexthop(), "sender@example.org", "ada@example.net"],
                                stdin=subprocess.DEVNULL)
        self.assertTrue(reached.wait(postroad.PATIENCE))
        qmgr.kill()
        qmgr.wait()
        go_on.set()
        self.server.answers = {}
        self.assertRegex(self.one(options=("-p",)), "^sent 2.0.0 ")
        self.assertEqual(len(self.server.wait()), 1)

    def test_a_server_that_stops_reading(self):
        server = self.raw(b"220 x\r\n")
        self.assertRegex(self.one(server, content=b"x" * 70 + b"\n"), "timed out while performing the EHLO")

        def deaf(client):
            with client:
                for reply in b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n":
                    client.sendall(reply)
                    if reply[:3] != b"354":
                        client.recv(4096)
                threading.Event().wait(postroad.PATIENCE)
        server.talk = deaf
        found = self.one(server, content=(b"x" * 70 + b"\n") * 500000, options=("-f",))
        self.assertRegex(found, "^deferred 4.4.2 conversation with .* timed out while sending message body")

    def test_servers_that_say_anything(self):
        """Random replies, cut anywhere, at any time: every recipient has its result, and the agent lives."""
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        chance = random.Random(seed)
        pieces = [b"220 x ESMTP\r\n", b"250-x\r\n250-PIPELINING\r\n250 SIZE 5\r\n", b"250-x\r\n250-PIPELINING\r\n250 DSN\r\n",
                  b"250 ok\r\n", b"250 2.1.0 ok\r\n250 ok\r\n354 go\r\n", b"354 go\r\n", b"450 4.2.1 no\r\n", b"550 no\r\n",
                  b"421 bye\r\n", b"250-", b"250", b"\r\n", b"\n", b"25", b"\0", b"999\r\n", b"221 bye\r\n", b"354"]
        usual = [b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", b"250 ok\r\n"]

        def talk(client):
            with contextlib.suppress(OSError), client:
                client.settimeout(0.2)
                for step in range(chance.randrange(1, 12)):
                    client.sendall(usual[step % 4] if chance.random() < 0.7 else chance.choice(pieces))
                    with contextlib.suppress(socket.timeout):
                        client.recv(chance.choice([1, 100, 65536]))
        server = self.raw()
        server.talk = talk
        self.smtp = self.agent(smtp_helo_timeout=1, smtp_mail_timeout=1, smtp_rcpt_timeout=1,
                               smtp_data_init_timeout=1, smtp_data_done_timeout=1, smtp_rset_timeout=1)
        recipients = ["a@example.net", "b@example.net", "c@example.net"]
        for _ in range(4):
            found = self.smtp.deliver(server.nexthop(), *recipients, options=("-n", "100", "-w", "50"), timeout=postroad.PATIENCE * 2)
            self.assertEqual(len(found), 300, "seed %d" % seed)
        self.stays_alive()

    def test_last_words_during_the_message(self):
        def rude(client):
            with client:
                for reply in b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n":
                    client.sendall(reply)
                    if reply[:3] != b"354":
                        client.recv(4096)
                client.recv(4096)
                client.sendall(b"552 5.3.4 too big\r\n")
                client.shutdown(socket.SHUT_RDWR)
        server = self.raw()
        server.talk = rude
        found = self.one(server, content=(b"x" * 70 + b"\n") * 500000, options=("-f",))
        self.assertRegex(found, "^(bounced 5.3.4 .*in reply to end of DATA|deferred 4.4.2 lost connection)")
        self.stays_alive()
