"""postkick and postlog: a word to a service, a line to the log."""
import os
import re

import postroad


class Nudges(postroad.Test):
    def setUp(self):
        self.box = self.system()

    def test_postlog(self):
        def logged():
            self.assertExit(self.box.run("postlog", "-p", "warn", "-t", "myscript", "two", "words"), 0)
            return re.search(r"(?m)myscript\S*: warning: two words$", self.box.log())
        # A line that comes before postlogd is there is lost.
        postroad.wait_until(logged, "a line", self.box.log)
        self.assertExit(self.box.run("postlog", input="first\nsecond \x1b[1m\n"), 0)
        self.box.wait_log(r"postroad/postlog\S*: first$")
        self.box.wait_log(r"postroad/postlog\S*: second \?\[1m$")
        for severity in ("info", "error", "fatal", "panic"):
            self.assertExit(self.box.run("postlog", "-p", severity, "text of " + severity), 0)
            self.box.wait_log("text of " + severity)
        self.box.allow("text of (fatal|panic)")
        done = self.box.run("postlog", "-p", "bogus", "x")
        self.assertExit(done, 1)
        self.assertIn("bogus", done.stderr)

    def test_postkick_has_pickup_look_and_the_queue_tried(self):
        far = self.sink()
        self.box.settings["relayhost"] = far.nexthop()
        far.answers["CONNECT"] = "421 4.3.2 closed"
        self.box.reload()
        id = self.box.send("bob@far.example")
        self.box.wait_log(id + ": to=.*status=deferred")
        postroad.wait_until(lambda: os.path.exists(self.box.path("spool", "deferred", id[0], id)), "a file that waits")
        far.answers.clear()
        self.assertExit(self.box.run("postkick", "public", "qmgr", "FAD"), 0)
        self.box.wait_log(id + ": removed")
        self.assertExit(self.box.run("postkick", "public", "pickup", "W"), 0)

    def test_mistakes(self):
        for arguments in (["public", "nosuch", "W"], ["public", "pickup"], ["bogus", "pickup", "W"],
                          ["public", "../public/pickup", "W"]):
            self.assertExit(self.box.run("postkick", *arguments), 1)
