"""A sample of tests/faults: one call of one daemon fails, and the mail has its one end all the same.

`make faults` does it for every call of every daemon.
"""
import errno
import os
import sys
import unittest

import postroad

sys.path += [os.path.join(postroad.SOURCE, "tests", n) for n in ("chaos", "faults")]
import faults       # noqa: E402

# The calls that matter most: what makes durable, what answers, what takes a place.
SAMPLE = {
    "smtpd": [("maildir", "read", errno.EIO), ("maildir", "send", errno.ENOMEM), ("large", "write", errno.ENOSPC)],
    "cleanup": [("maildir", "sync", errno.EIO), ("maildir", "send", errno.ENOMEM), ("large", "sync", errno.EIO),
                ("large", "write", errno.ENOSPC), ("large", "name", errno.ENOSPC), ("alias", "read", errno.EIO),
                ("bounce", "write", faults.LESS)],
    "qmgr": [("maildir", "write", errno.EIO), ("maildir", "send", errno.ENOMEM), ("large", "open", errno.EMFILE),
             ("later", "sync", errno.EIO), ("later", "name", errno.ENOSPC), ("bounce", "send", errno.ENOMEM)],
    "local": [("maildir", "sync", errno.EIO), ("maildir", "name", errno.ENOSPC), ("maildir", "send", errno.ENOMEM),
              ("alias", "open", errno.EMFILE), ("large", "write", faults.LESS)],
    "smtp": [("far", "send", errno.ENOMEM), ("far", "read", errno.EIO), ("far", "socket", errno.EMFILE)],
}


def has_shim():
    """Not beside a sanitizer, which has a malloc of its own."""
    if not os.path.exists(postroad.BUILD + "/tests/faults/faults.so"):
        return False
    with open(postroad.BUILD + "/libexec/cleanup", "rb") as f:
        return b"__asan_init" not in f.read()


@unittest.skipUnless(has_shim(), "needs tests/faults/faults.so, and a build without sanitizers")
class Faults(postroad.Test):
    def check(self, program):
        trial = faults.Trial(program)
        try:
            for life, name, error in SAMPLE[program]:
                trial.exhaust(life, name, error, limit=12)
        finally:
            complaints = trial.close()
        self.assertEqual(complaints, [], "\n".join(complaints))
        self.assertGreater(trial.steps, len(SAMPLE[program]), "hardly a fault was reached")

    def test_smtpd(self):
        self.check("smtpd")

    def test_cleanup(self):
        self.check("cleanup")

    def test_qmgr(self):
        self.check("qmgr")

    def test_local(self):
        self.check("local")

    def test_smtp(self):
        self.check("smtp")

    def test_no_process_can_be_forked(self):
        """Master goes on, tries ever more seldom, says so, and recovers by itself."""
        trial = faults.Trial("master")
        try:
            trial.shim.arm("fork", errno.EAGAIN, 1, 1 << 60)
            for program in "smtpd", "cleanup", "pickup", "postlogd":
                trial.box.kill(program)
            postroad.wait_until(lambda: trial.shim.seen()["fired"] >= 15, "master tries", trial.box.story)
            self.assertTrue(trial.box.processes("master"))
            trial.shim.disarm()
            trial.box.wait_log("cleanup: fork: Resource temporarily unavailable; trying again in 200 ms")
            trial.run_life("maildir")
            self.assertLess(trial.box.log().count("fork: "), 60, "a flood in the log")
        finally:
            complaints = trial.close()
        self.assertEqual(complaints, [], "\n".join(complaints))
