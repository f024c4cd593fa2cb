"""The control channel, by BIND's rndc where it is installed, and by our own client."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server

OURS = os.path.join(server.BUILD, "bin", "postroad-rndc")
KEY = 'key "%s" { algorithm %s; secret "c2VjcmV0IHNlY3JldCBzZWNyZXQ="; };\n'


class Control(server.Test):
    def start(self, zones=None, algorithm="hmac-sha256", controls="allow { any; } keys { \"rndc-key\"; }", **more):
        self.control = server.free_port()
        s = self.server(zones or {"a.test": server.SOA % 1}, "", KEY % ("rndc-key", algorithm)
                        + "controls { inet 127.0.0.1 port %d %s; };\n" % (self.control, controls), **more)
        s.write("rndc.key", KEY % ("rndc-key", algorithm))
        return s

    def run_one(self, program, s, *words):
        done = subprocess.run([program, "-k", s.directory + "/rndc.key", "-s", "127.0.0.1", "-p", str(self.control),
                               *words], capture_output=True, text=True, timeout=server.PATIENCE * 3)
        return done.returncode, done.stdout.strip(), done.stderr.strip().split(": ", 1)[-1]

    def clients(self):
        return [OURS] + [p for p in [shutil.which("rndc") or "/usr/sbin/rndc"] if os.path.exists(p)]

    def test_commands(self):
        s = self.start()
        for program in self.clients():
            for words, wanted in (
                    ("reload", (0, "server reload successful", "")),
                    ("reload a.test", (0, "zone reload up-to-date", "")),
                    ("reload x.test", (1, "", "'reload' failed: not found\nno matching zone 'x.test' in any view")),
                    ("reconfig", (0, "", "")), ("notify a.test", (0, "zone notify queued", "")),
                    ("retransfer a.test", (1, "", "'retransfer' failed: failure\n"
                                           "retransfer: inappropriate zone type: primary")),
                    ("freeze a.test", (1, "", "'freeze' failed: not dynamic")), ("thaw", (0, "", "")),
                    ("dumpdb", (1, "", "'dumpdb' failed: not implemented")),
                    ("nonsense", (1, "", "'nonsense' failed: unknown command")),
                    ("querylog maybe", (1, "", "'querylog' failed: syntax error"))):
                with self.subTest(program=program, words=words):
                    self.assertEqual(self.run_one(program, s, *words.split()), wanted)
            code, text, _ = self.run_one(program, s, "status")
            self.assertEqual(code, 0)
            self.assertIn("number of zones: 1 (0 automatic)", text)
            self.assertTrue(text.endswith("server is up and running"))
        self.assertEqual(self.run_one(self.clients()[-1], s, "stop")[0], 0)
        self.assertEqual(s.process.wait(server.PATIENCE), 0)

    def test_a_single_view_for_all(self):
        s = self.start(start=False)
        s.zones = {}
        s.options = "allow-query { none; };"
        s.more += """view "external" { match-clients { any; }; allow-query { any; };
                     zone "a.test" { type primary; file "a.test.zone"; }; };"""
        s.configure()
        s.start()
        s.wait("running")
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        for program in self.clients():
            self.assertEqual(self.run_one(program, s, *"reload a.test IN external".split())[0], 0)
            self.assertEqual(self.run_one(program, s, *"reload a.test IN other".split()),
                             (1, "", "'reload' failed: not found\nno matching view 'other'"))

    def test_each_algorithm(self):
        for algorithm in ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha384", "hmac-sha512"):
            s = self.start(algorithm=algorithm)
            for program in self.clients():
                with self.subTest(program=program, algorithm=algorithm):
                    self.assertEqual(self.run_one(program, s, "reload", "a.test")[0], 0)

    def test_a_broken_zone_stays_and_zonestatus_says_why(self):
        s = self.start()
        s.write("a.test.zone", server.SOA % 2 + "broken A 1.2.3\n")
        self.assertEqual(self.run_one(OURS, s, "reload", "a.test")[0], 0)
        text = self.run_one(OURS, s, "zonestatus", "a.test")[1]
        self.assertIn("serial: 1\n", text)
        self.assertIn("last reload failed: loading from master file a.test.zone failed: bad dotted quad", text)
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        s.write("a.test.zone", server.SOA % 3)
        self.assertEqual(self.run_one(OURS, s, "reload", "a.test")[0], 0)
        text = self.run_one(OURS, s, "zonestatus", "a.test")[1]
        self.assertIn("serial: 3\n", text)
        self.assertNotIn("failed", text)

    def test_a_broken_configuration_fails_and_changes_nothing(self):
        s = self.start()
        with open(s.directory + "/named.conf", "a") as f:
            f.write("oops\n")
        self.assertEqual(self.run_one(OURS, s, "reload")[::2], (1, "'reload' failed: failure"))
        self.assertEqual(self.run_one(OURS, s, "reload", "a.test")[0], 0)     # not concerned
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")

    def test_questions_are_logged(self):
        s = self.start()
        s.udp("ns.a.test")
        self.assertEqual(self.run_one(OURS, s, "querylog", "on")[0], 0)
        server.wait_until(lambda: s.udp("ns.a.test", recursion=True, edns=1232, do=True) and
                          "(ns.a.test): query: ns.a.test IN A +E(0)D (127.0.0.1)" in s.log(), "the line", s.log)
        s.tcp("a.test", "AXFR")
        s.wait("(a.test): query: a.test IN AXFR -T (127.0.0.1)")
        self.assertEqual(self.run_one(OURS, s, "querylog")[0], 0)
        self.assertIn("query logging is now off", s.log())
        s = self.start(zones={"a.test": server.SOA % 1}, arguments=["-n", "1"])
        with open(s.directory + "/named.conf") as f:
            text = f.read()
        s.write("named.conf", text.replace("options {", "options { querylog yes;"))
        s.reload()
        server.wait_until(lambda: s.udp("ns.a.test") and "query: ns.a.test IN A - (" in s.log(), "the line", s.log)

    def test_strangers(self):
        s = self.start()
        s.write("rndc.key", (KEY % ("rndc-key", "hmac-sha256")).replace("c2Vj", "d2Vj"))
        self.assertEqual(self.run_one(OURS, s, "stop")[0], 1)
        s.wait("invalid command from 127.0.0.1#")
        for octets in (b"\0\0\0\x08\0\0\0\1", b"\xff\xff\xff\xff", b"\0\0\0\0", os.urandom(500)):
            with socket.create_connection(("127.0.0.1", self.control), server.PATIENCE) as c:
                c.sendall(octets)
                c.shutdown(socket.SHUT_WR)
                try:
                    self.assertEqual(c.recv(1), b"")
                except ConnectionError:
                    pass
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        s = self.start(controls="allow { 192.0.2.1; } keys { \"rndc-key\"; }")
        self.assertEqual(self.run_one(OURS, s, "stop")[0], 1)
        s.wait("rejected command channel message from 127.0.0.1#")
        s = self.start(controls="allow { any; } keys { \"rndc-key\"; } read-only yes")
        self.assertEqual(self.run_one(OURS, s, "status")[0], 0)
        self.assertEqual(self.run_one(OURS, s, "stop")[::2], (1, "'stop' failed: permission denied"))

    def test_the_envoy_is_replaced(self):
        s = self.start()
        self.assertEqual(self.run_one(OURS, s, "status")[0], 0)
        s.kill_envoy()
        s.wait("the envoy was killed by signal 9; starting another")
        server.wait_until(lambda: self.run_one(OURS, s, "reload")[0] == 0, "a new envoy", s.log)


if __name__ == "__main__":
    unittest.main()
