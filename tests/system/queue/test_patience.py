"""Files of what waits are made little by little while other mail flows (qmgr/patience.c)."""
import glob
import os
import threading
import time

import postroad

COUNT = 200


class Patience(postroad.Test):
    def setUp(self):
        super().setUp()
        self.far = self.sink()
        self.far.answers["MAIL"] = "450 4.2.0 later"
        self.mail = self.system(relayhost=self.far.nexthop())
        self.over = threading.Event()
        self.flowing = threading.Thread(target=self.flow)
        self.addCleanup(self.stop_flow)

    def flow(self):
        with self.mail.smtp() as client:
            while not self.over.wait(0.1):
                self.mail.send(postroad.address("ada"), client=client)

    def stop_flow(self):
        self.over.set()
        if self.flowing.is_alive():
            self.flowing.join()

    def files(self):
        return [os.path.basename(f) for f in glob.glob(self.mail.path("spool", "deferred", "?", "*"))]

    def refuse(self):
        """Many mails are refused for now while others flow; their queue ids."""
        self.flowing.start()
        with self.mail.smtp() as client:
            ids = [self.mail.send("bob@far.example", client=client) for _ in range(COUNT)]

        def waiting():
            queue = self.mail.queue()
            return [i for i in ids if queue[i][0] == "" and "later" in "".join(queue[i][1])]
        postroad.wait_until(lambda: waiting() == ids, "mailq with %d that wait, and why" % COUNT, waiting)
        return ids

    def test_postsuper_does_not_wait(self):
        ids = self.refuse()
        done = self.mail.run("postsuper", "-d", "-", input="\n".join(ids) + "\n")
        self.assertIn("Deleted: %d messages" % COUNT, done.stderr)
        self.stop_flow()
        self.mail.wait_empty()
        self.assertFalse(self.files())

    def test_all_have_their_files_soon_after_mail_stops(self):
        ids = self.refuse()
        began = time.monotonic()
        self.stop_flow()
        postroad.wait_until(lambda: sorted(self.files()) == sorted(ids), "%d files" % COUNT, lambda: len(self.files()))
        self.assertLess(time.monotonic() - began, postroad.PATIENCE)

    def test_a_flush_does_not_wait(self):
        self.refuse()
        del self.far.answers["MAIL"]
        self.mail.run("postqueue", "-f", check=True)
        self.far.wait(COUNT)
        self.stop_flow()
        self.mail.wait_empty()
        self.assertEqual(len(self.far.messages), COUNT)

    def test_a_reload_and_a_kill_lose_none(self):
        ids = self.refuse()
        self.mail.reload()
        self.mail.allow("killed by signal 9")
        self.mail.kill("qmgr")
        self.stop_flow()
        postroad.wait_until(lambda: sorted(self.files()) == sorted(ids), "%d files" % COUNT, lambda: len(self.files()))
        del self.far.answers["MAIL"]
        self.mail.run("postqueue", "-f", check=True)
        self.far.wait(COUNT)
        self.mail.wait_empty()
        self.assertEqual(len(self.far.messages), COUNT)
