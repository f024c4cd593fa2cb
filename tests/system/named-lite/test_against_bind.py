"""named-lite and BIND 9.18 over the same nasty zones: the same answers to thousands of questions."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import against
import nasty
import server


@unittest.skipUnless(against.NAMED, "needs BIND")
class AgainstBind(server.Test):
    def compare(self, options="", tcp=False):
        ours = self.server(nasty.ZONES, options=options)
        bind = against.Bind(ours)
        self.addCleanup(bind.close)
        self.assertEqual(against.compare(ours, bind, nasty.questions(nasty.ZONES), tcp), "")

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


if __name__ == "__main__":
    unittest.main()
