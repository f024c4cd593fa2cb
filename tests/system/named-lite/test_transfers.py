"""Zones from one server to another: ours to ours, and with BIND, Knot and NSD either way where they are installed."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers
import server
import wire

OURS = os.path.join(server.BUILD, "bin", "postroad-rndc")
QUICK = "min-retry-time 1; max-retry-time 1; min-refresh-time 1; notify-delay 0;"


def zone(serial, more="", hosts=400):
    return ("$TTL 300\n@ SOA ns host %d 3600 900 604800 300\n@ NS ns\n@ MX 5 ns\nns A 192.0.2.1\n"
            "t TXT \"a b\" \"\\\"q\\\"\"\n_s._tcp SRV 1 2 3 ns\nalias CNAME ns\n*.w A 192.0.2.9\nx.y.z TYPE999 \\# 2 abcd\n"
            "sub NS ns.sub\nns.sub A 192.0.2.7\n%s" % (serial, more) +
            "".join("h%d A 10.0.0.1\n" % n for n in range(hosts)))


class Transfers(server.Test):
    def add(self, peer):
        self.addCleanup(peer.close)
        return peer

    def serial(self, s, name="a.test", patience=0.5):
        return peers.serial(wire.ask_udp(s.port, wire.question(name, "SOA"), patience))

    def wait_serial(self, s, wanted, name="a.test"):
        server.wait_until(lambda: self.serial(s, name) == wanted, "serial %d" % wanted, s.log)

    def secondary(self, primary_port, statements="", key="", options="", **more):
        return self.server({}, QUICK + options, peers.KEY + "zone a.test { type secondary; file \"a.copy\"; "
                           "primaries { 127.0.0.1 port %d %s; }; %s };\n" % (primary_port, key, statements), **more)

    def primary(self, statements="", text=None, options="", more=""):
        s = self.server({"x.test": server.SOA % 1}, "notify explicit;" + QUICK + options, peers.KEY + more +
                        "zone a.test { type primary; file \"a.zone\"; %s };\n" % statements, start=False)
        s.write("a.zone", text or zone(1))
        s.start()
        s.wait("running")
        return s

    def same(self, one, other):
        self.assertEqual(sorted(set(peers.transfer(one, "a.test"))), sorted(set(peers.transfer(other, "a.test"))))


class Ours(Transfers):
    def test_a_zone_and_its_changes(self):
        port = server.free_port()
        primary = self.primary("also-notify { 127.0.0.1 port %d; };" % port)
        s = self.secondary(primary.port, start=False)
        s.port = port
        s.configure()
        s.start()
        self.wait_serial(s, 1)
        self.same(s.port, primary.port)
        for serial in (2, 3, 0x7fffffff, 0xfffffffe, 5):        # round the corner, too (RFC 1982)
            primary.write("a.zone", zone(serial, "new%d A 192.0.2.3\n" % serial))
            primary.reload()
            self.wait_serial(s, serial)
        self.same(s.port, primary.port)
        primary.wait("IXFR ended")
        self.assertEqual(s.udp("new3.a.test").status, "NXDOMAIN")

    def test_the_copy_serves_without_a_primary_until_it_expires(self):
        primary = self.primary(text=zone(7).replace("604800", "8"))
        s = self.secondary(primary.port)
        self.wait_serial(s, 7)
        primary.process.terminate()
        primary.process.wait()
        s.process.kill()
        s.process.wait()
        s.start()
        self.wait_serial(s, 7)
        # A question to one who was killed is lost, if his socket is there a moment longer.
        server.wait_until(lambda: (answer := s.udp("a.test", "SOA")) and answer.status == "SERVFAIL", "expiry", s.log)
        s.wait("zone a.test/IN: expired")
        primary.start()
        self.wait_serial(s, 7)

    def test_what_a_child_hides_is_part_of_its_parent(self):
        parent = zone(1, "c NS ns.c\nns.c A 192.0.2.20\nx.ns.c TXT hidden\n")
        s = self.server({"a.test": parent, "c.a.test": server.SOA % 1})
        records = {record[:2] for record in peers.transfer(s.port, "a.test")}
        self.assertLessEqual({("c.a.test.", "NS"), ("ns.c.a.test.", "A"), ("x.ns.c.a.test.", "TXT")}, records)
        self.assertEqual(s.udp("x.ns.c.a.test", "TXT").status, "NXDOMAIN")
        self.assertEqual(s.udp("ns.c.a.test").answer[0][3], "192.0.2.1")
        s.write("a.test.zone", "broken")
        s.reload()                      # now the parent is what was served
        self.assertEqual({record[:2] for record in peers.transfer(s.port, "a.test")}, records)

    def test_one_answer_a_message(self):
        text = zone(1, "m TXT a\nm TXT b\nm MX 1 ns\n")
        one = self.primary(text=text, options="transfer-format one-answer;")
        many = self.primary(text=text, more="server 127.0.0.9 { transfer-format one-answer; };")
        self.same(one.port, many.port)
        for s, is_single in ((one, True), (many, False)):
            list(peers.transfer(s.port, "a.test"))
            s.wait("AXFR ended: ", 1)
            messages, records = re.search(r"AXFR ended: (\d+) messages, (\d+) records", s.log()).groups()
            self.assertEqual(messages, records if is_single else "1")
        s = self.secondary(one.port)
        self.wait_serial(s, 1)
        self.same(s.port, one.port)

    def test_where_a_zone_may_be_asked_for(self):
        s = self.server({"a.test": server.SOA % 1}, "allow-query-on { !127.0.0.1; any; };",
                        'zone "b.test" { type primary; file "a.test.zone"; allow-query-on { 127.0.0.1; }; };')
        self.assertEqual(s.udp("ns.a.test").status, "REFUSED")
        self.assertEqual(s.tcp("ns.a.test").status, "REFUSED")
        self.assertEqual(s.udp("ns.b.test").status, "NOERROR")
        self.assertEqual(s.tcp("ns.b.test").status, "NOERROR")

    def test_a_primary_whose_key_is_missing_is_passed_over(self):
        primary = self.primary()
        s = self.server({}, QUICK, 'zone a.test { type secondary; file "a.copy"; primaries { 127.0.0.1 port %d key no; '
                        '127.0.0.1 port %d; }; };\n' % (primary.port, primary.port))
        self.wait_serial(s, 1)
        self.assertIn("key 'no' is not defined: the servers with it are not talked to", s.log())

    def test_keys(self):
        primary = self.primary("allow-transfer { key k; };", more='key "other" { algorithm hmac-sha1; '
                               'secret "b3RoZXIgb3RoZXIgb3RoZXI="; };\n')
        s = self.secondary(primary.port, key="key k")
        self.wait_serial(s, 1)
        wrong = self.secondary(primary.port)
        wrong.wait("Transfer status: REFUSED")
        primary.wait("zone transfer 'a.test/AXFR/IN' denied")
        self.assertEqual(wrong.udp("a.test").status, "SERVFAIL")
        more = self.server({}, QUICK, peers.KEY.replace("c2Vj", "d2Vj") + "zone a.test { type secondary; "
                           "primaries { 127.0.0.1 port %d key k; }; };\n" % primary.port)
        more.wait("the server did not accept our signature")
        primary.wait("TSIG k: tsig verify failure (BADSIG)")

    def test_the_next_primary_is_asked(self):
        primary = self.primary()
        dead, lame = server.free_port(), self.server({"x.test": server.SOA % 1})
        s = self.server({}, QUICK, "remote-servers p { 127.0.0.1 port %d; 127.0.0.1 port %d; 127.0.0.1 port %d; };\n"
                        "zone a.test { type secondary; primaries { p; }; };\n" % (dead, lame.port, primary.port))
        self.wait_serial(s, 1)
        self.assertIn("failure trying primary 127.0.0.1#%d: connection refused" % dead, s.log())

    def test_transfers_go_on_from_what_was_served_when_they_began(self):
        primary = self.primary(text=zone(1, hosts=20000), options="tcp-clients 20;")
        question = wire.question("a.test", "AXFR")
        with socket.create_connection(("127.0.0.1", primary.port), server.PATIENCE) as c:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sendall(struct.pack(">H", len(question)) + question)
            first = wire.Answer(wire.read_tcp(c))
            for serial in (2, 3):
                primary.write("a.zone", zone(serial))
                primary.reload()
            self.wait_serial(primary, 3)
            records = list(first.answer)
            while sum(r[1] == "SOA" for r in records) < 2:
                records += wire.Answer(wire.read_tcp(c)).answer
        self.assertEqual(len(records), 20000 + 12)
        self.assertTrue(records[-1][3].split()[2].startswith("00000001"))


    @unittest.skipUnless(peers.find("dig"), "dig is not installed")
    def test_each_message_is_signed(self):
        primary = self.primary("allow-transfer { key k; };", text=zone(1, hosts=3000))
        for secret, wanted in ((peers.SECRET, "XFR size: 3012 records (messages "), ("d2Vj" + peers.SECRET[4:], "Transfer failed")):
            told = subprocess.run([peers.find("dig"), "@127.0.0.1", "-p", str(primary.port), "-y", "hmac-sha256:k:" + secret,
                                   "a.test", "AXFR"], capture_output=True, text=True, timeout=server.PATIENCE).stdout
            self.assertIn(wanted, told)
            self.assertEqual("Couldn't verify" in told, wanted == "Transfer failed")
            self.assertNotIn("messages 1,", told)


class Strangers(Transfers):
    """D11: what is not asked for by those who may is refused, and what comes has limits."""

    def test_notify_transfer_update(self):
        primary = self.primary("allow-transfer { none; };")
        self.assertEqual(primary.tcp("a.test", "AXFR").status, "REFUSED")
        self.assertEqual(primary.tcp("a.test", "IXFR").status, "FORMERR")
        self.assertEqual(primary.udp("a.test", "SOA", opcode=5).status, "REFUSED")
        s = self.server({}, QUICK, "zone a.test { type secondary; primaries { 192.0.2.1; }; allow-update-forwarding "
                        "{ none; }; };\n")
        self.assertEqual(s.udp("a.test", "SOA", opcode=4).status, "REFUSED")
        s.wait("refused notify from non-primary")
        self.assertEqual(s.udp("a.test", "SOA", opcode=5).status, "SERVFAIL")

    def primary_that_says(self, messages):
        """One connection's worth of octets; the SOA is asked for by UDP first."""
        port = server.free_port()
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.bind(("127.0.0.1", port))
        t = socket.create_server(("127.0.0.1", port))
        self.addCleanup(u.close)
        self.addCleanup(t.close)

        def answer_udp():
            while True:
                try:
                    octets, client = u.recvfrom(512)
                    u.sendto(octets[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + octets[12:] + messages.soa, client)
                except OSError:
                    return

        def answer_tcp():
            while True:
                try:
                    c, _ = t.accept()
                    with c:
                        question = wire.read_tcp(c)
                        for records, count in messages(question):
                            m = question[:2] + b"\x84\0" + struct.pack(">4H", 0, count, 0, 0) + records
                            c.sendall(struct.pack(">H", len(m)) + m)
                        c.recv(1)
                except OSError:
                    if t.fileno() == -1:
                        return
        for target in (answer_udp, answer_tcp):
            threading.Thread(target=target, daemon=True).start()
        return port

    def record(self, name, kind, rdata, cls=1):
        return wire.pack_name(name) + struct.pack(">2HIH", kind, cls, 300, len(rdata)) + rdata

    def soa(self, serial):
        return self.record("a.test", 6, wire.pack_name("ns.a.test") + wire.pack_name("h.a.test") +
                           struct.pack(">5I", serial, 3600, 900, 604800, 300))

    def fails(self, records, why, options=""):
        def messages(question):
            yield self.soa(5), 1
            for each in records:
                yield each, 1
        messages.soa = self.soa(5)
        s = self.secondary(self.primary_that_says(messages), options=options)
        s.wait(why)
        self.assertEqual(s.udp("a.test").status, "SERVFAIL")
        self.assertFalse(os.path.exists(s.directory + "/a.copy"))

    def test_what_a_primary_must_not_send(self):
        ns = self.record("a.test", 2, wire.pack_name("ns.a.test"))
        self.fails([ns, self.record("b.test", 1, b"abcd")], "a record is out of zone")
        self.fails([ns, self.record("x.a.test", 1, b"abc")], "malformed record")
        self.fails([ns, self.record("x.a.test", 1, b"abcd", 3)], "malformed record")
        self.fails([ns, self.record("a.test", 250, b"abcd")], "malformed record")
        self.fails([ns, self.soa(6)], "the last SOA is not the first")
        self.fails([self.record("x.a.test", 1, b"abcd"), self.soa(5)], "has no NS records")
        self.fails([b"\xc0\x0c"], "malformed message")

    def test_a_transfer_without_an_end(self):
        def endless():
            number = 0
            while True:
                number += 1
                yield self.record("h%d.a.test" % number, 1, b"abcd")
        self.fails(endless(), "too many records", options="max-records 1000;")


class Chaos(Transfers):
    """D12: processes die, files are half written; answers go on, and no serial number goes back."""

    def test_reload_and_kill(self):
        # One that answers: several change to a new image within a millisecond, not at once.
        s = self.server({"a.test": zone(1, hosts=3000)}, QUICK, arguments=["-n", "1"])
        seen, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                seen.append(self.serial(s, patience=server.PATIENCE))
        asker = threading.Thread(target=ask)
        asker.start()
        self.addCleanup(stop.set)
        for serial in range(2, 14):
            text = zone(serial, hosts=3000)
            if serial % 3 == 0:         # an editor that is still writing
                s.write("a.test.zone", text[:len(text) - 40] + "( ")
                s.process.send_signal(signal.SIGHUP)
                s.wait("serial %d is served on" % (serial - 1))
            s.write("a.test.zone", text)
            s.process.send_signal(signal.SIGHUP)
            if serial % 2 == 0:
                for pid in s.processes("loading") + s.processes("envoy"):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                s.process.send_signal(signal.SIGHUP)
            self.wait_serial(s, serial)
        stop.set()
        asker.join()
        self.assertEqual(seen.count(None), 0)
        self.assertEqual([pair for pair in zip(seen, seen[1:]) if pair[1] < pair[0]], [])


@unittest.skipUnless(peers.Bind.PROGRAM, "BIND is not installed")
class WithBind(Transfers):
    def test_bind_is_the_secondary(self):
        port = server.free_port()
        primary = self.primary("allow-transfer { key k; }; also-notify { 127.0.0.1 port %d; };" % port)
        bind = self.add(peers.Bind({}, "zone a.test { type secondary; file \"a.copy\"; masterfile-format text; "
                                   "primaries { 127.0.0.1 port %d key k; }; };\n" % primary.port, port))
        self.wait_serial(bind, 1)
        for serial in (2, 3):
            primary.write("a.zone", zone(serial, "new%d A 192.0.2.3\nt%d TXT x\n" % (serial, serial)))
            primary.reload()
            self.wait_serial(bind, serial)
        primary.wait("IXFR ended")
        s = self.secondary(bind.port)
        self.wait_serial(s, 3)
        self.assertEqual(sorted(set(peers.transfer(s.port, "a.test"))), sorted(set(peers.transfer(bind.port, "a.test"))))

    def test_bind_is_the_primary(self):
        port = server.free_port()
        bind = self.add(peers.Bind({"a.test": zone(1)}, "zone a.test { type primary; file \"a.test.zone\"; "
                                   "allow-transfer { key k; }; also-notify { 127.0.0.1 port %d; }; notify explicit; "
                                   "ixfr-from-differences yes; };\n" % port))
        s = self.secondary(bind.port, key="key k", start=False)
        s.port = port
        s.configure()
        s.start()
        self.wait_serial(s, 1)
        for serial in (2, 3):
            bind.write("a.test.zone", zone(serial, "new%d A 192.0.2.3\n" % serial))
            bind.reload()
            self.wait_serial(s, serial)
        self.assertIn("IXFR started", bind.log())
        self.assertEqual(s.udp("new3.a.test").status, "NOERROR")
        self.assertEqual(s.udp("new2.a.test").status, "NXDOMAIN")
        with open(s.directory + "/a.copy") as f:
            self.assertIn("new3.a.test.\t300\tIN\tA\t192.0.2.3\n", f.read())


@unittest.skipUnless(peers.Knot.PROGRAM, "Knot is not installed")
class WithKnot(Transfers):
    def test_knot_is_the_secondary(self):
        port = server.free_port()
        primary = self.primary("allow-transfer { key k; }; also-notify { 127.0.0.1 port %d; };" % port)
        knot = self.add(peers.Knot({}, "remote:\n  - id: p\n    address: 127.0.0.1@%d\n    key: k\n"
                                   "acl:\n  - id: n\n    address: 127.0.0.1\n    action: notify\n"
                                   "  - id: t\n    address: 127.0.0.1\n    action: transfer\n" % primary.port,
                                   "  - domain: a.test\n    master: p\n    acl: [n, t]\n", port))
        self.wait_serial(knot, 1)
        for serial in (2, 3):
            primary.write("a.zone", zone(serial, "new%d A 192.0.2.3\n" % serial))
            primary.reload()
            self.wait_serial(knot, serial)
        primary.wait("IXFR ended")
        self.assertEqual(len(peers.transfer(knot.port, "a.test")), 413)

    def test_knot_is_the_primary(self):
        port = server.free_port()
        knot = self.add(peers.Knot({"a.test": zone(1)}, "remote:\n  - id: s\n    address: 127.0.0.1@%d\n"
                                   "acl:\n  - id: t\n    key: k\n    action: transfer\n" % port,
                                   "  - domain: a.test\n    notify: s\n    acl: t\n"))
        s = self.secondary(knot.port, key="key k", start=False)
        s.port = port
        s.configure()
        s.start()
        server.wait_until(lambda: self.serial(s) == 1, "the zone", lambda: s.log() + knot.log())
        knot.write("a.test.zone", zone(2, "new2 A 192.0.2.3\n"))
        knot.reload()
        server.wait_until(lambda: self.serial(s) == 2, "the zone", lambda: s.log() + knot.log())
        self.assertEqual(s.udp("new2.a.test").status, "NOERROR")


@unittest.skipUnless(peers.Nsd.PROGRAM, "NSD is not installed")
class WithNsd(Transfers):
    def test_nsd_is_the_secondary(self):
        port = server.free_port()
        primary = self.primary("allow-transfer { key k; }; also-notify { 127.0.0.1 port %d key k; };" % port)
        nsd = self.add(peers.Nsd({}, "  name: a.test\n  zonefile: a.copy\n  allow-notify: 127.0.0.1 k\n"
                                 "  request-xfr: 127.0.0.1@%d k\n" % primary.port, port))
        self.wait_serial(nsd, 1)
        for serial in (2, 3):
            primary.write("a.zone", zone(serial, "new%d A 192.0.2.3\n" % serial))
            primary.reload()
            self.wait_serial(nsd, serial)
        self.assertIn("IXFR ended", primary.log())
        self.assertEqual(wire.Answer(wire.ask_udp(nsd.port, wire.question("new3.a.test"))).answer[0][3], "192.0.2.3")
        self.assertEqual(wire.Answer(wire.ask_udp(nsd.port, wire.question("new2.a.test"))).status, "NXDOMAIN")

    def test_nsd_is_the_primary(self):
        port = server.free_port()
        nsd = self.add(peers.Nsd({"a.test": zone(1)}, "  name: a.test\n  zonefile: a.test.zone\n  provide-xfr: 127.0.0.1 k\n"
                                 "  notify: 127.0.0.1@%d k\n  store-ixfr: yes\n  create-ixfr: yes\n" % port))
        s = self.secondary(nsd.port, key="key k", start=False)
        s.port = port
        s.configure()
        s.start()
        self.wait_serial(s, 1)
        for serial in (2, 3):
            nsd.write("a.test.zone", zone(serial, "new%d A 192.0.2.3\n" % serial))
            nsd.reload()
            server.wait_until(lambda: self.serial(s) == serial, "the zone", lambda: s.log() + nsd.log())
        self.assertEqual(s.udp("new3.a.test").status, "NOERROR")
        self.assertEqual(s.udp("new2.a.test").status, "NXDOMAIN")


if __name__ == "__main__":
    unittest.main()
