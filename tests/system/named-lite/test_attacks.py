"""
What attackers do to name servers, D1 to D12, each with the service beside it unharmed.

Malformed messages and options, D1, D2 and D4, are also in test_malformed, beside BIND, and in the fuzzers; floods by
UDP, D5, in test_rate; connections, D6 and D7, in test_tcp; zone files, D8, in test_tools and the fuzzer of zones; chains and
wildcards, D9, in test_against_bind and test_random; transfers, D11, and deaths, D12, in test_transfers.
"""

import os
import random
import signal
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import malformed
import server
import wire

HEAD = struct.pack(">6H", 1, 0, 1, 0, 0, 0)
ASK = struct.pack(">2H", 1, 1)


class Attacks(server.Test):
    def one(self, zones=None, options="", processes="1"):
        return self.server(zones or {"a.test": server.SOA % 1 + "www A 192.0.2.1\n"}, options, arguments=["-n", processes])

    def assert_well(self, s):
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        self.assertEqual(s.tcp("ns.a.test").status, "NOERROR")
        self.assertNotIn("starting another", s.log())

    def test_d1_pointers(self):
        s = self.one()
        loops = [b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xc0\x00", b"\xc0\xff", b"\xff\xff", b"\3www\xc0\x0c",
                 b"".join(b"\xc0" + bytes([14 + 2 * i]) for i in range(100)) + b"\0"]
        for name in loops:
            self.assertEqual(wire.ask_udp(s.port, HEAD + name + ASK)[3] & 15, 1, name.hex())
            record = name + struct.pack(">2HIH", 1, 1, 0, 0)
            in_record = struct.pack(">6H", 1, 0, 1, 1, 0, 0) + wire.pack_name("a.test") + ASK + record
            self.assertIn(wire.ask_udp(s.port, in_record)[3] & 15, (0, 1))
        chain = struct.pack(">6H", 1, 0, 1, 0, 0, 500) + wire.pack_name("a.test") + ASK
        for i in range(500):        # each points at the one before
            chain += (b"\1a" + struct.pack(">H", 0xc00c if i == 0 else 0xc000 | len(chain) - 14) +
                      struct.pack(">2HIH", 1, 1, 0, 0))
        wire.ask_tcp(s.port, chain)
        self.assert_well(s)

    def test_d2_d4_everything_that_nobody_sends(self):
        s, chance = self.one(), random.Random(4)
        messages = list(malformed.requests())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            for message in messages:
                u.sendto(message, ("127.0.0.1", s.port))
                spoiled = bytearray(message)
                for _ in range(3 if spoiled else 0):
                    spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
                u.sendto(bytes(spoiled), ("127.0.0.1", s.port))
        self.assert_well(s)

    def test_d3_answers_as_large_as_they_get(self):
        for count in (100, 300, 1500, 5000):
            zone = server.SOA % 1 + "".join("big TXT \"%s%d\"\n" % ("x" * 40, i) for i in range(count))
            zone += "".join("mx MX %d a.name.that.is.not.so.short-%d.\n" % (i, i) for i in range(count))
            s = self.one({"a.test": zone}, "max-records-per-type 0;")
            for name, kind in (("big.a.test", "TXT"), ("mx.a.test", "MX"), ("big.a.test", "ANY")):
                self.assertTrue(s.udp(name, kind).has("tc"))
                answer = s.tcp(name, kind)      # which reads every pointer
                self.assertIn(len(answer.answer), (0, count))
                self.assertEqual(answer.has("tc"), len(answer.answer) == 0)
            self.assert_well(s)

    def test_d5_little_is_amplified(self):
        s = self.one({"a.test": server.SOA % 1 + "".join("big TXT \"%s%d\"\n" % ("x" * 200, i) for i in range(90))},
                     "minimal-any yes;")
        for kind in ("ANY", "TXT", "SOA", "NS"):
            question = wire.question("big.a.test", kind, edns=65535, do=True)
            self.assertLessEqual(len(wire.ask_udp(s.port, question)), 1232)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:     # an answer is no question
            u.settimeout(0.2)
            u.sendto(wire.ask_udp(s.port, wire.question("a.test", "SOA")), ("127.0.0.1", s.port))
            self.assertRaises(TimeoutError, u.recv, 4096)
        self.assert_well(s)

    @unittest.skipUnless(os.geteuid() == 0, "needs root: forged packets")
    def test_d5_from_no_port_and_from_ourselves(self):
        s = self.one()
        question = wire.question("a.test", "SOA")
        answer = wire.ask_udp(s.port, question)
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            for source in (0, s.port):
                for message in (question, answer, question[:11], question[:20]):
                    raw.sendto(struct.pack(">4H", source, s.port, 8 + len(message), 0) + message, ("127.0.0.1", 0))
        self.assert_well(s)

    def test_d6_d7_beside_a_good_client(self):
        s, chance, over = self.one(options="tcp-clients 100;"), random.Random(6), threading.Event()
        frame = lambda m: struct.pack(">H", len(m)) + m

        def attack():
            held = []
            while not over.is_set():
                try:
                    c = socket.create_connection(("127.0.0.1", s.port), 1, ("127.0.0.%d" % chance.randrange(2, 9), 0))
                    c.settimeout(0.01)
                    c.sendall(chance.choice([b"", b"\0", b"\xff\xff", frame(wire.question("www.a.test")) * 400]))
                    held.append(c)
                except OSError:
                    pass
                if len(held) > 300:
                    held.pop(chance.randrange(len(held))).close()
            for c in held:
                c.close()

        attacker = threading.Thread(target=attack)
        attacker.start()
        try:
            good = 0
            for _ in range(100):
                try:
                    answer = s.tcp("www.a.test")
                    good += answer is not None and answer.status == "NOERROR"
                except OSError:
                    pass        # when all who are there did something just now, one of them has to go
            self.assertGreater(good, 50)        # slow askers among them
        finally:
            over.set()
            attacker.join()
        self.assert_well(s)

    def test_d9_chains_loops_and_wildcards_end(self):
        star = "".join("*%s TXT here\n" % "".join(".l%d" % i for i in range(n)) for n in range(12))
        zone = (server.SOA % 1 + "".join("c%d CNAME c%d\n" % (i, i + 1) for i in range(100)) + "a CNAME b\nb CNAME a\nself CNAME self\n"
                "d DNAME e\ne DNAME d\nin DNAME x.in\nlong DNAME %s\n" % ".".join(["l" * 60] * 3) + star)
        s = self.one({"a.test": zone})
        for name, status, most in (("c0", "SERVFAIL", 16), ("a", "SERVFAIL", 16), ("self", "SERVFAIL", 16), ("x.d", "SERVFAIL", 34),
                                   ("x.in", "SERVFAIL", 34), (".".join(["m" * 30] * 3) + ".long", "YXDOMAIN", 2)):
            for ask in (s.udp, s.tcp):
                answer = ask(name + ".a.test", "TXT", edns=1232)
                self.assertEqual(answer.status, status, name)
                self.assertLessEqual(len(answer.answer), most, name)
        for n in range(12):     # a wildcard at each label, and a name that has to pass all of them
            self.assertEqual(s.udp("x." + "".join("l%d." % i for i in range(n)) + "a.test", "TXT").answer[0][1], "TXT")
        self.assert_well(s)

    def test_d10_many_records_at_a_name(self):
        many = "".join("t TXT \"%d\"\n" % i for i in range(101))
        kinds = "".join("k TYPE%d \\# 0\n" % (65280 + i) for i in range(101))
        s = self.one({"a.test": server.SOA % 1 + "www A 192.0.2.1\n", "b.test": server.SOA % 1 + many, "c.test": server.SOA % 1 + kinds})
        self.assertEqual([s.udp("ns.%s.test" % z).status for z in "abc"], ["NOERROR", "SERVFAIL", "SERVFAIL"])
        self.assert_well(s)

    def test_d10_many_names_and_labels(self):
        zone = server.SOA % 1 + "".join("%s%d A 192.0.2.1\n" % ("a" * (i % 50), i) for i in range(3000))
        zone += ".".join("l" for _ in range(120)) + " A 192.0.2.2\n"
        s = self.one({"a.test": zone})
        for name in (".".join("l" for _ in range(120)), ".".join("m" for _ in range(120)), "x." + ".".join("l" for _ in range(119))):
            self.assertIn(s.udp(name + ".a.test").status, ("NOERROR", "NXDOMAIN"))

    def test_d11_strangers_get_no_zone_and_change_none(self):
        s = self.one(options="allow-transfer { none; };")
        self.assertEqual(s.tcp("a.test", "AXFR").status, "REFUSED")
        for octets in (b"", b"\0", b"\0" * 16, b"\xff" * 40):        # a signature that is none
            tsig = b"\1k\0" + struct.pack(">2HIH", 250, 255, 0, len(octets)) + octets
            signed = bytearray(wire.question("a.test", "AXFR") + tsig)
            signed[11] = 1
            self.assertEqual(wire.ask_tcp(s.port, bytes(signed))[3] & 15, 1)
        update = struct.pack(">6H", 1, 5 << 11, 1, 0, 0, 0) + wire.pack_name("a.test") + struct.pack(">2H", 6, 1)
        self.assertEqual(wire.ask_udp(s.port, update)[3] & 15, 5)
        self.assert_well(s)

    def test_d12_serials_never_go_back_while_orders_pile_up(self):
        """RELOADS=800 for the long form. A reload has the answerers told of more than its zones."""
        s, seen, stop = self.one(processes="3"), [], threading.Event()

        def ask():
            highest = 0
            while not stop.is_set():
                answer = s.udp("a.test", "SOA")
                found = answer and int(answer.answer[0][3].split()[2][:8], 16)
                if answer is None or found < highest:
                    seen.append((highest, found))
                highest = max(highest, found or 0)
        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for serial in range(2, int(os.environ.get("RELOADS", "40"))):
            s.write("next", server.SOA % serial + "www A 192.0.2.1\n")
            os.rename(s.directory + "/next", s.directory + "/a.test.zone")
            s.process.send_signal(signal.SIGHUP)
            time.sleep(0.03)
        stop.set()
        for asker in askers:
            asker.join()
        self.assertEqual(seen, [])

    def test_d12_reloads_and_kills(self):
        """KILLS=500 for the long form."""
        s, chance, serial = self.one(processes="2"), random.Random(12), 1
        highest, missed = 0, 0
        for i in range(int(os.environ.get("KILLS", "12"))):
            serial += 1
            whole = server.SOA % serial + "www A 192.0.2.1\n"
            s.write("a.test.zone", whole if chance.random() < 0.7 else whole[:chance.randrange(60)])
            s.process.send_signal(signal.SIGHUP)
            if chance.random() < 0.5:
                children = s.children()
                if children:
                    try:
                        os.kill(chance.choice(children), signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            for _ in range(5):
                octets = wire.ask_udp(s.port, wire.question("a.test", "SOA"), 2)
                answer = octets and wire.Answer(octets)
                if answer is None:      # lost with the process that had it: the asker asks again
                    missed += 1
                    continue
                self.assertEqual(answer.status, "NOERROR")
                found = int(answer.answer[0][3].split()[2][:8], 16)
                self.assertGreaterEqual(found, highest)
                highest = max(highest, found)
        self.assertLess(missed, 20)
        s.write("a.test.zone", server.SOA % (serial + 1))
        server.wait_until(lambda: s.process.send_signal(signal.SIGHUP) or all(
            "%08x" % (serial + 1) in str(a and a.answer) for a in [s.udp("a.test", "SOA") for _ in range(8)]),
            "the last serial", s.log)


if __name__ == "__main__":
    unittest.main()
