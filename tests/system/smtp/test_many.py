"""A thousand deliveries at once, and a destination that tarpits."""
import re
import subprocess
import time

import postroad
from agent import Test


class Many(Test):
    def slow_server(self, *options):
        server = subprocess.Popen([postroad.BUILD + "/tests/bench/smtp-sink", *options, "127.0.0.1", "0"],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server, "[127.0.0.1]:" + server.stdout.readline().split()[1]

    def test_1000_at_once_to_a_slow_server(self):
        """Each stage takes a second; all sessions wait at the same time, in one small process."""
        server, nexthop = self.slow_server("-d", "1000")
        smtp = self.agent(smtp_connection_cache_on_demand="no")
        began = time.monotonic()
        found = smtp.deliver(nexthop, content="Subject: x\n\n" + "x" * 70 + "\n" * 60, options=("-n", "1000"),
                             timeout=postroad.PATIENCE * 2)
        took = time.monotonic() - began
        self.assertEqual({f[1] for f in found}, {"sent"})
        self.assertEqual(len(found), 1000)
        memory = smtp.memory()
        server.terminate()
        counts = dict(re.findall(r"(\w+) (\d+)", server.stdout.read()))
        self.assertEqual((counts["messages"], counts["connections"]), ("1000", "1000"))
        self.assertGreater(int(counts["most"]), 100, "sessions at once; one after the other takes an hour")
        self.assertLess(memory, 40 << 20)
        if postroad.os.environ.get("V"):
            print("1,000 deliveries: %.1f s, %d KiB resident, at most %s at once"
                  % (took, memory >> 10, counts["most"]), file=postroad.sys.stderr)

    def test_a_tarpit_holds_up_nobody_else(self):
        _, tarpit = self.slow_server("-d", "100000")
        _, quick = self.slow_server()
        smtp = self.agent()
        stuck = subprocess.Popen([postroad.BUILD + "/tests/system/deliver", "-n", "300", smtp.socket_path, tarpit,
                                  "a@example.org", "b@example.net"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(stuck.wait)
        self.addCleanup(stuck.kill)
        found = smtp.deliver(quick, options=("-n", "200"))
        self.assertEqual([f[1] for f in found], ["sent"] * 200)
        self.assertIsNone(stuck.poll(), "the tarpit was over first")
