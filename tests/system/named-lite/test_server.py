"""The processes of named-lite: start, reload, crash, limits, what they may touch."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server
import wire


class Starting(server.Test):
    def ends(self, options="", more="", zones=None):
        s = self.server(zones or {"a.test": server.SOA % 1}, options, more, start=False)
        s.start()
        self.assertEqual(s.process.wait(server.PATIENCE), 1)
        self.assertIn("exiting (due to fatal error)", s.log())
        return s.log()

    def test_mistakes_in_named_conf_are_named_with_their_line(self):
        for text, wanted in (
                ("lissten-on { any; };", "named.conf:1: unknown option 'lissten-on'"),
                ("recursion no", "named.conf:1: missing ';' before '}'"),
                ("allow-query { nobody-we-know; };", "named.conf:1: undefined ACL 'nobody-we-know'"),
                ("response-policy { zone x; };", "named.conf:1: 'response-policy' is not served"),
                ("masterfile-format map;", "named.conf:1: 'map' unexpected")):
            with self.subTest(text):
                self.assertIn(wanted, self.ends(text))
        self.assertIn("zone 'b': missing 'file' entry", self.ends(more="zone b { type master; };"))
        self.assertIn("already exists previous definition", self.ends(more='zone a.test { type master; file "x"; };'))

    def test_the_pid_file_comes_and_goes(self):
        s = self.server({"a.test": server.SOA % 1}, 'pid-file "own.pid";')
        with open(s.directory + "/own.pid") as f:
            self.assertEqual(int(f.read()), s.process.pid)
        s.reload()
        s.process.terminate()
        self.assertEqual(s.process.wait(server.PATIENCE), 0)
        self.assertFalse(os.path.exists(s.directory + "/own.pid"))
        s.start()
        s.wait("running")
        s.write("own.pid", "1\n")      # of who came after us
        s.process.terminate()
        s.process.wait(server.PATIENCE)
        self.assertTrue(os.path.exists(s.directory + "/own.pid"))

    def test_a_journal_of_binds_is_told(self):
        s = self.server({"a.test": server.SOA % 1, "b.test": server.SOA % 1}, start=False)
        s.write("a.test.zone.jnl", ";BIND LOG V9\n")
        s.start()
        s.wait("running")
        self.assertIn("zone a.test/IN: journal file 'a.test.zone.jnl' is not read", s.log())
        self.assertNotIn("b.test.zone.jnl", s.log())
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")

    def test_what_is_not_served_is_told_and_the_rest_is(self):
        s = self.server({"a.test": server.SOA % 1}, "sortlist { any; }; // c\n # d\n",
                        'zone "b.test" { type slave; masters { 192.0.2.1; }; };\n'
                        'zone "." { type hint; file "root"; };\nlogging { };\n')
        self.assertIn("named.conf:1: 'sortlist' is not served by this server and has no effect", s.log())
        self.assertEqual(s.udp("b.test").status, "SERVFAIL")
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        self.assertEqual(s.udp("org").status, "REFUSED")

    def test_an_error_in_a_zone_concerns_that_zone(self):
        bad = {"syntax.test": server.SOA % 1 + "x A 1.2.3\n", "cname.test": server.SOA % 1 + "x CNAME y\nx A 1.2.3.4\n",
               "nons.test": "$TTL 1\n@ SOA a b 1 1 1 1 1\n", "open.test": server.SOA % 1 + "x TXT ( a\n",
               "noaddress.test": "$TTL 1\n@ SOA a b 1 1 1 1 1\n@ NS ns\n",
               "under.test": server.SOA % 1 + "a_b A 1.2.3.4\n",
               "device.test": server.SOA % 1 + "$INCLUDE /dev/zero\n",
               "loop.test": server.SOA % 1 + "$INCLUDE loop.test.zone\n"}
        s = self.server(dict(bad, **{"good.test": server.SOA % 3}))
        for zone in bad:
            self.assertEqual(s.udp(zone).status, "SERVFAIL", zone)
            self.assertIn("zone %s/IN: not loaded due to errors." % zone, s.log())
        self.assertEqual(s.udp("ns.good.test").status, "NOERROR")
        for line in ("dns_rdata_fromtext: syntax.test.zone:5: near '1.2.3': bad dotted quad",
                     "zone syntax.test/IN: loading from master file syntax.test.zone failed: bad dotted quad",
                     "dns_master_load: cname.test.zone:6: x.cname.test: CNAME and other data",
                     "zone nons.test/IN: has no NS records", "unbalanced parentheses",
                     "dns_master_load: device.test.zone:5: /dev/zero: not beneath",
                     "dns_master_load: loop.test.zone:5: $INCLUDE nested too deeply",
                     "zone noaddress.test/IN: NS 'ns.noaddress.test' has no address records (A or AAAA)",
                     "under.test.zone:5: a_b.under.test: bad owner name (check-names)",
                     "zone good.test/IN: loaded serial 3"):
            self.assertIn(line, s.log())

    def test_an_address_that_is_taken(self):
        s = self.server({"a.test": server.SOA % 1})
        second = subprocess.run([server.PROGRAM, "-g", "-4", "-c", s.directory + "/named.conf"],
                                capture_output=True, text=True, timeout=server.PATIENCE)
        self.assertEqual(second.returncode, 1)
        self.assertIn("Address already in use", second.stderr)


class Running(server.Test):
    def test_reload_loses_no_question_and_never_goes_back(self):
        s = self.server({"a.test": server.SOA % 1})
        seen, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                answer = s.udp("a.test", "SOA")
                seen.append(answer and int(answer.answer[0][3].split()[2][:8], 16))

        asker = threading.Thread(target=ask)
        asker.start()
        try:
            for serial in range(2, 8):
                s.write("a.test.zone", server.SOA % serial)
                s.reload()
        finally:
            server.wait_until(lambda: seen and seen[-1] == 7, "the last serial", s.log)
            stop.set()
            asker.join()
        self.assertNotIn(None, seen)

    def test_a_broken_configuration_changes_nothing(self):
        s = self.server({"a.test": server.SOA % 1})
        s.write("named.conf", "options { oops; };")
        s.process.send_signal(signal.SIGHUP)
        s.wait("what was served before goes on")
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        s.zones["b.test"] = server.SOA % 1
        s.write("b.test.zone", s.zones["b.test"])
        s.configure()
        s.reload()
        server.wait_until(lambda: s.udp("ns.b.test").status == "NOERROR", "the new zone", s.log)

    def test_a_zone_that_breaks_is_served_on_as_it_was(self):
        zone = server.SOA % 5 + ("www CNAME ns\n*.w MX 1 ns\nMail A 192.0.2.9\n@ MX 5 mail\nsub NS ns.sub\n"
                                 "ns.sub A 192.0.2.7\n_s._tcp SRV 1 2 3 mail\n$GENERATE 1-90 many A 10.0.0.$\n")
        s = self.server({"a.test": zone, "b.test": server.SOA % 1})
        questions = [("a.test", "ANY"), ("www.a.test", "A"), ("x.w.a.test", "MX"), ("sub.a.test", "A"),
                     ("_s._tcp.a.test", "SRV"), ("nope.a.test", "A"), ("many.a.test", "A"), ("MAIL.a.test", "A")]
        before = [s.tcp(*q).same() for q in questions]
        s.write("a.test.zone", zone.replace("192.0.2.9", "192.0.2"))
        s.write("b.test.zone", server.SOA % 2)
        s.reload()
        server.wait_until(lambda: s.udp("b.test", "SOA").answer[0][3].split()[2].startswith("00000002"),
                          "the other zone", s.log)
        self.assertEqual([s.tcp(*q).same() for q in questions], before)
        self.assertIn("zone a.test/IN: serial 5 is served on", s.log())

    def test_a_killed_answerer_is_replaced(self):
        s = self.server({"a.test": server.SOA % 1}, arguments=["-n", "2"])
        server.wait_until(lambda: len(s.children()) == 2, "two answerers", s.log)
        for pid in s.children():
            os.kill(pid, signal.SIGKILL)
        s.wait("was killed by signal 9; starting another", 2)
        server.wait_until(lambda: len(s.children()) == 2, "two new ones", s.log)
        for _ in range(20):
            self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
            self.assertEqual(s.tcp("ns.a.test").status, "NOERROR")

    def test_sigterm_ends_all(self):
        s = self.server({"a.test": server.SOA % 1})
        children = s.children()
        s.process.terminate()
        self.assertEqual(s.process.wait(server.PATIENCE), 0)
        for pid in children:
            self.assertFalse(os.path.exists("/proc/%d" % pid))

    def test_answerers_die_with_their_supervisor(self):
        s = self.server({"a.test": server.SOA % 1})
        children = s.children()
        s.process.kill()
        s.process.wait()

        def is_gone(pid):
            try:
                with open("/proc/%d/stat" % pid) as f:
                    return ") Z" in f.read()
            except OSError:
                return True
        server.wait_until(lambda: all(map(is_gone, children)), "the end of the answerers")

    def test_answerers_can_touch_nothing(self):
        s = self.server({"a.test": server.SOA % 1})
        server.wait_until(s.children, "answerers")
        self.assertEqual(s.udp("ns.a.test").status, "NOERROR")
        for pid in s.children():
            with open("/proc/%d/status" % pid) as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            self.assertEqual(int(status["CapEff"], 16) if os.geteuid() == 0 else 0, 0)
            if "sanitize" not in server.BUILD:
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
            if os.geteuid() == 0:
                self.assertNotIn("0", status["Uid"].split())
                self.assertEqual(os.listdir("/proc/%d/root/" % pid), [])

    def test_idle_and_greedy_tcp_clients(self):
        s = self.server({"a.test": server.SOA % 1 + "$GENERATE 1-90 many A 10.0.0.$\n"},
                        "tcp-clients 20; tcp-initial-timeout 25; tcp-idle-timeout 10;", arguments=["-n", "1"])
        idle = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(60)]
        self.addCleanup(lambda: [c.close() for c in idle])
        self.assertEqual(s.tcp("ns.a.test").status, "NOERROR")
        idle[-1].settimeout(server.PATIENCE)
        self.assertEqual(idle[-1].recv(1), b"")     # closed when its time was over

        # One who never reads costs a buffer, not the service.
        one = wire.question("many.a.test")
        greedy = socket.create_connection(("127.0.0.1", s.port))
        self.addCleanup(greedy.close)
        greedy.setblocking(False)
        with self.assertRaises((BlockingIOError, ConnectionError)):
            while True:
                greedy.send((struct.pack(">H", len(one)) + one) * 100)
        self.assertEqual(s.tcp("ns.a.test").status, "NOERROR")
        self.assertEqual(len(s.children()), 1)

    def test_clients_that_vanish(self):
        s = self.server({"a.test": server.SOA % 1}, arguments=["-n", "1"])
        children = s.children()
        one = wire.question("ns.a.test")
        for _ in range(300):
            c = socket.create_connection(("127.0.0.1", s.port))
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.send((struct.pack(">H", len(one)) + one) * 50)
            c.close()
        self.assertEqual(s.tcp("ns.a.test").status, "NOERROR")
        self.assertEqual(s.children(), children)


if __name__ == "__main__":
    unittest.main()
