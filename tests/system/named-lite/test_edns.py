"""Cookies, names of servers, padding, what a client may ask for by EDNS, without a peer to compare with."""

import os
import socket
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server
import wire

ZONES = {"a.test": server.SOA % 1 + "".join("many A 192.0.2.%d\n" % i for i in range(60))}
SECRETS = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def option(code, octets=b""):
    return struct.pack(">2H", code, len(octets)) + octets


def read_options(answer):
    data, found = answer.opt[3], {}
    while data:
        code, length = struct.unpack(">2H", data[:4])
        found[code] = data[4:4 + length]
        data = data[4 + length:]
    return found


class Edns(server.Test):
    def cookie(self, s, octets=b"12345678", name="ns.a.test", **how):
        answer = s.udp(name, edns=4096, options=option(10, octets), **how)
        return answer, read_options(answer)[10]

    def test_a_cookie_of_ours_is_known_again(self):
        s = self.server(ZONES, "require-server-cookie yes;")
        answer, cookie = self.cookie(s)
        self.assertEqual((answer.status, answer.answer, len(cookie)), ("BADCOOKIE", [], 24))
        self.assertEqual(self.cookie(s, cookie)[0].status, "NOERROR")
        spoiled = cookie[:-1] + bytes([cookie[-1] ^ 1])
        self.assertEqual(self.cookie(s, spoiled)[0].status, "BADCOOKIE")
        self.assertEqual(s.udp("ns.a.test", edns=1232).status, "NOERROR")   # who knows of no cookies is served
        self.assertEqual(s.tcp("ns.a.test", edns=1232, options=option(10, b"12345678")).status, "NOERROR")

    def test_servers_with_a_common_secret_know_each_other_s(self):
        first = self.server(ZONES, 'require-server-cookie yes; cookie-secret "%s"; cookie-secret "%s";' % SECRETS)
        second = self.server(ZONES, 'require-server-cookie yes; cookie-secret "%s"; cookie-secret "%s";' % SECRETS[::-1])
        for one, other in ((first, second), (second, first)):
            self.assertEqual(self.cookie(other, self.cookie(one)[1])[0].status, "NOERROR")
        stranger = self.server(ZONES, "require-server-cookie yes;")
        self.assertEqual(self.cookie(stranger, self.cookie(first)[1])[0].status, "BADCOOKIE")

    def test_who_has_no_cookie_gets_small_answers(self):
        s = self.server(ZONES, "nocookie-udp-size 512;")
        answer, cookie = self.cookie(s, name="many.a.test")
        self.assertTrue(answer.has("tc"))
        answer, _ = self.cookie(s, cookie, "many.a.test")
        self.assertEqual((answer.has("tc"), len(answer.answer)), (False, 60))

    def test_the_server_tells_its_name(self):
        for options, name in (('server-id "ns-west";', b"ns-west"), ("server-id hostname;", socket.gethostname().encode()),
                              ("", None), ("server-id none;", None)):
            s = self.server(ZONES, options)
            self.assertEqual(read_options(s.udp("ns.a.test", edns=1232, options=option(3))).get(3), name)
            self.assertEqual([r[3] for r in s.udp("id.server", "TXT", cls=3).answer],
                             [(bytes([len(name)]) + name).hex()] if name else [])

    def test_padding_is_for_those_who_cannot_be_forged(self):
        s = self.server(ZONES, "response-padding { 127.0.0.1; } block-size 128;")
        ask = option(12)
        self.assertNotIn(12, read_options(s.udp("ns.a.test", edns=1232, options=ask)))
        self.assertEqual(s.tcp("ns.a.test", edns=1232, options=ask).size % 128, 0)
        self.assertNotIn(12, read_options(s.tcp("ns.a.test", edns=1232)))
        answer, _ = self.cookie(s, self.cookie(s)[1])
        self.assertNotIn(12, read_options(answer))
        octets = option(10, self.cookie(s)[1]) + ask
        self.assertEqual(s.udp("ns.a.test", edns=1232, options=octets).size % 128, 0)

    def test_how_long_a_connection_may_idle(self):
        s = self.server(ZONES, "tcp-advertised-timeout 150;")
        self.assertEqual(read_options(s.tcp("ns.a.test", edns=1232, options=option(11)))[11], b"\0\x96")
        self.assertNotIn(11, read_options(s.udp("ns.a.test", edns=1232, options=option(11))))


if __name__ == "__main__":
    unittest.main()
