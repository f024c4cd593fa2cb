"""TCP: pipelines, slow and greedy clients, timeouts, connections that end in every way (attacks D6 and D7)."""

import os
import random
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server
import wire

ZONES = {"a.test": server.SOA % 1 + "www A 192.0.2.1\n" + "".join("big TXT \"%s%d\"\n" % ("x" * 200, i) for i in range(90))}


def frame(message):
    return struct.pack(">H", len(message)) + message


def is_open(s):
    s.settimeout(0.05)
    try:
        return s.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


class Tcp(server.Test):
    def connect(self, s, source="127.0.0.1"):
        c = socket.create_connection(("127.0.0.1", s.port), server.PATIENCE, (source, 0))
        self.addCleanup(c.close)
        return c

    def one(self, options=""):
        return self.server(ZONES, options, arguments=["-n", "1"])

    def ask(self, c, name="www.a.test", kind="A", **how):
        c.settimeout(server.PATIENCE)
        c.sendall(frame(wire.question(name, kind, **how)))
        octets = wire.read_tcp(c)
        return octets and wire.Answer(octets)

    def test_a_pipeline_is_answered_in_its_order(self):
        c = self.connect(self.one())
        c.sendall(b"".join(frame(wire.question("www.a.test", ident=i)) for i in range(1000)))
        self.assertEqual([wire.Answer(wire.read_tcp(c)).ident for _ in range(1000)], list(range(1000)))

    def test_octet_by_octet(self):
        c = self.connect(self.one())
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in frame(wire.question("www.a.test")) * 2:
            c.sendall(bytes([octet]))
        self.assertEqual([wire.Answer(wire.read_tcp(c)).status for _ in range(2)], ["NOERROR"] * 2)

    def test_answers_go_out_after_the_last_question(self):
        c = self.connect(self.one())
        c.sendall(frame(wire.question("www.a.test")) * 3)
        c.shutdown(socket.SHUT_WR)
        self.assertEqual([wire.Answer(wire.read_tcp(c)).status for _ in range(3)], ["NOERROR"] * 3)
        self.assertIsNone(wire.read_tcp(c))

    def test_who_does_not_read_is_not_read_from(self):
        s = self.one()
        c = self.connect(s)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        c.settimeout(0.3)
        question, sent = frame(wire.question("big.a.test", "TXT")), 0
        with self.assertRaises(TimeoutError):
            while True:
                c.sendall(question * 1000)
                sent += 1000
                self.assertLess(sent, 2000000)
        self.assertEqual(self.ask(self.connect(s)).status, "NOERROR")
        for pid in s.children():
            with open("/proc/%d/status" % pid) as f:
                anonymous = next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))
            self.assertLess(anonymous, 16384)
        c.settimeout(server.PATIENCE)
        for _ in range(200):        # all that it asked is there once it reads
            self.assertEqual(len(wire.Answer(wire.read_tcp(c)).answer), 90)

    def test_empty_messages_and_rubbish_cost_nothing(self):
        s = self.one()
        c = self.connect(s)
        c.sendall(b"\0\0" * 100 + frame(b"x") + frame(b"\x80" * 12) + frame(b"\0" * 11))
        self.assertEqual(self.ask(c).status, "NOERROR")
        self.assertEqual(self.ask(self.connect(s)).status, "NOERROR")

    def test_idle_clients_are_closed(self):
        s = self.one("tcp-initial-timeout 50; tcp-idle-timeout 5; tcp-keepalive-timeout 300;")
        silent, asked, kept = (self.connect(s) for _ in range(3))
        self.ask(asked)
        self.ask(kept, edns=1232, options=struct.pack(">2H", 11, 0))
        server.wait_until(lambda: not is_open(asked), "the end of the idle one", s.log)
        self.assertTrue(is_open(silent) and is_open(kept))
        server.wait_until(lambda: not is_open(silent), "the end of the silent one", s.log)
        self.assertEqual(self.ask(kept).status, "NOERROR")

    def test_an_octet_now_and_then_is_no_activity(self):
        s = self.one("tcp-initial-timeout 25;")
        c, start = self.connect(s), time.monotonic()
        try:
            while is_open(c):
                c.sendall(b"\0")
                self.assertLess(time.monotonic() - start, server.PATIENCE)
        except OSError:
            pass
        self.assertGreater(time.monotonic() - start, 2)

    def test_when_all_places_are_taken(self):
        s = self.one("tcp-clients 20;")
        asked = [self.connect(s, "127.0.0.%d" % (2 + i)) for i in range(10)]
        for c in asked:
            self.ask(c)
        silent = [self.connect(s, "127.0.1.%d" % (2 + i)) for i in range(10)]
        self.assertEqual(self.ask(self.connect(s)).status, "NOERROR")
        server.wait_until(lambda: not is_open(silent[0]), "room", s.log)
        self.assertTrue(all(is_open(c) for c in asked + silent[1:]))

    def test_one_client_has_half_of_the_places(self):
        s = self.one("tcp-clients 20;")
        others = [self.connect(s, "127.0.0.%d" % (2 + i)) for i in range(8)]
        for c in others:
            self.ask(c)
        greedy = [self.connect(s, "127.0.0.100") for _ in range(40)]
        self.assertEqual(self.ask(greedy[-1]).status, "NOERROR")
        self.assertEqual(sum(is_open(c) for c in greedy), 10)
        self.assertEqual([self.ask(c).status for c in others], ["NOERROR"] * 8)

    def test_a_good_client_is_answered_within_100_ms_beside_greedy_ones(self):
        """In one of the rounds, at least: in all of them only a server that lets others wait is too slow."""
        s = self.one()
        stop = threading.Event()
        self.addCleanup(stop.set)
        greed = frame(wire.question("big.a.test", "TXT")) * 200
        for i, octets in enumerate([greed] * 12 + [frame(wire.question("www.a.test"))[:20]] * 30):
            threading.Thread(target=self.pester, args=(s, "127.0.1.%d" % (i + 1), octets, stop), daemon=True).start()
        worst, until = [], time.monotonic() + server.PATIENCE
        while not worst or (worst[-1] >= 0.1 and time.monotonic() < until):
            times = []
            c = self.connect(s)
            for i in range(100):
                began = time.monotonic()
                self.assertEqual(self.ask(c if i % 2 else self.connect(s)).status, "NOERROR")
                times.append(time.monotonic() - began)
            worst.append(sorted(times)[98])
        self.assertLess(worst[-1], 0.1, worst)

    def pester(self, s, source, octets, stop):
        """Ask without reading, or send half of a question, and come again when thrown out."""
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", s.port), 1, (source, 0)) as c:
                    c.settimeout(0.1)
                    while not stop.is_set():
                        try:
                            c.sendall(octets)
                        except TimeoutError:
                            pass
                        stop.wait(0.02)
            except OSError:
                stop.wait(0.02)

    def test_a_storm_of_resets(self):
        """RSTORM=100000 for the long form."""
        s, chance = self.one("tcp-clients 50;"), random.Random(7)
        question = frame(wire.question("big.a.test", "TXT"))
        for _ in range(int(os.environ.get("RSTORM", "1500"))):
            with socket.create_connection(("127.0.0.1", s.port), server.PATIENCE) as c:
                if chance.random() < 0.7:
                    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                c.sendall((question * chance.randrange(20))[:chance.randrange(1, 800)])
        self.assertEqual(self.ask(self.connect(s)).status, "NOERROR")
        self.assertNotIn("starting another", s.log())


if __name__ == "__main__":
    unittest.main()
