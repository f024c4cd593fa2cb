"""--explain comes to what is answered, and names the record; the mail linter finds what is wrong with the first seed's zones."""

import os
import re
import subprocess
import unittest

import nasty
import server
import wire

TYPES = ["A", "MX", "DS", "ANY"]
EVERY = int(os.environ.get("EVERY", "37"))
FORWARD = """$TTL 1d
@ SOA example.local. root 4 1 1 1 60
  NS ns
ns A 172.19.0.3
@ A 172.19.0.3
smtp A 172.19.0.4
4 PTR smtp
"""
REVERSE = """$TTL 1d
@ SOA example.local. root.example.local. 2 1 1 1 60
  NS ns.example.local.
4 PTR smtp.example.local.
"""


class Explain(server.Test):
    def explain(self, s, name, kind):
        done = subprocess.run([server.PROGRAM, "-c", os.path.join(s.directory, "named.conf"), "--explain", name, kind],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        self.assertEqual(done.returncode, 0)
        return done.stdout

    def test_it_comes_to_what_is_answered(self):
        s = self.server(nasty.ZONES)
        asked = [(name, kind) for name in nasty.names(nasty.ZONES) for kind in TYPES][::EVERY]
        for name, kind in asked:
            with self.subTest("%s %s" % (name, kind)):
                said = self.explain(s, name if name else ".", kind)
                answer = s.tcp(name, kind)
                self.assertEqual(re.search(r"^answer: (\w+)", said, re.M)[1], answer.status, said)
                self.assertEqual("not authoritative" in said, answer.status == "NOERROR" and not answer.has("aa"), said)

    def test_records_have_file_and_line(self):
        s = self.server({"a.test": server.SOA % 1 + "www CNAME host\nhost A 192.0.2.2\n"})
        said = self.explain(s, "www.a.test", "A")
        self.assertRegex(said, r"zone a\.test: type primary, .*named\.conf:\d+, file a\.test\.zone, serial 1\n")
        self.assertIn("an alias:\n    www.a.test. 3600 CNAME host.a.test.\n        a.test.zone:5\n", said)
        self.assertIn("host.a.test A\n", said)
        self.assertIn("    host.a.test. 3600 A 192.0.2.2\n        a.test.zone:6\nanswer: NOERROR\n", said)
        self.assertIn("no zone of this server", self.explain(s, "b.test", "A"))


class Lint(server.Test):
    def lint(self, zones):
        s = self.server(zones, start=False)
        done = subprocess.run([os.path.join(server.BUILD, "bin", "postroad-checkconf"), "-m",
                               os.path.join(s.directory, "named.conf")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        self.assertEqual(done.returncode, 1 if done.stdout else 0)
        return done.stdout

    def test_the_seed(self):
        said = self.lint({"example.local": FORWARD, "19.172.in-addr.arpa": REVERSE})
        for line in ("example.local.zone:5: example.local has no MX record: mail for it goes to its own address, 172.19.0.3",
                     "19.172.in-addr.arpa.zone:4: '4' is no address in zone 19.172.in-addr.arpa: the PTR record of "
                     "smtp.example.local, 172.19.0.4, belongs to '4.0'",
                     "example.local.zone:2: example.local has no SPF record",
                     "example.local.zone:7: 1 PTR record in zone example.local"):
            self.assertIn(line, said)

    def test_mail_exchangers(self):
        top = server.SOA % 1 + "@ TXT \"v=spf1 mx -all\"\n"
        reverse = server.SOA % 1
        for zone, wanted in (
                ("@ MX 5 al\nal CNAME ns\n", "the MX of a.test is al.a.test, an alias"),
                ("@ MX 5 192.0.2.9\n", "the MX of a.test is an address"),
                ("@ MX 5 nowhere\n", "the MX of a.test is nowhere.a.test, which has no address"),
                ("@ MX 5 ns\n", "192.0.2.1, the address of ns.a.test, has no PTR record"),
                ("@ TXT \"v=spf1 -all\"\n@ MX 0 .\n", "a.test has 2 SPF records"),
                ("x A 192.0.2.7\n", "a.test has no MX record and no address")):
            with self.subTest(zone):
                self.assertIn(wanted, self.lint({"a.test": top + zone, "2.0.192.in-addr.arpa": reverse}))
        self.assertEqual(self.lint({"a.test": top + "@ MX 5 ns\n@ MX 9 mx.elsewhere.test.\n",
                                    "2.0.192.in-addr.arpa": reverse + "1 PTR ns.a.test.\n"}), "")
        self.assertIn("its PTR record names other.test", self.lint({
            "a.test": top + "@ MX 5 ns\n", "2.0.192.in-addr.arpa": reverse + "1 PTR other.test.\n"}))


if __name__ == "__main__":
    unittest.main()
