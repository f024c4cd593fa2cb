"""postlock runs a command while it holds the locks that local deliveries take."""
import fcntl
import os
import signal
import subprocess

import postroad


class PostLock(postroad.Test):
    def setUp(self):
        self.box = self.system(start=False, deliver_lock_attempts=1)
        self.box.write_config()
        self.folder = self.box.path("box")

    def lock(self, *arguments):
        return self.box.run("postlock", *arguments)

    def test_the_command_runs_under_the_locks(self):
        done = self.lock("-l", "fcntl, dotlock", self.folder, "sh", "-c", "ls %s.lock; exit 7" % self.folder)
        self.assertExit(done, 7)
        self.assertEqual(done.stdout, self.folder + ".lock\n")
        self.assertFalse(os.path.exists(self.folder + ".lock"))
        self.assertEqual(os.stat(self.folder).st_mode & 0o777, 0o600)

    def test_what_is_locked_is_waited_for_and_given_up(self):
        with open(self.folder, "w") as box:
            fcntl.flock(box, fcntl.LOCK_EX)
            done = self.lock("-l", "flock", self.folder, "echo", "hi")
            self.assertExit(done, 75)
            self.assertIn("unable to lock for exclusive access", done.stderr)
            self.assertExit(self.lock("-l", "dotlock", self.folder, "true"), 0)
            fcntl.flock(box, fcntl.LOCK_UN)
            fcntl.lockf(box, fcntl.LOCK_EX)
            self.assertExit(self.lock("-l", "fcntl", self.folder, "true"), 75)

    def test_exit_codes(self):
        for status, arguments in [(75, []), (75, [self.folder]), (75, ["-l", "bogus", self.folder, "true"]),
                                  (1, [self.folder, "/nonexistent"]), (75, [self.folder + "/x/y", "true"]),
                                  (1, [self.folder, "sh", "-c", "kill -9 $$"]), (0, [self.folder, "sh", "-c", "exit 0"])]:
            self.assertExit(self.lock(*arguments), status)
            self.assertFalse(os.path.exists(self.folder + ".lock"))

    def test_a_signal_ends_the_command_and_the_lock_goes(self):
        running = subprocess.Popen([postroad.BUILD + "/bin/postlock", "-l", "dotlock", self.folder, "sh", "-c",
                                    "trap 'exit 9' TERM; echo on; while :; do sleep 0.1; done"],
                                   stdout=subprocess.PIPE, env=self.box.environment())
        self.assertEqual(running.stdout.readline(), b"on\n")
        running.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(postroad.PATIENCE), 9)
        running.stdout.close()
        self.assertFalse(os.path.exists(self.folder + ".lock"))
