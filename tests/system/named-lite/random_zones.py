"""
Zones made by chance, of few labels so that wildcards, empty non-terminals, cuts, DNAMEs and chains meet, and
questions to them by chance: names, types, classes, EDNS, cookies, and messages with octets that were changed.
"""

import random
import struct

import wire

APEXES = ("r.test", "k.r.test", "q.test")
LABELS = ("a", "b", "c", "d", "E", "*", "*", "ns", "t")
TYPES = ("A", "A", "AAAA", "MX", "TXT", "NS", "SOA", "CNAME", "DNAME", "DS", "ANY", "SRV", "PTR", "HTTPS", "NSEC",
         "RRSIG", "DNSKEY", 51, 50, 999, "MAILA", "MAILB", 249, 0, 41)
SOA = "$TTL 300\n@ SOA ns host 1 3600 900 604800 %d\n@ NS ns\n@ NS ns.e.example.\n@ MX 5 a\nns A 192.0.2.1\nns AAAA 2001:db8::1\n"


class Zones:
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.taken = {}         # what stands at a name: names with CNAME have nothing else
        self.owners = []
        self.zones = {apex: self.zone(apex) for apex in APEXES}

    def labels(self):
        return ".".join(self.chance.choice(LABELS) for _ in range(self.chance.choice((1, 1, 2, 2, 3, 4))))

    def target(self, apex):
        other = self.chance.choice((apex, apex, apex, apex, "r.test", "k.r.test", "q.test", "example.org"))
        return "%s.%s." % (self.labels(), other) if self.chance.random() < 0.97 else other + "."

    def server(self, apex, name):
        """No server's name is an alias: such a zone is refused."""
        own = self.taken.setdefault((apex, "ns." + name.lower()), set())
        if "CNAME" in own:
            return "ns.%s." % apex
        own.add("A")
        return self.chance.choice(("ns.%s.%s." % (name, apex), "ns.%s.%s." % (name, apex), "ns.%s." % apex, "ns.t.example.",
                                   "ns.q.test."))

    def record(self, apex, name):
        kind = self.chance.choice(("A", "A", "A", "AAAA", "TXT", "TXT", "MX", "SRV", "CNAME", "CNAME", "CNAME", "NS", "NS",
                                   "DNAME", "HTTPS"))
        has = self.taken.setdefault((apex, name.lower()), set())
        if "CNAME" in has or (kind in ("CNAME", "DNAME") and (has - {"A", "TXT"} or (kind == "CNAME" and has))) or (
                kind == "NS" and ("DNAME" in has or name.startswith("*"))):
            return ""
        has.add(kind)
        number = self.chance.randrange(250)
        target = self.target(apex)
        data = {"A": "192.0.2.%d" % number, "AAAA": "2001:db8::%x" % number, "TXT": '"%s"' % ("x" * self.chance.choice((1, 9, 200))),
                "MX": "%d %s" % (number, target), "SRV": "0 0 25 %s" % target, "CNAME": target, "DNAME": target,
                "HTTPS": "1 %s alpn=h2" % self.chance.choice((".", target)),
                "NS": self.server(apex, name) if kind == "NS" else ""}[kind]
        lines = ["%s %d %s %s\n" % (name, self.chance.choice((60, 300)), kind, data)]
        if kind == "NS":
            for glue in self.chance.sample(("A 192.0.2.77", "AAAA 2001:db8::77"), self.chance.randrange(3)):
                if "CNAME" not in self.taken[apex, "ns." + name.lower()]:
                    lines.append("ns.%s %s\n" % (name, glue))
            if self.chance.random() < 0.4:
                lines.append("%s DS 1 13 2 %s\n" % (name, "AB" * 32))
        return "".join(lines)

    def zone(self, apex):
        text = [SOA % self.chance.choice((60, 900))]
        self.taken[apex, "ns"] = {"A", "NS"}        # a name server is no alias
        for _ in range(self.chance.randrange(15, 45)):
            name = self.labels()
            for _ in range(self.chance.choice((1, 1, 1, 2, 4))):
                text.append(self.record(apex, name))
            self.owners.append("%s.%s" % (name, apex))
        return "".join(text)

    def name(self):
        owner = self.chance.choice(self.owners)
        way = self.chance.random()
        if way < 0.35:
            return owner
        if way < 0.55:
            return "%s.%s" % (self.chance.choice(LABELS + ("x", "*", "0", "~z")), owner)
        if way < 0.7:
            return owner.split(".", 1)[1]
        if way < 0.75:
            return "ns." + owner
        if way < 0.78:
            return self.chance.choice(APEXES + ("test", "example.org", "."))
        return "%s.%s" % (self.labels(), self.chance.choice(APEXES))

    def options(self):
        chosen = self.chance.random()
        if chosen < 0.7:
            return b""
        code = self.chance.choice((3, 8, 10, 10, 11, 12, 15, 65001))
        octets = bytes(self.chance.randrange(256) for _ in range(self.chance.choice((0, 0, 2, 8, 8, 16, 24, 33))))
        if code == 8:
            octets = b"\0\1\x18\0\x0a\0\1"[:self.chance.choice((7, 7, 7, 5, 2))]
        return struct.pack(">2H", code, len(octets)) + octets

    def question(self):
        name = "".join(c.upper() if self.chance.random() < 0.1 else c for c in self.name())
        kind = self.chance.choice(TYPES) if self.chance.random() < 0.97 else self.chance.randrange(65536)
        if kind in (250, 251, 252):     # transfers have tests of their own
            kind = 16
        edns = self.chance.choice((None, 1232, 1232, 4096, 512, 0, 700, 900, 65535))
        return wire.question(name, kind, edns=edns, do=self.chance.random() < 0.6, recursion=self.chance.random() < 0.3,
                             cls=self.chance.choice((1,) * 60 + (4, 254, 255, 0, 5, 1000)),
                             options=self.options() if edns is not None else b"",
                             version=self.chance.choice((0,) * 40 + (1,)), ident=self.chance.randrange(65536),
                             flags=self.chance.choice((0,) * 20 + (0x10, 0x20, 0x40, 0x80, 0x200, 0x400)),
                             opcode=self.chance.choice((0,) * 50 + (1, 2, 3, 4, 5, 6, 15)))

    def spoiled(self):
        """A question of which some octets are others, or gone, or more."""
        message = bytearray(self.question())
        for _ in range(self.chance.randrange(1, 4)):
            way, at = self.chance.randrange(4), self.chance.randrange(2, len(message) or 3)
            if way < 2:
                message[at:at + 1] = bytes([self.chance.choice((0, 1, 2, 0x3f, 0x40, 0xc0, 0xff, self.chance.randrange(256)))])
            elif way == 2:
                del message[at:at + self.chance.randrange(1, 3)]
            else:
                message[at:at] = bytes(self.chance.randrange(256) for _ in range(self.chance.randrange(1, 5)))
            if len(message) < 4:
                break
        return bytes(message)

    def questions(self, count, spoiled=0.08):
        for _ in range(count):
            yield self.spoiled() if self.chance.random() < spoiled else self.question()
