"""
What others ask with: dig, drill, kdig, nslookup, host, dnspython, dnsperf, the ldns tools, and delv, which validates. Each
is left out where it is not installed.
"""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers
import server
import signed

ZONE = (server.SOA % 7 + "@ MX 5 mail\nmail A 192.0.2.5\nmail AAAA 2001:db8::5\n*.w TXT wild\nsub NS ns.sub\nns.sub A 192.0.2.9\n"
        "e.n.t TXT deep\nalias CNAME mail\nsafe NS ns.sub\nsafe DS 1 13 2 " + "AB" * 32 + "\n" +
        "".join("h%d A 10.0.0.%d\n" % (i, i) for i in range(200)))

# What to type, with {p} for the port, and what must be in the output.
ROWS = {
    "dig": [
        ("dig @127.0.0.1 -p {p} mail.p.test", ["status: NOERROR", "flags: qr aa rd;", "mail.p.test.\t\t3600\tIN\tA\t192.0.2.5"]),
        ("dig @127.0.0.1 -p {p} +tcp MX p.test", ["MX\t5 mail.p.test.", "AAAA\t2001:db8::5"]),
        ("dig @127.0.0.1 -p {p} +norec no.p.test", ["status: NXDOMAIN", "flags: qr aa;", "SOA\tns.p.test."]),
        ("dig @127.0.0.1 -p {p} +nsid +subnet=10.0.0.0/8 +padding=64 p.test SOA", ["CLIENT-SUBNET: 10.0.0.0/8/0", "(\"ours\")", "COOKIE", "(good)"]),
        ("dig @127.0.0.1 -p {p} +norec www.sub.p.test", ["flags: qr; QUERY: 1, ANSWER: 0, AUTHORITY: 1", "ns.sub.p.test.\t\t3600\tIN\tA\t192.0.2.9"]),
        ("dig @127.0.0.1 -p {p} +short alias.p.test AAAA", ["mail.p.test.\n2001:db8::5\n"]),
        ("dig @127.0.0.1 -p {p} p.test AXFR", ["XFR size: 214 records (messages 1,"]),
        ("dig @127.0.0.1 -p {p} p.test IXFR=7", ["XFR size: 1 records"]),
        ("dig @127.0.0.1 -p {p} p.test IXFR=6", ["XFR size: 214 records"]),
        ("dig @127.0.0.1 -p {p} +noedns version.bind CH TXT", ["\"v\""]),
        ("dig @127.0.0.1 -p {p} example.org", ["status: REFUSED", "recursion requested but not available"]),
    ],
    "drill": [
        ("drill -p {p} mail.p.test @127.0.0.1", ["flags: qr aa rd ;", "mail.p.test.\t3600\tIN\tA\t192.0.2.5"]),
        ("drill -p {p} -t p.test @127.0.0.1 MX", ["5 mail.p.test."]),
        ("drill -p {p} p.test @127.0.0.1 AXFR", ["h199.p.test.\t3600\tIN\tA\t10.0.0.199"]),
        ("drill -p {p} -D mail.nsec.test @127.0.0.1", ["flags: do", "RRSIG\tA 13"]),
        ("drill -p {p} -k nsec3.key -S mail.nsec3.test @127.0.0.1", ["Chase successful"]),
        ("drill -p {p} -k nsec.key -S x.w.nsec.test @127.0.0.1 TXT", ["Chase successful"]),
    ],
    "kdig": [
        ("kdig @127.0.0.1 -p {p} +tcp +dnssec +nsid mail.opt-out.test", ["status: NOERROR", "do; UDP size", "\"ours\"", "RRSIG\tA 13"]),
        ("kdig @127.0.0.1 -p {p} +tcp +keepopen mail.p.test A p.test MX no.p.test A", ["192.0.2.5", "5 mail.p.test.", "NXDOMAIN"]),
        ("kdig @127.0.0.1 -p {p} p.test AXFR", ["214 records"]),
        ("kdig @127.0.0.1 -p {p} +cookie +padding +subnet=192.0.2.0/24 p.test NS", ["NOERROR", "192.0.2.0/24/0"]),
    ],
    "nslookup": [
        ("nslookup -port={p} -type=mx p.test 127.0.0.1", ["p.test\tmail exchanger = 5 mail.p.test."]),
        ("nslookup -port={p} -vc mail.p.test 127.0.0.1", ["Address: 192.0.2.5", "Address: 2001:db8::5"]),
    ],
    "host": [
        ("host -p {p} alias.p.test 127.0.0.1", ["alias.p.test is an alias for mail.p.test.", "mail.p.test has IPv6 address 2001:db8::5"]),
        ("host -p {p} -T -l p.test 127.0.0.1", ["h199.p.test has address 10.0.0.199"]),
    ],
    "dnsperf": [
        ("dnsperf -s 127.0.0.1 -p {p} -d questions -n 200", ["Queries completed:    800 (100.00%)", "NOERROR 600 (75.00%), NXDOMAIN 200"]),
        ("dnsperf -s 127.0.0.1 -p {p} -d questions -n 200 -m tcp -D", ["Queries completed:    800 (100.00%)", "Reconnections:        0"]),
    ],
    "ldns-notify": [
        ("ldns-notify -p {p} -z p.test 127.0.0.1", ["opcode: NOTIFY, rcode: NOERROR", "flags: qr aa"]),
    ],
}

# What delv is to find, in each signed zone.
VALIDATED = [("@", "SOA"), ("mail", "A"), ("x.w", "TXT"), ("no", "A"), ("x.e.n.t", "A"), ("mail", "TXT"), ("n.t", "A"), ("x.w", "A"),
             ("sub", "DS"), ("safe", "DS"), ("alias", "AAAA"), ("no.h7", "A"), ("@", "DNSKEY"), ("zzz", "MX")]

DNSPYTHON = """
import sys, dns.query, dns.zone, dns.message, dns.flags, dns.tsigkeyring, dns.dnssec, dns.rdatatype, dns.edns
port = int(sys.argv[1])
def ask(name, kind, how=dns.query.udp, **options):
    return how(dns.message.make_query(name, kind, **options), "127.0.0.1", port=port, timeout=5)
answer = ask("mail.p.test", "A")
assert answer.answer[0][0].address == "192.0.2.5" and answer.flags & dns.flags.AA
assert ask("p.test", "MX", dns.query.tcp, use_edns=0, payload=1232).additional
signed = ask("mail.nsec3.test", "A", dns.query.udp, want_dnssec=True)
keys = ask("nsec3.test", "DNSKEY", dns.query.tcp, want_dnssec=True).answer[0]
dns.dnssec.validate(signed.answer[0], signed.answer[1], {keys.name: keys})
zone = dns.zone.from_xfr(dns.query.xfr("127.0.0.1", "p.test", port=port))
assert len(zone.nodes) == 209, len(zone.nodes)
ring = dns.tsigkeyring.from_text({"k": "%s"})
zone = dns.zone.from_xfr(dns.query.xfr("127.0.0.1", "nsec.test", port=port, keyring=ring, keyalgorithm="hmac-sha256"))
q = dns.message.make_query("p.test", "SOA")
q.use_tsig(ring, algorithm="hmac-sha256")
assert dns.query.udp(q, "127.0.0.1", port=port, timeout=5).had_tsig
print("all is well")
""" % peers.SECRET


def find_dnspython():
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run([python, "-c", "import dns.query"], capture_output=True).returncode == 0:
            return python
    return None


class Clients(server.Test):
    @classmethod
    def setUpClass(cls):
        zones = {"p.test": ZONE}
        if signed.SIGNZONE and signed.KEYGEN:
            for how in ("nsec", "nsec3", "opt-out"):
                zones[how + ".test"] = signed.sign({how + ".test": ZONE}, how)[how + ".test"]
        cls.s = server.Server(zones, "version \"v\"; server-id \"ours\";", peers.KEY)
        cls.addClassCleanup(cls.s.close)
        cls.s.write("questions", "mail.p.test A\np.test MX\nno.p.test A\nalias.p.test AAAA\n")
        for name, text in zones.items():
            keys = [line.split(";")[0] for line in text.splitlines() if "DNSKEY\t257" in line.replace(" 257", "\t257")]
            if keys:
                words = keys[0].split()
                at = words.index("257")
                how = name[:-len(".test")]
                cls.s.write(how + ".key", keys[0] + "\n")
                cls.s.write(how + ".anchor", "trust-anchors { \"%s\" static-key %s \"%s\"; };\n" % (
                    name, " ".join(words[at:at + 3]), "".join(words[at + 3:])))

    def run_it(self, command, **more):
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.s.directory, timeout=6 * server.PATIENCE, **more)
        return done.stdout + done.stderr

    def rows(self, tool):
        if not peers.find(tool):
            self.skipTest(tool + " is not installed")
        for command, wanted in ROWS[tool]:
            if ".test" in command.replace("p.test", "") and not signed.SIGNZONE:
                continue
            with self.subTest(command):
                told = self.run_it(command.format(p=self.s.port).split())
                for text in wanted:
                    self.assertIn(text, told)

    def test_dig(self):
        self.rows("dig")

    def test_drill(self):
        self.rows("drill")

    def test_kdig(self):
        self.rows("kdig")

    def test_nslookup(self):
        self.rows("nslookup")

    def test_host(self):
        self.rows("host")

    def test_dnsperf(self):
        self.rows("dnsperf")

    def test_ldns_notify(self):
        self.rows("ldns-notify")

    @unittest.skipUnless(find_dnspython(), "dnspython is not installed")
    def test_dnspython(self):
        self.assertEqual(self.run_it([find_dnspython(), "-c", DNSPYTHON, str(self.s.port)]), "all is well\n")

    @unittest.skipUnless(peers.find("ldns-verify-zone") and peers.find("dig") and signed.SIGNZONE, "needs ldns and BIND's tools")
    def test_ldns_verifies_what_was_transferred(self):
        for how in ("nsec", "nsec3", "opt-out"):
            with self.subTest(how):
                zone = self.run_it(["dig", "@127.0.0.1", "-p", str(self.s.port), how + ".test", "AXFR", "+onesoa"])
                self.s.write(how + ".axfr", zone)
                self.assertIn("Zone is verified and complete", self.run_it(["ldns-verify-zone", "-k", how + ".key", how + ".axfr"]))

    @unittest.skipUnless(peers.find("delv") and signed.SIGNZONE, "needs delv and BIND's tools")
    def test_delv_validates(self):
        for how in ("nsec", "nsec3", "opt-out"):
            for name, kind in VALIDATED:
                with self.subTest(how=how, name=name, kind=kind):
                    name = how + ".test" if name == "@" else "%s.%s.test" % (name, how)
                    told = self.run_it(["delv", "@127.0.0.1", "-p", str(self.s.port), "-a", how + ".anchor",
                                        "+root=%s.test" % how, name, kind])
                    # What an opt-out may have left out is not proved.
                    self.assertRegex(told, "fully validated" if (how, name[:4], kind) != ("opt-out", "x.w.", "TXT") else "unsigned answer")


if __name__ == "__main__":
    unittest.main()
