"""
Differences for IXFR: who takes away what went and adds what came has the zone that AXFR gives, whatever changed. Zones
without signatures, with NSEC and with NSEC3, beside a child zone that comes and goes. ROUNDS=200 for the long form.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers
import server
import signed
import wire

ROUNDS = int(os.environ.get("ROUNDS", "6"))
APEX = "a.test"


class Signer:
    """A zone's text signed; what did not change has the signatures that it had: RSA needs no chance."""

    def __init__(self, how):
        self.how, self.where = how, tempfile.TemporaryDirectory()
        if how:
            for flags in ([], ["-f", "KSK"]):
                subprocess.run([signed.KEYGEN, "-q", "-a", "RSASHA256", "-b", "1024", "-K", self.where.name] + flags + [APEX],
                               check=True, capture_output=True)

    def sign(self, text):
        if not self.how:
            return text
        with open(os.path.join(self.where.name, "zone"), "w") as f:
            f.write(text)
        subprocess.run([signed.SIGNZONE, "-S", "-K", self.where.name, "-o", APEX, "-O", "full", "-P", "-f", "signed",
                        "-s", "20200101000000", "-e", "20370101000000"] + signed.HOW[self.how] + ["zone"],
                       check=True, capture_output=True, cwd=self.where.name)
        with open(os.path.join(self.where.name, "signed")) as f:
            return f.read()


class Changes:
    """A zone that changes by chance: records, names, delegations, wildcards, times to live."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.lines = {}
        for i in range(40):
            self.change(i)

    def change(self, number):
        name = self.chance.choice(["h%d", "h%d.deep.er", "*.w%d", "Case%d", "ns.sub%d", "sub%d", "c", "x.ns.c"])
        name = name % number if "%" in name else name
        kind = self.chance.choice(["A 192.0.2.%d" % self.chance.randrange(250), "TXT \"%d\"" % number, "MX 5 h%d" % number])
        if name.startswith("sub") or name == "c":
            kind = self.chance.choice(["NS ns.%s" % name, "NS ns"])
        self.lines[number] = "%s %d %s\n" % (name, self.chance.choice([60, 60, 60, 300]), kind)

    def next(self):
        for _ in range(self.chance.randrange(1, 5)):
            if self.chance.random() < 0.4 and len(self.lines) > 20:
                del self.lines[self.chance.choice(list(self.lines))]
            self.change(self.chance.choice(list(self.lines) + [max(self.lines) + 1]))

    def text(self, serial):
        return server.SOA % serial + "c NS ns.c\nns.c A 192.0.2.20\n" + "".join(self.lines.values())


def ixfr(port, serial):
    """The records that answer it, in their order."""
    question = bytearray(wire.question(APEX, "IXFR"))
    question[8:10] = b"\0\1"
    soa = b"\0\0" + struct.pack(">5I", serial, 0, 0, 0, 0)
    question += b"\xc0\x0c" + struct.pack(">2HIH", 6, 1, 0, len(soa)) + soa
    return [record for message in peers.messages(port, bytes(question)) for record in message.answer]


def apply_ixfr(records, before):
    """RFC 1995: SOA, then old SOA, what went, new SOA, what came, ..., SOA. The zone that it makes of the one before."""
    assert records[0] == records[-1] and records[0][1] == "SOA", records
    zone, removing = set(before), False
    for record in records[1:-1]:
        if record[1] == "SOA":
            removing = not removing
        if removing:
            assert record in zone, "not there to be removed: %s" % (record,)
            zone.remove(record)
        else:
            assert record not in zone, "added twice: %s" % (record,)
            zone.add(record)
    return zone


class Differences(server.Test):
    def run_rounds(self, how, seed=1):
        signer, changes = Signer(how), Changes(seed)
        self.addCleanup(signer.where.cleanup)
        s = self.server({APEX: signer.sign(changes.text(1)), "b.test": server.SOA % 1}, "notify no; max-ixfr-ratio unlimited;")
        first = before = set(peers.transfer(s.port, APEX))
        for serial in range(2, ROUNDS + 2):
            changes.next()
            s.write(APEX + ".zone", signer.sign(changes.text(serial)))
            child = "c." + APEX
            if serial % 3 == 0 and s.zones.pop(child, None) is None:
                s.zones[child] = server.SOA % 1 + "x.ns TXT child\n"
                s.write(child + ".zone", s.zones[child])
            s.configure()
            s.reload()
            after = set(peers.transfer(s.port, APEX))
            records = ixfr(s.port, serial - 1)
            self.assertEqual(records[1][1], "SOA", "the whole zone, no differences")
            self.assertEqual(apply_ixfr(records, before), after)
            before = after
        records = ixfr(s.port, 1)
        if records[1][1] == "SOA":      # all steps are still there
            self.assertEqual(apply_ixfr(records, first), before)

    def test_not_signed(self):
        self.run_rounds(None)

    def test_signed(self):
        for how in signed.HOW if signed.SIGNZONE and signed.KEYGEN else ():
            with self.subTest(how):
                self.run_rounds(how, seed=len(how))


@unittest.skipUnless(peers.Bind.PROGRAM and signed.SIGNZONE and signed.KEYGEN, "needs BIND and its tools")
class WithBind(server.Test):
    def test_bind_follows_a_zone_with_nsec3(self):
        signer, changes = Signer("opt-out"), Changes(5)
        self.addCleanup(signer.where.cleanup)
        s = self.server({APEX: signer.sign(changes.text(1))}, "notify no; max-ixfr-ratio unlimited;")
        bind = peers.Bind({}, "zone %s { type secondary; file \"a.copy\"; primaries { 127.0.0.1 port %d; }; min-refresh-time 1;"
                          " max-refresh-time 1; };\n" % (APEX, s.port))
        self.addCleanup(bind.close)
        for serial in range(1, 5):
            server.wait_until(lambda: peers.serial(bind.soa(APEX)) == serial, "serial %d" % serial, lambda: s.log() + bind.log())
            self.assertEqual(set(peers.transfer(bind.port, APEX)), set(peers.transfer(s.port, APEX)))
            changes.next()
            s.write(APEX + ".zone", signer.sign(changes.text(serial + 1)))
            s.reload()
        s.wait("IXFR ended")
        self.assertNotIn("AXFR-style", s.log())


if __name__ == "__main__":
    unittest.main()
