"""What qmgr has no room for is accepted mail all the same: mailq lists it."""
import threading

import postroad


class Backlog(postroad.Test):
    def test_mail_that_is_in_the_journal_alone_is_listed(self):
        far = self.sink()
        go = threading.Event()
        self.addCleanup(go.set)
        far.answers["CONNECT"] = lambda line: go.wait(postroad.PATIENCE) and "220 sink.example.net ESMTP"
        box = self.system(relayhost=far.nexthop(), qmgr_message_active_limit=3)
        with box.smtp() as client:
            ids = [box.send("bob@far.example", client=client) for _ in range(12)]
        listed = box.queue()
        self.assertEqual(sorted(listed), sorted(ids))
        flags = [flag for flag, _, _ in listed.values()]
        self.assertIn("", flags)        # in incoming
        self.assertIn("*", flags)       # on its way
        self.assertIn("now: in ", box.run("postroad", "trace", ids[-1]).stdout)
        self.assertEqual(box.run("qshape").stdout.splitlines()[1].split()[1], "12")
        go.set()
        far.wait(12)
        box.wait_empty()
