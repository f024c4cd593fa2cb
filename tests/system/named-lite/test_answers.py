"""What named-lite answers. Each of these was compared with BIND 9.18 over the same zone."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server
import wire

ZONE = """\
$TTL 1h
@	IN SOA ns1 host\\.master ( 7 3h 15M 1w 10m )
	NS ns1
	NS ns.other.test.
	MX 10 mail
ns1	A 192.0.2.3
mail	A 192.0.2.5
	AAAA 2001:db8::5
WWW	CNAME Web.Farm
web.farm 300 IN A 192.0.2.10
*.wild	A 192.0.2.20
	MX 5 mail
a.b.c.wild TXT "below"
*.cwild CNAME mail
ent.a.b TXT deep
loop1	CNAME loop2
loop2	CNAME loop1
out	CNAME www.second.test.
dangling CNAME nowhere
todeleg CNAME www.child
child	NS ns.child
	NS ns1
	DS 1 8 9 AABB
ns.child A 192.0.2.40
dn	DNAME target
x.target A 192.0.2.50
long	DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccc.dddddddddddddddddddddddddddd.eeeeeeeeeeeeeeeeeeeeeeeeee.
$GENERATE 1-90 many A 10.1.0.$
$GENERATE 0-3 h${0,3,d} A 10.0.0.$
unknown	TYPE999 \\# 4 DEADBEEF
"""


class Answers(server.Test):
    @classmethod
    def setUpClass(cls):
        cls.s = server.Server({
            "main.test": ZONE, "second.test": server.SOA % 1 + "www A 192.0.2.60\n",
            "sub.main.test": server.SOA % 1 + "www A 192.0.2.61\n", "broken.test": None,
        }, more="acl us { 127.0.0.0/8; };\nzone \"denied.test\" { type primary; file \"second.test.zone\"; "
                "allow-query { !us; any; }; };")
        cls.addClassCleanup(cls.s.close)

    def expect(self, answer, status, records=(), authority=None, additional=None, aa=True, tc=False):
        self.assertIsNotNone(answer, "no answer")
        self.assertEqual((answer.status, answer.has("aa"), answer.has("tc")), (status, aa, tc))
        self.assertFalse(answer.has("ra"))
        for section, wanted in ((answer.answer, records), (answer.authority, authority),
                                (answer.additional, additional)):
            if wanted is not None:
                self.assertEqual(sorted("%s %s %s" % (o, k, d) for o, k, _, d in section), sorted(wanted))

    def test_an_address_with_servers_and_their_addresses(self):
        self.expect(self.s.udp("mail.main.test"), "NOERROR", ["mail.main.test. A 192.0.2.5"],
                    ["main.test. NS ns1.main.test.", "main.test. NS ns.other.test."], ["ns1.main.test. A 192.0.2.3"])

    def test_who_wants_recursion_gets_the_answer_only(self):
        self.expect(self.s.udp("main.test", "MX", recursion=True), "NOERROR", ["main.test. MX 000a mail.main.test."],
                    [], ["mail.main.test. A 192.0.2.5", "mail.main.test. AAAA 2001:db8::5"])

    def test_no_such_name(self):
        answer = self.s.udp("nowhere.main.test")
        self.expect(answer, "NXDOMAIN", [])
        self.assertEqual([(o, k, t) for o, k, t, _ in answer.authority], [("main.test.", "SOA", 600)])

    def test_no_such_type(self):
        self.expect(self.s.udp("mail.main.test", "TXT"), "NOERROR", [])
        self.expect(self.s.udp("a.b.main.test"), "NOERROR", [])     # an empty non-terminal
        self.assertEqual(self.s.udp("a.b.main.test").authority[0][1], "SOA")

    def test_the_case_of_question_and_owner_is_kept(self):
        answer = self.s.udp("wWw.MAIN.test")
        self.assertEqual(answer.question[0][0], "wWw.MAIN.test.")
        self.expect(answer, "NOERROR", ["WWW.main.test. CNAME Web.Farm.main.test.", "web.farm.main.test. A 192.0.2.10"])

    def test_wildcards(self):
        self.expect(self.s.udp("x.wild.main.test"), "NOERROR", ["x.wild.main.test. A 192.0.2.20"])
        self.expect(self.s.udp("y.x.wild.main.test", "MX"), "NOERROR", ["y.x.wild.main.test. MX 0005 mail.main.test."])
        self.expect(self.s.udp("x.wild.main.test", "TXT"), "NOERROR", [])
        self.expect(self.s.udp("q.c.wild.main.test"), "NXDOMAIN", [])   # c.wild is there, without a wildcard
        self.expect(self.s.udp("c.wild.main.test"), "NOERROR", [])
        self.expect(self.s.udp("q.cwild.main.test"), "NOERROR",
                    ["q.cwild.main.test. CNAME mail.main.test.", "mail.main.test. A 192.0.2.5"])

    def test_delegation_with_glue(self):
        for name in ("child.main.test", "www.child.main.test", "ns.child.main.test"):
            self.expect(self.s.udp(name), "NOERROR", [],
                        ["child.main.test. NS ns.child.main.test.", "child.main.test. NS ns1.main.test."],
                        ["ns.child.main.test. A 192.0.2.40"], aa=False)
        self.expect(self.s.udp("child.main.test", "DS"), "NOERROR", ["child.main.test. DS 00010809aabb"])
        self.expect(self.s.udp("todeleg.main.test"), "NOERROR", ["todeleg.main.test. CNAME www.child.main.test."],
                    ["child.main.test. NS ns.child.main.test.", "child.main.test. NS ns1.main.test."])

    def test_chains(self):
        self.expect(self.s.udp("loop1.main.test"), "SERVFAIL", [
            "loop1.main.test. CNAME loop2.main.test.", "loop2.main.test. CNAME loop1.main.test."])
        self.expect(self.s.udp("dangling.main.test"), "NXDOMAIN", ["dangling.main.test. CNAME nowhere.main.test."])
        self.expect(self.s.udp("out.main.test"), "NOERROR", ["out.main.test. CNAME www.second.test."], [])

    def test_dname(self):
        self.expect(self.s.udp("x.dn.main.test"), "NOERROR", [
            "dn.main.test. DNAME target.main.test.", "x.dn.main.test. CNAME x.target.main.test.",
            "x.target.main.test. A 192.0.2.50"])
        self.assertEqual(self.s.udp("z.dn.main.test").status, "NXDOMAIN")
        self.assertEqual(self.s.udp("k" * 60 + "." + "l" * 40 + ".long.main.test").status, "YXDOMAIN")

    def test_zones_within_zones(self):
        self.expect(self.s.udp("www.sub.main.test"), "NOERROR", ["www.sub.main.test. A 192.0.2.61"])

    def test_not_ours_broken_forbidden(self):
        self.expect(self.s.udp("www.example.com"), "REFUSED", [], [], [], aa=False)
        self.expect(self.s.udp("www.broken.test"), "SERVFAIL", [], [], [], aa=False)
        self.expect(self.s.udp("www.denied.test"), "REFUSED", [], [], [], aa=False)
        log = self.s.log()
        self.assertIn("zone broken.test/IN: loading from master file broken.test.zone failed: file not found", log)
        self.assertIn("zone second.test/IN: loaded serial 1", log)

    def test_truncation_and_sizes(self):
        for size, cut in ((None, True), (512, True), (511, True), (1231, True), (65535, True)):
            answer = self.s.udp("many.main.test", edns=size)
            self.assertEqual((answer.has("tc"), len(answer.answer)), (cut, 0))
        self.assertEqual(len(self.s.tcp("many.main.test").answer), 90)
        self.assertEqual(self.s.udp("mail.main.test", edns=1232).opt, (1232, 0, 0, b""))

    def test_edns(self):
        answer = self.s.udp("mail.main.test", edns=1232, version=1)
        self.assertEqual((answer.status, answer.opt[1], answer.answer), ("BADVERS", 0, []))
        cookie = lambda n: struct.pack(">2H", 10, n) + b"x" * n
        self.assertEqual(self.s.udp("mail.main.test", edns=1232, options=cookie(7)).status, "FORMERR")
        answer = self.s.udp("mail.main.test", edns=1232, options=cookie(8), do=True)
        self.assertEqual((answer.opt[2], len(answer.opt[3]), answer.opt[3][:12]), (0x8000, 28, b"\0\x0a\0\x18" + b"x" * 8))

    def test_any_and_unknown_types(self):
        self.assertEqual({k for _, k, _, _ in self.s.udp("main.test", "ANY", edns=1232).answer}, {"SOA", "NS", "MX"})
        self.expect(self.s.udp("unknown.main.test", 999), "NOERROR", ["unknown.main.test. TYPE999 deadbeef"])
        self.expect(self.s.udp("h002.main.test"), "NOERROR", ["h002.main.test. A 10.0.0.2"])

    def test_malformed(self):
        good = wire.question("mail.main.test")
        for length in range(len(good)):
            answer = wire.ask_udp(self.s.port, good[:length], 0.05 if length < 12 else wire.PATIENCE)
            if length < 12:
                self.assertIsNone(answer)
            else:
                self.assertEqual(answer[3] & 15, 1, "cut at %d" % length)
        self.assertIsNone(wire.ask_udp(self.s.port, good[:2] + b"\x80" + good[3:], 0.1))
        for name in (b"\xc0\x0c", b"\xc0\0", b"\x40a\0", b"\1a\xc0\x0c", b"\1a" * 128 + b"\0"):
            answer = wire.ask_udp(self.s.port, good[:12] + name + b"\0\1\0\1")
            self.assertEqual(answer[3] & 15, 1, name)
        self.assertEqual(self.s.udp("mail.main.test").status, "NOERROR")

    def test_opcodes_classes_transfers(self):
        self.assertEqual(self.s.udp("main.test", "SOA", opcode=2).status, "NOTIMP")
        self.expect(self.s.udp("main.test", "SOA", opcode=4), "NOERROR")
        self.assertEqual(self.s.udp("other.test", "SOA", opcode=4).status, "NOTAUTH")
        self.assertEqual(self.s.udp("main.test", "SOA", opcode=5).status, "REFUSED")
        self.assertEqual(self.s.udp("main.test", cls=255).status, "FORMERR")
        self.assertEqual(self.s.udp("main.test", cls=77).status, "NOTIMP")
        self.assertEqual(self.s.udp("main.test", "AXFR").status, "FORMERR")
        self.assertEqual(self.s.tcp("main.test", "AXFR").status, "NOERROR")     # to everybody, as BIND 9.18
        self.assertEqual(self.s.tcp("www.main.test", "AXFR").status, "NOTAUTH")
        self.assertEqual(self.s.tcp("other.test", "AXFR").status, "NOTAUTH")
        self.assertIn(b"named-lite", bytes.fromhex(self.s.udp("version.bind", "TXT", cls=3).answer[0][3]))

    def test_pipelined_questions_by_tcp(self):
        with socket.create_connection(("127.0.0.1", self.s.port), 5) as s:
            message = b""
            for ident in range(200):
                one = wire.question("mail.main.test", ident=ident)
                message += struct.pack(">H", len(one)) + one
            s.sendall(message[:3])
            s.sendall(message[3:])
            for ident in range(200):
                self.assertEqual(wire.Answer(wire.read_tcp(s)).ident, ident)
            s.sendall(b"\0\0")      # a message of no octets is nothing
            s.sendall(message[:2 + len(one)])
            self.assertEqual(wire.Answer(wire.read_tcp(s)).ident, 0)

    @unittest.skipUnless(shutil.which("dig"), "dig is not installed")
    def test_dig(self):
        said = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.s.port), "mail.main.test", "+short"],
                              capture_output=True, text=True, timeout=60).stdout
        self.assertEqual(said.strip(), "192.0.2.5")


if __name__ == "__main__":
    unittest.main()
