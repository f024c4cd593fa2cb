"""The short form of tests/chaos: all kinds of mail while daemons are killed or stopped, or the log fails.

Times are not judged here, since this machine may be busy: `make chaos` does that.
"""
import os
import sys

import postroad

sys.path.append(os.path.join(postroad.SOURCE, "tests", "chaos"))
import chaos        # noqa: E402


class Chaos(postroad.Test):
    def check(self, trouble, **options):
        verdict = chaos.run(chaos.options(trouble=trouble, slow=True, **options))
        if "skipped" in verdict.figures:
            self.skipTest(verdict.figures["skipped"])
        self.assertFalse(verdict.complaints, "\n" + verdict.text())
        return verdict

    def test_kill_anybody(self):
        self.check("kill", messages=2000, sessions=8, interval=0.2)

    def test_stop_each_for_a_while(self):
        verdict = self.check("stop", messages=300, sessions=8, stopped=0.8, pause=0.2)
        self.assertIn("cleanup SIGSTOP", verdict.figures["struck"])

    def test_the_log_is_not_read(self):
        self.check("log-killed", messages=300, sessions=8)

    def test_the_log_is_read_by_one_who_is_stopped(self):
        self.check("log-stopped", messages=300, sessions=8)

    def test_the_log_is_full(self):
        self.check("log-full", messages=300, sessions=8)

    def test_a_directory_in_place_of_the_log(self):
        self.check("log-directory", messages=300, sessions=8)
