"""rate-limit: floods are thinned out, whoever shows that he is there is not."""

import os
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import against
import server
import wire

ZONES = {"a.test": server.SOA % 1 + "www A 192.0.2.1\nother A 192.0.2.2\n*.wild A 192.0.2.3\nsub NS ns.sub\n"
         "ns.sub A 192.0.2.4\n"}


class Rate(server.Test):
    def flood(self, s, names, kind="A", source="127.0.0.1", options=None):
        """How many answers of each sort come back."""
        got, began = {"whole": 0, "cut": 0}, time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            u.bind((source, 0))
            u.settimeout(1)
            for name in names:
                how = {} if options is None else {"edns": 1232, "options": options}
                u.sendto(wire.question(name, kind, **how), ("127.0.0.1", s.port))
            got["seconds"] = time.monotonic() - began
            try:
                while True:
                    answer = wire.Answer(u.recv(4096))
                    got["cut" if answer.has("tc") or answer.status == "BADCOOKIE" else "whole"] += 1
            except TimeoutError:
                return got

    def limited(self, more="", zones=ZONES):
        return self.server(zones, "rate-limit { responses-per-second 10; window 5; %s };" % more)

    def assert_thinned(self, got, sent, slip=2, rate=10):
        """At most two seconds' worth passed; of the rest one in `slip` was cut short."""
        self.assertLessEqual(got["whole"], (3 + got["seconds"]) * rate)
        self.assertGreaterEqual(got["whole"], rate)
        refused = sent - got["whole"]
        self.assertAlmostEqual(got["cut"], refused / slip if slip else 0, delta=2)

    def test_equal_answers_are_thinned_out(self):
        s = self.limited()
        self.assert_thinned(self.flood(s, ["www.a.test"] * 200), 200)
        self.assertEqual(self.flood(s, ["other.a.test"] * 5)["whole"], 5)      # another answer
        self.assertEqual(s.tcp("www.a.test").status, "NOERROR")
        s.wait("limit responses to 127.0.0.0/24")

    @unittest.skipUnless(against.NAMED, "BIND is not installed")
    def test_beside_bind(self):
        """As many whole answers, and as many cut short, as far as a second's end in a flood leaves it open."""
        s = self.limited()
        bind = against.Bind(s)
        self.addCleanup(bind.close)
        for names in (["www.a.test"] * 100, ["x%d.a.test" % i for i in range(100)],
                      ["x%d.wild.a.test" % i for i in range(100)]):
            for one in (s, bind):
                with self.subTest(names=names[:2], one=type(one).__name__):
                    got = self.flood(one, names)
                    self.assertLessEqual(got["whole"], (3 + got["seconds"]) * 10)
                    self.assertGreaterEqual(got["whole"], 9)
                    self.assertAlmostEqual(got["cut"], (100 - got["whole"]) / 2, delta=6)

    def test_other_networks_are_not_concerned(self):
        s = self.limited("ipv4-prefix-length 32;")
        self.flood(s, ["www.a.test"] * 100)
        self.assertEqual(self.flood(s, ["www.a.test"] * 5, source="127.0.0.2")["whole"], 5)

    def test_names_without_number_are_one(self):
        s = self.limited()
        for pattern in ("x%d.a.test", "x%d.wild.a.test", "x%d.sub.a.test"):
            self.assert_thinned(self.flood(s, [pattern % i for i in range(200)]), 200)

    def test_slip(self):
        for slip in (0, 1, 5):
            self.assert_thinned(self.flood(self.limited("slip %d;" % slip), ["www.a.test"] * 200), 200, slip)

    def test_each_kind_has_its_limit(self):
        s = self.limited("nxdomains-per-second 0; errors-per-second 20;")
        self.assertEqual(self.flood(s, ["x.a.test"] * 100)["whole"], 100)
        self.assert_thinned(self.flood(s, ["elsewhere.test"] * 200), 200, rate=20)

    def test_all_together(self):
        s = self.server(ZONES, "rate-limit { all-per-second 10; };")
        self.assert_thinned(self.flood(s, ["%s.a.test" % n for n in ("www", "other", "x", "y")] * 50), 200)

    def test_who_is_exempt_and_who_only_logs(self):
        self.assertEqual(self.flood(self.limited("exempt-clients { 127.0.0.1; };"), ["www.a.test"] * 100)["whole"], 100)
        s = self.limited("log-only yes;")
        self.assertEqual(self.flood(s, ["www.a.test"] * 100)["whole"], 100)
        s.wait("would limit responses to 127.0.0.0/24")

    def test_a_cookie_lets_through(self):
        s = self.limited()
        ask = struct.pack(">2H", 10, 8) + b"12345678"
        got = self.flood(s, ["www.a.test"] * 200, options=ask)
        self.assert_thinned(got, 200)       # those cut short say BADCOOKIE
        octets = s.udp("www.a.test", edns=1232, options=ask) or s.tcp("www.a.test", edns=1232, options=ask)
        cookie = octets.opt[3][4:28]
        good = struct.pack(">2H", 10, 24) + cookie
        self.assertEqual(self.flood(s, ["www.a.test"] * 100, options=good)["whole"], 100)

    def test_all_processes_have_one_account(self):
        s = self.server(ZONES, "rate-limit { responses-per-second 10; window 5; };", arguments=["-n", "4"])
        whole, began = 0, time.monotonic()
        for _ in range(20):         # each from another port, so that all processes have their part
            whole += self.flood_quietly(s, 10)
        self.assertLessEqual(whole, 10 * (3 + time.monotonic() - began))

    def flood_quietly(self, s, count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.settimeout(0.05)
            for _ in range(count):
                u.sendto(wire.question("www.a.test"), ("127.0.0.1", s.port))
            got = 0
            try:
                while True:
                    got += not wire.Answer(u.recv(4096)).has("tc")
            except TimeoutError:
                return got
