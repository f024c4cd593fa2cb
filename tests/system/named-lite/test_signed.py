"""Signed zones: what the proofs consist of, what reload keeps, and what a validator says."""

import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server
import signed

DELV = shutil.which("delv")
ZONE = server.SOA % 7 + """*.wild A 192.0.2.20
www A 192.0.2.10
alias CNAME www
ent.a.b TXT deep
dn DNAME wild
child NS ns.child
ns.child A 192.0.2.40
secure NS ns.child
secure DS 1 8 2 AABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDD
"""
QUESTIONS = [("www", "A"), ("alias", "A"), ("x.wild", "A"), ("x.wild", "TXT"), ("nowhere", "A"), ("a.b", "A"),
             ("b", "MX"), ("www", "MX"), ("x.dn", "A"), ("child", "DS"), ("secure", "DS"), ("x.nowhere", "A"), ("@", "DNSKEY")]


@unittest.skipUnless(signed.SIGNZONE and signed.KEYGEN, "needs dnssec-signzone")
class Signed(server.Test):
    def signed(self, how):
        return self.server(signed.sign({"s.test": ZONE}, how))

    def proofs(self, s, name, kind="A"):
        answer = s.udp(name, kind, edns=4096, do=True)
        kinds = [record[1] for record in answer.authority]
        self.assertEqual(kinds.count("RRSIG"), len({(r[0], r[1]) for r in answer.authority} - {
            (r[0], "RRSIG") for r in answer.authority} - {(r[0], "NS") for r in answer.authority}))
        return answer.status, kinds.count("NSEC"), kinds.count("NSEC3")

    def test_who_does_not_ask_gets_no_proofs(self):
        s = self.signed("nsec3")
        for answer in (s.udp("nowhere.s.test"), s.udp("nowhere.s.test", edns=1232)):
            self.assertEqual((answer.status, [r[1] for r in answer.authority]), ("NXDOMAIN", ["SOA"]))
        self.assertEqual([r[1] for r in s.udp("www.s.test", recursion=True).answer], ["A"])

    def test_proofs_by_nsec(self):
        s = self.signed("nsec")
        self.assertEqual(self.proofs(s, "nowhere.s.test"), ("NXDOMAIN", 2, 0))
        self.assertEqual(self.proofs(s, "www.s.test", "MX"), ("NOERROR", 1, 0))
        self.assertEqual(self.proofs(s, "x.wild.s.test", "TXT"), ("NOERROR", 1, 0))
        self.assertEqual(self.proofs(s, "child.s.test"), ("NOERROR", 1, 0))

    def test_proofs_by_nsec3(self):
        s = self.signed("nsec3")
        self.assertEqual(self.proofs(s, "nowhere.s.test")[0], "NXDOMAIN")
        self.assertIn(self.proofs(s, "nowhere.s.test")[2], (2, 3))
        self.assertEqual(self.proofs(s, "www.s.test", "MX"), ("NOERROR", 0, 1))
        self.assertEqual(self.proofs(s, "child.s.test"), ("NOERROR", 0, 1))

    def test_a_hash_is_no_name(self):
        s = self.signed("nsec3")
        owner = next(r[0] for r in s.udp("nowhere.s.test", edns=4096, do=True).authority if r[1] == "NSEC3")
        self.assertEqual(s.udp(owner, "NSEC3").status, "NXDOMAIN")

    def test_a_zone_that_breaks_keeps_its_proofs(self):
        for how in ("nsec", "opt-out"):
            s = self.signed(how)
            before = [s.udp(n + ".s.test", k, edns=4096, do=True).same() for n, k in QUESTIONS if n != "@"]
            s.write("s.test.zone", "@ nonsense\n")
            s.reload()
            self.assertIn("serial 7 is served on", s.log())
            self.assertEqual([s.udp(n + ".s.test", k, edns=4096, do=True).same() for n, k in QUESTIONS if n != "@"],
                             before)

    @unittest.skipUnless(DELV, "needs delv")
    def test_a_validator_agrees(self):
        for how in signed.HOW:
            s = self.signed(how)
            key = next(line.split("DNSKEY", 1)[1] for line in s.zones["s.test"].splitlines() if "DNSKEY\t257" in line
                       or "DNSKEY 257" in line)
            flags, protocol, algorithm, *rest = key.split(";")[0].split()
            anchor = 'trust-anchors { s.test. static-key %s %s %s "%s"; };\n' % (flags, protocol, algorithm, "".join(rest))
            s.write("anchor", anchor)
            for name, kind in QUESTIONS:
                name = "s.test" if name == "@" else name + ".s.test"
                said = subprocess.run([DELV, "@127.0.0.1", "-p", str(s.port), "-a", os.path.join(s.directory, "anchor"),
                                       "+root=s.test", name, kind], capture_output=True, text=True, timeout=60)
                # Under opt-out, what is not there could be an unsigned delegation.
                unsigned = how == "opt-out" and name in ("x.wild.s.test", "x.dn.s.test", "child.s.test", "nowhere.s.test")
                self.assertTrue("fully validated" in said.stdout or unsigned and "unsigned" in said.stdout, "%s %s %s\n%s%s" % (
                    how, name, kind, said.stdout, said.stderr))


if __name__ == "__main__":
    unittest.main()
