"""kill -9 under load: outgoing mail is never lost, and sent twice only where the line broke in doubt."""
import collections
import threading
import time

import postroad


class Kill(postroad.Test):
    MESSAGES = 400      # and 20 at once to one host

    def load(self, victim):
        """Send while the victim is killed again and again; give how often each message arrived."""
        server = self.sink()
        server.answers["."] = lambda line: time.sleep(0.02) or "250 2.0.0 Ok: taken"
        system = self.system(relayhost=server.nexthop(), minimal_backoff_time="1s", maximal_backoff_time="1s",
                             queue_run_delay="1s")
        system.allow("killed by signal 9")
        done = threading.Event()

        def kill():
            """Each time that 40 more have arrived: a slow machine sees no more kills than a quick one."""
            for count in range(40, self.MESSAGES, 40):
                while len(server.messages) < count and not done.wait(0.01):
                    pass
                system.kill(victim)
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            with system.smtp() as client:
                for n in range(self.MESSAGES):
                    system.send("rcpt%d@example.com" % n, client=client)
        finally:
            done.set()
            killer.join()
        system.run("postqueue", "-f")
        postroad.wait_until(lambda: len({m[1][0] for m in server.messages}) == self.MESSAGES, "every message",
                            lambda: "%d\n%s" % (len(server.messages), system.story()))
        system.wait_empty()
        return collections.Counter(m[1][0] for m in server.messages)

    def test_qmgr(self):
        """smtp(8) remembers for qmgr's successor what it sent: nothing arrives twice (Invariant 3)."""
        self.assertEqual({k: n for k, n in self.load("qmgr").items() if n > 1}, {})

    def test_smtp(self):
        twice = {k: n for k, n in self.load("smtp").items() if n > 1}
        # Nine kills, of twenty sessions each.
        self.assertLessEqual(len(twice), 9 * 20, "only what was in doubt: %r" % twice)

    def test_reload(self):
        """A reload while servers think about what they got: they get it once."""
        server = self.sink()
        server.answers["."] = lambda line: time.sleep(1) or "250 2.0.0 Ok: taken"
        system = self.system(relayhost=server.nexthop(), minimal_backoff_time="1s", queue_run_delay="1s")
        for n in range(5):
            system.send("rcpt%d@example.com" % n)
        postroad.wait_until(lambda: server.commands.count("DATA") == 5, "five messages on their way",
                            lambda: server.commands)
        system.reload()
        server.wait(5)
        system.wait_empty()
        self.assertEqual(len(server.messages), 5)
