"""The hand-over is answered once: cleanup and qmgr die again and again, and what was accepted is there once."""
import collections
import itertools
import random
import smtplib
import threading
import time
import unittest

import postroad

MESSAGES = 1500
SENDERS = 10
KILL_EVERY = 0.3        # seconds


class HandOver(postroad.Test):
    def deliver(self, system, numbers, accepted):
        client = None
        for n in numbers:
            for attempt in itertools.count():
                try:
                    client = client or system.smtp()
                    client.sendmail("sender@example.net", ["ada@example.org"],
                                    "Subject: %d.%d\r\n\r\nHello.\r\n" % (n, attempt))
                    accepted.append("%d.%d" % (n, attempt))
                    break
                except (smtplib.SMTPException, OSError):
                    client = None

    def test_no_message_is_lost_or_doubled(self):
        system = self.system()
        system.allow("killed by signal 9|throttling")
        accepted = []
        numbers = iter(range(MESSAGES))
        lock = threading.Lock()

        def each():
            while True:
                with lock:
                    n = next(numbers, None)
                if n is None:
                    return
                yield n

        senders = [threading.Thread(target=self.deliver, args=(system, each(), accepted))
                   for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders):
            time.sleep(KILL_EVERY)      # the rate of kills is the test's load, not a wait
            system.kill(random.choice(["cleanup", "qmgr", "trivial-rewrite"]))

        def delivered():
            return collections.Counter(mail["Subject"] for mail in system.mails("ada"))

        postroad.wait_until(lambda: set(accepted) <= set(delivered()), "every accepted message",
                            lambda: sorted(set(accepted) - set(delivered()))[:20])
        self.assertEqual([s for s, times in delivered().items() if times > 1], [])


if __name__ == "__main__":
    unittest.main()
