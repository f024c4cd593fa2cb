"""Limits that the system sets to a daemon: it does without, or dies; its mail waits, and nobody else's."""
import contextlib
import os
import shutil
import signal
import smtplib
import tempfile

import postroad

LINES = 40      # of the log: less than a second's worth of a loop that does not rest


class Limits(postroad.Test):
    def setUp(self):
        super().setUp()
        self.far = self.sink()

    def start(self, **main_cf):
        self.mail = self.system(relayhost=self.far.nexthop(), minimal_backoff_time="1s", maximal_backoff_time="2s",
                                queue_run_delay="1s", transport_retry_time="1s", service_throttle_time="1s", **main_cf)
        return self.mail

    def programs(self):
        """A daemon_directory of this test: each program is a link to the real one."""
        scratch = tempfile.mkdtemp(prefix="postroad-test-")
        self.addCleanup(shutil.rmtree, scratch)
        os.chmod(scratch, 0o755)
        place = scratch + "/libexec"
        os.mkdir(place)
        for name in os.listdir(postroad.BUILD + "/libexec"):
            os.symlink(postroad.BUILD + "/libexec/" + name, place + "/" + name)
        return place

    @contextlib.contextmanager
    def limited(self, program, limit):
        """Processes of the program have a limit from their first instruction on; those of no other have it."""
        path = self.mail.settings["daemon_directory"] + "/" + program
        real = os.readlink(path)
        postroad.write(path, '#!/bin/sh\nexec prlimit %s -- %s "$@"\n' % (limit, real), 0o755)
        self.restart(program)
        yield
        os.symlink(real, path + ".new")
        os.rename(path + ".new", path)
        self.restart(program)

    def restart(self, program):
        """Also one that was started a moment ago and is not yet the program."""
        def mine():
            return {p for p in self.mail.processes()
                    if self.mail.program_of(p) == program or "/libexec/" + program in self.mail.command_line(p)}
        before = mine()
        for pid in before:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        postroad.wait_until(lambda: set(self.mail.processes(program)) - before, "another " + program, self.mail.story)

    def both_kinds(self, count):
        """Mails to a Maildir and to another host; what is refused for now is sent again."""
        for n in range(count):
            for to in (postroad.address("ada"), "bob@far.example"):
                def taken():
                    with contextlib.suppress(OSError, smtplib.SMTPException):
                        return self.mail.send(to, subject="mail %d" % n)
                postroad.wait_until(taken, "mail %d to be taken" % n, self.mail.story)

    def all_arrive(self, count):
        self.mail.wait_empty()
        self.assertEqual(len(self.mail.mails("ada")), count)
        self.assertGreaterEqual(len(self.far.messages), count)  # twice if smtp ended before it heard the answer

    def test_files_may_not_grow(self):
        for program in ("cleanup", "qmgr"):
            with self.subTest(program):
                self.far = self.sink()
                self.start(daemon_directory=self.programs())
                self.mail.allow("throttling|killed by signal 9")
                self.both_kinds(1)
                with self.limited(program, "--fsize=100"), contextlib.suppress(AssertionError):     # 451
                    self.mail.send(postroad.address("ada"), "bob@far.example", subject="limited")
                    self.far.wait(2)
                self.both_kinds(1)
                self.mail.wait_empty()
                subjects = [m["subject"] for m in self.mail.mails("ada")]
                self.assertEqual(len(subjects), len(self.far.messages))
                self.assertEqual(subjects.count("limited"), len(subjects) - 2)

    @postroad.need_root
    def test_no_process(self):
        """Of qmgr, whose user has others."""
        self.start(daemon_directory=self.programs())
        self.mail.allow("throttling|killed by signal 9")
        self.both_kinds(1)
        with self.limited("qmgr", "--nproc=0"):
            self.mail.wait_log("cannot start the filer: .*; trying again")
            self.both_kinds(5)      # is not deferred, so it needs no file
            self.far.wait(6)
        self.far.answers["MAIL"] = "450 4.2.0 later"
        waits = self.mail.send("bob@far.example")
        postroad.wait_until(lambda: os.path.exists(self.mail.path("spool", "deferred", waits[0], waits)), "a file", self.mail.story)
        self.assertLess(self.mail.log().count("cannot start the filer"), LINES)

    def test_no_program(self):
        place = self.programs()
        self.start(daemon_directory=place)
        self.mail.allow("throttling|killed by signal 9")
        self.both_kinds(1)
        os.rename(place + "/local", place + "/local.away")
        self.mail.kill("local")
        waits = self.mail.send(postroad.address("ada"))
        for n in range(5):
            self.mail.send("bob%d@far.example" % n)
        self.far.wait(6)
        self.mail.wait_log("throttling")
        before = len(self.mail.log().splitlines())
        os.rename(place + "/local.away", place + "/local")
        self.mail.wait_log(waits + ": removed")
        self.assertLess(before, 5 * LINES)
        self.mail.wait_empty()

    def test_ended_by_limits_of_the_system(self):
        self.start()
        self.mail.allow("killed by signal|throttling")
        for number in (signal.SIGXCPU, signal.SIGKILL):
            for program in ("cleanup", "qmgr", "local", "smtp"):
                self.mail.kill(program, number)
                self.both_kinds(1)
        self.all_arrive(8)
