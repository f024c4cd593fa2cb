"""logging of named.conf: channels and categories, in BIND's format."""

import glob
import os
import re
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server

STAMP = r"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3} "


class Logging(server.Test):
    def start(self, logging, zones=None, arguments=()):
        s = self.server(zones or {"a.test": server.SOA % 1}, more="logging { %s };" % logging, start=False)
        # -g, as in BIND, would have all on standard error.
        s.run([server.PROGRAM, "-f", "-4", "-n", "1", "-L", s.directory + "/base", *arguments, "-c",
               s.directory + "/named.conf"])
        server.wait_until(lambda: s.process.poll() is not None or s.processes("logging") and s.udp("a.test", "SOA"),
                          "an answer", lambda: self.read(s, "base"))
        return s

    def read(self, s, name):
        try:
            with open(os.path.join(s.directory, name)) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait(self, s, name, pattern):
        server.wait_until(lambda: re.search(pattern, self.read(s, name), re.M), pattern,
                          lambda: self.read(s, name) + self.read(s, "base"))

    def test_what_bind_users_have(self):
        s = self.start("""channel queries_log { file "query.log" versions 3 size 5m; severity dynamic; print-time yes;
                            print-severity yes; print-category yes; };
                          channel plain { file "plain.log"; severity warning; };
                          channel utc { file "utc.log"; print-time iso8601-utc; };
                          channel lost { null; };
                          category queries { queries_log; }; category default { plain; utc; };
                          category query-errors { queries_log; }; category security { queries_log; };
                          category update-security { queries_log; }; category xfer-out { lost; };""",
                       {"a.test": server.SOA % 1, "b.test": "@ SOA\n"})
        s.udp("ns.a.test", edns=1232, do=True)
        s.udp("x.elsewhere", recursion=True)
        s.tcp("a.test", "AXFR")
        client = r"client @0x[0-9a-f]+ 127\.0\.0\.1#\d+ "
        for line in (r"queries: info: %s\(ns.a.test\): query: ns.a.test IN A -E\(0\)D \(127.0.0.1\)$" % client,
                     r"queries: info: %s\(a.test\): query: a.test IN AXFR -T \(127.0.0.1\)$" % client,
                     r"query-errors: info: %s\(x.elsewhere\): query failed \(REFUSED\) for x.elsewhere/IN/A" % client):
            self.wait(s, "query.log", "^" + STAMP + line)
        self.wait(s, "plain.log", r"^zone b.test/IN: not loaded due to errors\.$")
        self.wait(s, "utc.log", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z running$")
        s.process.terminate()
        self.assertEqual(s.process.wait(server.PATIENCE), 0)
        self.assertNotIn("running", self.read(s, "plain.log") + self.read(s, "base"))
        self.assertTrue(self.read(s, "utc.log").endswith("exiting\n"), self.read(s, "utc.log"))

    def test_versions_by_number(self):
        s = self.start('channel c { file "c" versions 2 size 1k; }; category queries { c; };')
        for _ in range(60):     # 70 octets a line
            s.udp("ns.a.test")
        server.wait_until(lambda: os.path.exists(s.directory + "/c.1"), "versions")
        s.process.terminate()
        s.process.wait(server.PATIENCE)
        files = sorted(map(os.path.basename, glob.glob(s.directory + "/c*")))
        self.assertEqual(files, ["c", "c.0", "c.1"])
        self.assertTrue(all(os.path.getsize(os.path.join(s.directory, f)) < 1200 for f in files))

    def test_versions_by_time_and_a_full_file(self):
        s = self.start('channel t { file "t" versions 1 suffix timestamp; }; channel full { file "full" size 300; };'
                       "category queries { t; full; };")
        for _ in range(3):
            for _ in range(20):
                s.udp("ns.a.test")
            self.wait(s, "t", "query: ns.a.test")
            s.process.send_signal(signal.SIGHUP)
            before = self.read(s, "t")
            server.wait_until(lambda: s.udp("ns.a.test") and self.read(s, "t") and
                              not self.read(s, "t").startswith(before[:60]), "a new file", lambda: self.read(s, "base"))
        self.assertEqual(len(glob.glob(s.directory + "/t.*")), 1)
        self.assertLess(os.path.getsize(s.directory + "/full"), 500)

    def test_rotation_by_others_and_a_killed_scribe(self):
        s = self.start('channel c { file "c"; }; category queries { c; };')
        for told in (signal.SIGHUP, signal.SIGUSR1):
            os.rename(s.directory + "/c", s.directory + "/old")
            s.process.send_signal(told)
            server.wait_until(lambda: s.udp("ns.a.test") and "query" in self.read(s, "c"), "a new file")
        os.kill(s.processes("logging")[0], signal.SIGKILL)
        lines = self.read(s, "c").count("\n")
        for _ in range(10):
            self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        server.wait_until(lambda: self.read(s, "c").count("\n") >= lines + 10, "the lines of that time")

    def test_a_file_that_cannot_be(self):
        s = self.start('channel c { file "/nonexistent/c"; }; category queries { c; };')
        self.wait(s, "base", "logging channel file '/nonexistent/c': cannot open it: No such file or directory")
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")

    def test_a_start_that_fails_says_why(self):
        for more, name, why in (("oops;", "base", "unknown option 'oops'"), ("", "c", "no address to listen on")):
            s = self.server({"a.test": server.SOA % 1}, start=False, more='logging { channel c { file "c"; };'
                            "category default { c; }; };" + more)
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", s.port))
                taken.listen()
                s.run([server.PROGRAM, "-f", "-4", "-L", s.directory + "/base", "-c", s.directory + "/named.conf"])
                self.assertEqual(s.process.wait(server.PATIENCE), 1)
            self.assertIn(why, self.read(s, name))


if __name__ == "__main__":
    unittest.main()
