"""
named-lite and BIND 9.18 over the same nasty zones, signed and not: the same answers to thousands of questions.
EVERY=1 asks all of them, not every third.
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import against
import nasty
import server
import signed

EVERY = int(os.environ.get("EVERY", "3"))


@unittest.skipUnless(against.NAMED, "needs BIND")
class AgainstBind(server.Test):
    def compare(self, options="", tcp=False, zones=nasty.ZONES, questions=nasty.questions):
        ours = self.server(zones, options=options)
        bind = against.Bind(ours)
        self.addCleanup(bind.close)
        self.assertEqual(against.compare(ours, bind, list(questions(nasty.ZONES))[::EVERY], tcp), "")

    def test_as_it_comes(self):
        self.compare()

    def test_all_courtesies(self):
        self.compare("minimal-responses no; max-udp-size 4096; edns-udp-size 4096;")

    def test_no_servers(self):
        self.compare("minimal-responses no-auth;")

    def test_answers_only(self):
        self.compare("minimal-responses yes; minimal-any yes;")

    def test_by_tcp(self):
        self.compare("minimal-responses no; minimal-any yes;", tcp=True)


@unittest.skipUnless(signed.SIGNZONE and signed.KEYGEN, "needs dnssec-signzone")
class SignedAgainstBind(AgainstBind):
    def compare(self, how, options="", tcp=False):
        super().compare(options, tcp, signed.sign(nasty.ZONES, how), signed.questions)

    def test_nsec3(self):
        self.compare("nsec3", "max-udp-size 4096;")

    def test_opt_out(self):
        self.compare("opt-out")

    def test_as_it_comes(self):
        self.compare("nsec")

    def test_all_courtesies(self):
        self.compare("nsec", "minimal-responses no; max-udp-size 4096;")

    def test_no_servers(self):
        self.compare("nsec3-no-salt", "minimal-responses no-auth;")

    def test_answers_only(self):
        self.compare("nsec", "minimal-responses yes; minimal-any yes;")

    def test_by_tcp(self):
        self.compare("nsec3", tcp=True)


if __name__ == "__main__":
    unittest.main()
