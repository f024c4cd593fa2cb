"""postroad-checkzone, postroad-checkconf and postroad-confgen, beside BIND's where they are installed."""

import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

import server

BIN = os.path.join(server.BUILD, "bin")
TYPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "types.zone")
TOP = "$TTL 3600\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"

# What both say of a line behind TOP, word by word.
LINES = """a A 1.2.3
a A
a MX 10 1.2.3.4
a MX 10 b
a MX 10 b\\nb CNAME ns
a SRV 1 2 3 b\\nb CNAME ns
d NS x.d
d NS x.e\\ne NS y.e\\ny.e A 1.2.3.4
d NS x.y\\ny DNAME z
*.a TXT x\\nb.*.a TXT x
a SPF "v=spf1 -all"
@ NS x
@ NS x\\nx CNAME ns
a_b A 1.2.3.4
c MX 1 d_e.
a 90000x A 1.2.3.4
a CNAME b\\na A 1.2.3.4
a DNAME b\\na DNAME c
* NS ns
out.of.zone. A 1.2.3.4
a CH A 1.2.3.4
a FOO x
a DS 1 8 2 AABB
a LOC 91 N 5 E 0
a APL 1:10.0.0.0/33
a EUI48 00-00-5e-00-53-2
a EUI48 00-00-5e-00-53-2aa
a EUI48 000-00-5e-00-53-2a
a EUI64 00-00-5e-ef-10-00-00
a\0b A 1.2.3.4
a WKS 10.0.0.1 foo 5
a HIP 2 2001 YW Jj
a IPSECKEY 10 1 2 10.0.0.1
a SVCB 1 . mandatory=port
a NAPTR 1 1 U "E2U+sip" "!^.*$!sip:x@y" .
a TYPE1 \\# 4 010203
$INCLUDE nofile
$GENERATE 3-1 a$ A 1.2.3.$""".split("\n")

CONFS = """options { notify maybe; };
options { foo 1; };
options { directory x; };
options { querylog yes; querylog no; };
options { max-transfer-time-in 99999; };
options { dnssec-enable yes; };
options { filter-aaaa-on-v4 yes; };
options { max-journal-size 5x; };
key k { algorithm hmac-sha256; };
key k { algorithm hmac-sha257; secret "YWJj"; };
controls { inet 127.0.0.1 allow { any; } keys { "z"; }; };
server 1.2.3.4 { edns maybe; };
acl any { 1.2.3.4; };
acl a { 1.2.3.4/8; };
acl a { 1.2.3.4/33; };
primaries x { 1.2.3.4; }; masters x { 1.2.3.4; };
logging { category foo { null; }; };
zone "a" { };
zone "a" { type primary; };
zone "a" { type bogus; };
zone "a" { type secondary; };
zone "a" { type primary; file "f"; allow-notify { any; }; };
zone "a" { type primary; file "f"; }; zone "a" { type primary; file "f"; };
zone "a" XX { type primary; file "f"; };""".split(";\n")


def run(*command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


class Tools(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="named-tools-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.directory)

    def write(self, name, text):
        with open(name, "w") as f:
            f.write(text)

    def ours(self, name, *arguments):
        return run(os.path.join(BIN, "postroad-" + name), *arguments)

    def test_every_type_is_read_and_written(self):
        code, first = self.ours("checkzone", "-D", "-q", "-o", "one", "t.test", TYPES)
        self.assertEqual(code, 0, first)
        self.assertEqual(self.ours("checkzone", "-D", "-q", "-o", "two", "t.test", "one")[0], 0)
        with open("one") as one, open("two") as two:
            self.assertEqual(one.read(), two.read())

    @unittest.skipUnless(shutil.which("named-checkzone"), "BIND is not installed")
    def test_every_type_is_written_as_bind_writes_it(self):
        self.ours("checkzone", "-q", "-k", "ignore", "-o", "ours", "t.test", TYPES)
        run("named-checkzone", "-q", "-i", "none", "-k", "ignore", "-o", "bind", "t.test", TYPES)
        with open("ours") as ours, open("bind") as bind:
            self.assertEqual(sorted(ours), sorted(line for line in bind if not line.startswith("; resign")))

    @unittest.skipUnless(shutil.which("named-checkzone"), "BIND is not installed")
    def test_long_data_is_wrapped_as_bind_wraps_it(self):
        self.ours("checkzone", "-q", "-k", "ignore", "-s", "relative", "-o", "ours", "t.test", TYPES)
        run("named-checkzone", "-q", "-i", "none", "-k", "ignore", "-s", "relative", "-o", "bind", "t.test", TYPES)
        with open("ours") as ours, open("bind") as bind:
            self.assertEqual(list(ours), [line for line in bind if not line.startswith("; resign")])

    @unittest.skipUnless(shutil.which("named-compilezone"), "BIND is not installed")
    def test_raw_files_are_read_and_written(self):
        quiet = ("-q", "-i", "none", "-k", "ignore", "-m", "ignore", "-n", "ignore", "-r", "ignore")
        run("named-compilezone", *quiet, "-F", "raw", "-o", "bind.raw", "t.test", TYPES)
        self.assertEqual(self.ours("checkzone", *quiet, "-f", "raw", "-o", "ours", "t.test", "bind.raw")[0], 0)
        self.assertEqual(self.ours("checkzone", *quiet, "-F", "raw", "-o", "ours.raw", "t.test", TYPES)[0], 0)
        self.assertEqual(run("named-compilezone", *quiet, "-f", "raw", "-F", "text", "-o", "bind", "t.test", "ours.raw")[0], 0)
        with open("ours") as ours, open("bind") as bind:
            self.assertEqual(sorted(ours), sorted(line for line in bind if not line.startswith("; resign")))
        with open("bind.raw", "rb") as f:
            octets = f.read()
        for length in (0, 3, 11, 12, 23, 30, 45, len(octets) // 2, len(octets) - 1):
            with open("cut.raw", "wb") as f:
                f.write(octets[:length])
            self.assertEqual(self.ours("checkzone", *quiet, "t.test", "cut.raw")[0], 1, length)

    @unittest.skipUnless(shutil.which("named-checkzone"), "BIND is not installed")
    def test_what_is_wrong_with_a_zone_is_said_as_bind_says_it(self):
        for line in LINES:
            self.write("x.zone", TOP + line.replace("\\n", "\n") + "\n")
            with self.subTest(line):
                ours = self.ours("checkzone", "-i", "local", "t.test", "x.zone")
                self.assertEqual(ours, run("named-checkzone", "-i", "local", "t.test", "x.zone"))

    @unittest.skipUnless(shutil.which("named-checkconf"), "BIND is not installed")
    def test_what_is_wrong_with_named_conf_is_said_as_bind_says_it(self):
        for text in CONFS:
            self.write("n.conf", text + ("" if text.endswith(";") else ";") + "\n")
            with self.subTest(text):
                self.assertEqual(self.ours("checkconf", "n.conf"), run("named-checkconf", "n.conf"))

    @unittest.skipUnless(shutil.which("named-checkconf"), "BIND is not installed")
    def test_named_conf_is_printed_as_bind_prints_it(self):
        self.write("a.zone", TOP)
        self.write("inc.conf", "server 2001:db8::/32 { bogus yes; transfer-format many-answers; keys { x; }; transfers 5; };\n")
        for i, text in enumerate(("""
options { directory "."; also-notify { }; allow-query { any; !10.0.0.1; { 192.0.2/24; none; }; key "x"; localhost; };
  listen-on { any; }; notify-source 192.0.2.1; transfer-source *; max-cache-ttl 1h; max-journal-size unlimited;
  recursion false; minimal-responses yes; check-names master warn; server-id hostname; hostname none; querylog 1;
  cookie-secret "00112233445566778899aabbccddeeff"; disable-empty-zone "x"; tcp-clients 10; dnssec-policy none;
  blackhole { none; }; response-padding { any; } block-size 468; max-ixfr-ratio 50%; listen-on-v6 port 53 { ::1; };
  max-cache-size 10M; allow-transfer { key x; }; };
key "x" { secret "c2VjcmV0IHNlY3JldCBzZWNyZXQ="; algorithm hmac-sha1; };
primaries p port 5 { 192.0.2.1 key x; 2001:db8::2 port 99; };
zone "t.test" IN { notify yes; file "a.zone"; type primary; also-notify { p; 1.1.1.1; }; check-names ignore; };
acl z { !{ !10/8; any; }; };
logging { channel s { syslog local1; severity debug 5; print-time iso8601; buffered no; print-category yes; };
  channel n { null; }; channel f { file "a" versions unlimited size 1g suffix timestamp; };
  category default { s; null; }; category queries { f; default_syslog; }; };
controls { inet * port 99 allow { any; } keys { x; "x"; }; inet ::1 allow { none; } read-only yes; };
include "inc.conf";
""", """
view "v" { match-clients { any; }; recursion no; zone "t.test" { file "a.zone"; type master; };
  allow-transfer { none; }; key k { algorithm hmac-sha256; secret "c2VjcmV0"; }; };
options { rate-limit { window 5; responses-per-second 5; exempt-clients { 10/8; }; slip 2; }; version none;
  min-cache-ttl 1m; empty-zones-enable yes; max-udp-size 1232; notify-delay 10; };
""")):
            self.write("n.conf", text)
            for options in ("-p", "-px"):
                with self.subTest(i=i, options=options):
                    self.assertEqual(self.ours("checkconf", options, "n.conf"), run("named-checkconf", options, "n.conf"))

    @unittest.skipUnless(shutil.which("named-checkzone"), "BIND is not installed")
    def test_options_do_what_they_do_in_bind(self):
        self.write("z", "$TTL 90061\n" + TOP[TOP.index("@"):] + "ns 1 A 192.0.2.2\nq\\\"r A 1.2.3.4\nm MX 1 q\\\"r\n* TXT x\nb\\@ 0 TXT \"y; z.\"\n"
                   "$ORIGIN sub.t.test.\na A 1.1.1.1\nb.a MX 1 a\n@ 60 TXT apex\nc\\.d 300 CNAME b.a\n"
                   "_sip._tcp SRV 1 2 3 a\nx.y.z A 1.1.1.1\na.very.long.name.that.is.longer.than.any.column A 1.2.3.4\n")
        for options in ("-D", "-D -s full", "-D -s relative", "-s relative -o -", "-D -q", "-q", "-D -F text", "-s foo",
                        "-f foo", "-F map", "-i foo", "-k foo", "-l 30", "-l 1000000", "-l x", "-L 5", "-L x", "-c IN", "-c FOO", "-j",
                        "-J nofile", "-d", "-w /nix", "-t /nix", "-o /nix/out", "-m fail", "-M fail", "-n fail", "-r fail",
                        "-S fail", "-T ignore", "-W ignore"):
            with self.subTest(options):
                options = ["-i", "local"] + options.split()
                self.assertEqual(self.ours("checkzone", *options, "t.test", "z"),
                                 run("named-checkzone", *options, "t.test", "z"))

    @unittest.skipUnless(shutil.which("rndc-confgen") or os.path.exists("/usr/sbin/rndc-confgen"), "BIND is not installed")
    def test_keys_are_made_as_bind_makes_them(self):
        theirs = shutil.which("rndc-confgen") or "/usr/sbin/rndc-confgen"
        os.mkdir("root")
        for options in ("", "-A hmac-sha512", "-A sha256", "-A hmac-md5", "-A foo", "-b 0", "-b 9", "-b 513", "-k kk",
                        "-p 0", "-p 1953", "-p 70000", "-s 1.2.3.4", "-s ::1", "-s foo", "-a -c ./k", "-a -c ./k -u nobody",
                        "-a -c ./k -u nix", "-a -c /nix/k", "-a -c k -t root", "-r x", "-t /x", "-m"):
            with self.subTest(options):
                def made(*command):
                    code, text = run(*command, *options.split())
                    mode = stat.S_IMODE(os.stat("k").st_mode) if os.path.exists("k") else None
                    if mode is not None:
                        os.unlink("k")
                    return code, re.sub('secret "[^"]*"', "secret", text).replace("postroad-confgen", "rndc-confgen"), mode if code == 0 else None
                self.assertEqual(made(os.path.join(BIN, "postroad-confgen")), made(theirs))

    def test_zones_are_listed_loaded_and_printed(self):
        self.write("a.zone", TOP)
        self.write("n.conf", 'key k { algorithm hmac-md5; secret "YWJj"; };\nzone "a" { type primary; file "a.zone"; };\n')
        self.assertEqual(self.ours("checkconf", "-l", "n.conf"), (0, "a IN _default primary\n"))
        self.assertEqual(self.ours("checkconf", "-z", "n.conf"), (0, "zone a/IN: loaded serial 1\n"))
        code, text = self.ours("checkconf", "-px", "n.conf")
        self.assertIn("\tsecret \"????\";\n", text)
        self.assertNotIn("YWJj", text)
        self.write("a.zone", "")
        code, text = self.ours("checkconf", "-z", "n.conf")
        self.assertEqual(code, 1)
        self.assertIn("_default/a/IN: bad zone\n", text)

    def test_a_key_file_is_for_its_owner(self):
        self.assertEqual(self.ours("confgen", "-a", "-q", "-c", "k"), (0, ""))
        self.assertEqual(stat.S_IMODE(os.stat("k").st_mode), 0o600)
        with open("k") as f:
            text = f.read()
        self.assertRegex(text, r'^key "rndc-key" \{\n\talgorithm hmac-sha256;\n\tsecret "[A-Za-z0-9+/]{43}=";\n\};\n$')
        self.write("n.conf", 'include "k";\ncontrols { inet 127.0.0.1 allow { any; } keys { "rndc-key"; }; };\n')
        self.assertEqual(self.ours("checkconf", "n.conf"), (0, ""))
        self.assertEqual(self.ours("confgen", "-A", "nothing")[0], 1)

    def test_d8_includes_and_floods_of_a_zone_file_end(self):
        for text, wanted in (("$INCLUDE x.zone\n", "nested too deeply"), ("$INCLUDE /dev/zero\n", "not beneath"),
                             ("$INCLUDE /etc/shadow\n", "not beneath"), ("$GENERATE 0-2147483648 a$ A 1.2.3.4\n", "range"),
                             ("a TXT (" + " x\n" * 20000, "too many words"), ("a TXT " + "x" * 5000000, "line too long"), ("a TXT " + "x" * 70000 + "\n", "near"),
                             ("a TXT \\", "unexpected end"), ("a TXT ( b\n", "unbalanced parentheses"),
                             ("a TXT " + " ".join(["x" * 250] * 270) + "\n", "ran out of space")):
            self.write("x.zone", TOP + text)
            with self.subTest(text[:30]):
                code, said = self.ours("checkzone", "t.test", "x.zone")
                self.assertEqual(code, 1)
                self.assertRegex(said, re.escape(wanted))
                self.assertRegex(said, r"x\.zone:\d+")


if __name__ == "__main__":
    unittest.main()
