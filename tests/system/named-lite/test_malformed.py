"""Malformed requests and options of EDNS: named-lite says, or does not say, what BIND says."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import against
import malformed
import server
import test_answers
import wire


def with_options(octets):
    """All of an answer, options too; of a cookie only the client's part, which is all that they can have in common."""
    if octets is None:
        return None
    if len(octets) == 12:
        return octets
    answer = wire.Answer(octets)
    data, options = answer.opt[3] if answer.opt else b"", []
    while data:
        code, length = struct.unpack(">2H", data[:4])
        options.append((code, length, data[4:12] if code == 10 else data[4:4 + length]))
        data = data[4 + length:]
    return against.canonical(octets), [o for o in options if o[0] != 15]    # without BIND's explanations


ZONE = server.SOA % 7 + "www CNAME web\nweb A 192.0.2.10\n*.wild A 192.0.2.20\n"


@unittest.skipUnless(against.NAMED, "needs BIND")
class Malformed(server.Test):
    def compare(self, options="", tcp=False):
        ours = self.server({"main.test": ZONE}, options='version "v"; hostname "h"; ' + options)
        bind = against.Bind(ours)
        self.addCleanup(bind.close)
        self.assertEqual(against.compare(ours, bind, malformed.requests(), tcp, with_options, excused=None), "")

    def test_by_udp(self):
        self.compare()

    def test_with_a_name_and_padding(self):
        self.compare('server-id "somebody"; response-padding { any; } block-size 64;')

    def test_who_insists_on_cookies(self):
        self.compare("require-server-cookie yes; nocookie-udp-size 512;")

    def test_by_tcp(self):
        self.compare('server-id "somebody"; response-padding { any; } block-size 64;', tcp=True)

    def test_who_gives_no_cookies(self):
        self.compare("answer-cookie no; server-id hostname;")


if __name__ == "__main__":
    unittest.main()
