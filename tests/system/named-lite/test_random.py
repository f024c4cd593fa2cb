"""
named-lite and BIND over zones made by chance, unsigned and signed: the same answers to questions made by chance, some
of them spoiled. SEEDS=20 QUESTIONS=2000 for the long form, FIRST=n begins elsewhere.
"""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import against
import random_zones
import server
import signed
import test_malformed
import wire

FIRST = int(os.environ.get("FIRST", "1"))
SEEDS = int(os.environ.get("SEEDS", "1"))
QUESTIONS = int(os.environ.get("QUESTIONS", "400"))
OPTIONS = ("", "minimal-responses no; max-udp-size 4096; edns-udp-size 4096;", "minimal-responses yes; minimal-any yes;",
           "minimal-responses no-auth; response-padding { any; } block-size 128; server-id \"me\";")


class Asker:
    """A socket for each server; answers are told apart by their ids."""

    def __init__(self, ports):
        self.sockets = []
        for port in ports:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.1", port))
            self.sockets.append(s)

    def ask(self, message):
        for s in self.sockets:
            s.send(message)
        # Where one answers the other does so, too, if it does at all.
        patience, answers = 0.15 if len(message) < 12 or message[2] & 0x80 else 2.0, []
        for s in self.sockets:
            answers.append(self.read(s, message[:2], patience))
        return answers

    def read(self, s, ident, patience):
        s.settimeout(patience)
        try:
            while True:
                octets = s.recv(65535)
                if octets[:2] == ident:
                    return octets
        except TimeoutError:
            return None

    def close(self):
        for s in self.sockets:
            s.close()


def in_one_case(octets):
    """Names in the data, too: where we point at the question's name, they have its case (RFC 4343 section 4.1)."""
    return str(test_malformed.with_options(octets)).lower()


def proves_more(a, b):
    """BIND proves nothing of a wildcard that is an empty non-terminal (RFC 4035 section 3.1.3.4)."""
    more = {str(r) for r in a.authority} - {str(r) for r in b.authority}
    return (a.status, sorted(a.answer)) == (b.status, sorted(b.answer)) and len(a.authority) > len(b.authority) and all(
        "NSEC" in r or "'RRSIG'" in r for r in more)


def is_for_want_of_room(message, a, b):
    """Proofs and addresses are as they are; who has more of them is sooner without room."""
    at = message.rfind(b"\0\0\x29")
    asked = max(int.from_bytes(message[at + 3:at + 5], "big"), 512) if at > 0 else 512
    if not any(limit - 300 < max(a.size, b.size) <= limit for limit in (asked, 1232, 4096)):
        return False
    if a.has("tc") and not b.has("tc"):
        return a.status == b.status
    return (a.status, sorted(a.answer), sorted(a.authority)) == (b.status, sorted(b.answer), sorted(b.authority))


def is_excused(message, ours, theirs):
    """What is repeated of a question that is none differs."""
    a, b = wire.Answer(ours), wire.Answer(theirs)
    if a.status == b.status == "FORMERR" and not a.question:
        return True
    if a.question and a.question[0][1] == 6 and a.status == b.status == "NOERROR":
        # With NSEC, BIND takes a wildcard that is an empty non-terminal for a name that is not there: zero-no-soa-ttl.
        for each in (a, b):
            each.authority[:] = [(owner, kind, 0, data) for owner, kind, ttl, data in each.authority]
        if str(a.same()).lower() == str(b.same()).lower():
            return True
    return bool(a.question and b.question) and (against.is_excused(ours, theirs) or proves_more(a, b) or
                                               is_for_want_of_room(message, a, b))


@unittest.skipUnless(against.NAMED and signed.SIGNZONE and signed.KEYGEN, "needs BIND and its tools")
class Random(server.Test):
    def compare(self, seed, how):
        made = random_zones.Zones(seed)
        zones = signed.sign(made.zones, how) if how else made.zones
        ours = self.server(zones, options="check-names master ignore; " + OPTIONS[seed % len(OPTIONS)])
        bind = against.Bind(ours)
        asker = Asker((ours.port, bind.port))
        different = []
        try:
            self.assertNotIn("not loaded", ours.log())
            for message in made.questions(QUESTIONS):
                a, b = asker.ask(message)
                if in_one_case(a) != in_one_case(b) and not (a and b and is_excused(message, a, b)):
                    different.append("%s\n  ours %s\n  BIND %s\n" % (message.hex(), against.show(a), against.show(b)))
        finally:
            asker.close()
            bind.close()
            ours.close()
        self.assertNotIn("killed by signal", "\n".join(different))
        self.assertEqual("%d differ\n" % len(different) + "\n".join(different), "0 differ\n")

    def run_seeds(self, how):
        for seed in range(FIRST, FIRST + SEEDS):
            with self.subTest(seed=seed, how=how):
                self.compare(seed, how)

    def test_not_signed(self):
        self.run_seeds(None)

    def test_nsec(self):
        self.run_seeds("nsec")

    def test_nsec3(self):
        self.run_seeds("nsec3")

    def test_opt_out(self):
        self.run_seeds("opt-out")


if __name__ == "__main__":
    unittest.main()
