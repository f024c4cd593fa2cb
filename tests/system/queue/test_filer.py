"""What qmgr leaves to its filer, and the invariants that stand at its head (qmgr/qmgr.c)."""
import contextlib
import os
import shutil
import signal
import smtplib
import threading
import time

import postroad


class Filer(postroad.Test):
    def relay(self, **main_cf):
        self.far = self.sink()
        return self.system(relayhost=self.far.nexthop(), **main_cf)

    def defer(self, system, count=1):
        """Mails that are refused for now, by queue id."""
        self.far.answers["MAIL"] = "450 4.2.0 later"
        ids = [system.send("bob%d@far.example" % n, sender="ada@example.org") for n in range(count)]
        for queue_id in ids:
            self.path_of(system, queue_id)
        return ids

    def path_of(self, system, queue_id, queue="deferred"):
        path = os.path.join(system.spool, queue, *(queue_id[0], queue_id) if queue == "deferred" else (queue_id,))
        return postroad.wait_until(lambda: os.path.exists(path) and path, path, system.story)

    def filer_of(self, system):
        """The qmgr whose parent is one."""
        def find():
            pids = system.processes("qmgr")
            for pid in pids:
                with contextlib.suppress(OSError), open("/proc/%d/stat" % pid) as stat:
                    if int(stat.read().rsplit(")", 1)[1].split()[1]) in pids:
                        return pid
        return postroad.wait_until(find, "a filer")

    def test_invariant_6_one_that_dies_is_replaced_and_asked_again(self):
        system = self.relay()
        self.far.answers["MAIL"] = "450 4.2.0 later"
        for signal_number in (signal.SIGKILL, signal.SIGSTOP):
            filer = self.filer_of(system)
            os.kill(filer, signal_number)
            self.defer(system, 5)
            self.assertNotEqual(self.filer_of(system), filer)
        system.wait_log(r"the filer, process \d+, was ended by signal 9; its work is asked of another")
        del self.far.answers["MAIL"]
        system.run("postqueue", "-f", check=True)
        self.far.wait(10)
        system.wait_empty()
        self.assertEqual(len(self.far.messages), 10)

    def test_invariant_7_both_die_and_nothing_is_lost_or_comes_twice(self):
        system = self.relay()
        self.far.answers["MAIL"] = lambda line: "450 4.2.0 later"
        ids = []
        system.allow("killed by signal 9")
        for _ in range(4):
            ids += [system.send("bob@far.example") for _ in range(5)]
            system.kill("qmgr")
        for queue_id in ids:
            self.path_of(system, queue_id)
        del self.far.answers["MAIL"]
        system.run("postqueue", "-f", check=True)
        self.far.wait(20)
        system.wait_empty()
        self.assertEqual(len(self.far.messages), 20)

    def test_the_time_of_the_next_try(self):
        system = self.relay(minimal_backoff_time="100s", maximal_backoff_time="3000s")
        before = time.time()
        queue_id, = self.defer(system)
        path = self.path_of(system, queue_id)
        at = os.stat(path).st_mtime
        self.assertTrue(before + 99 <= at <= time.time() + 100, at - before)

    def test_one_that_a_wrong_clock_set_is_tried(self):
        system = self.relay(queue_run_delay="1s", minimal_backoff_time="1000s")
        queue_id, = self.defer(system)
        del self.far.answers["MAIL"]
        year = 365 * 86400
        os.utime(self.path_of(system, queue_id), (time.time(), time.time() + 10 * year))
        self.far.wait(1)

    def test_expiry_is_remembered(self):
        """postsuper -e of what an agent has; qmgr dies; then the next failure is the last."""
        system = self.relay()
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.far.answers["MAIL"] = lambda line: gate.wait() and "450 4.2.0 later"
        queue_id = system.send("bob@far.example", sender="ada@example.org")
        postroad.wait_until(lambda: self.far.connections, "a delivery under way")
        done = system.run("postsuper", "-e", queue_id, check=True)
        self.assertIn("Force-expired: 1 message", done.stderr)
        self.assertIn("#", system.queue()[queue_id][0])
        system.allow("killed by signal 9")
        system.kill("qmgr")
        system.kill("smtp")
        gate.set()
        system.wait_log(queue_id + r": from=<ada@example\.org>, status=force-expired, returned to sender")
        system.wait_mail("ada")
        system.wait_empty()

    def test_invariant_8_a_deleted_message_does_not_come_back(self):
        system = self.relay()
        gate = threading.Event()
        self.addCleanup(gate.set)
        waiting = self.defer(system, 3)
        before = len(self.far.commands)
        self.far.answers["MAIL"] = lambda line: gate.wait() and "450 4.2.0 later"
        active = system.send("bob@far.example")
        postroad.wait_until(lambda: len(self.far.commands) > before, "a delivery under way")
        system.allow("killed by signal 9")
        done = system.run("postsuper", "-d", "-", input="\n".join([*waiting, active, "AAAAAA12345"]), check=True)
        self.assertIn("Deleted: 4 messages", done.stderr)
        system.kill("qmgr")
        system.kill("smtp")
        gate.set()
        system.wait_empty()
        time.sleep(0.2)
        self.assertEqual([n for _, _, names in os.walk(system.spool + "/deferred") for n in names], [])

    def test_many_at_once(self):
        system = self.relay()
        ids = self.defer(system, 40)
        for option, said, queue in (("-h", "Placed on hold", "hold"), ("-H", "Released from hold", "deferred"),
                                    ("-e", "Force-expired", None)):
            done = system.run("postsuper", option, "-", input="\n".join(ids), check=True)
            self.assertIn("%s: 40 messages" % said, done.stderr)
            if queue == "hold":
                self.assertEqual(set(os.listdir(system.spool + "/hold")), set(ids))
        postroad.wait_until(lambda: len(system.mails("ada")) == 40, "40 notices", system.story)
        system.wait_empty()

    def test_damage_is_kept_apart_and_the_others_go_on(self):
        system = self.relay()
        ids = self.defer(system, 6)
        system.stop()
        paths = [self.path_of(system, queue_id) for queue_id in ids]
        with open(paths[0], "r+b") as f:
            f.truncate(70)
        with open(paths[1], "r+b") as f:
            f.seek(80)
            f.write(b"?")
        os.unlink(paths[2])
        os.symlink("/etc/passwd", paths[2])
        os.unlink(paths[3])
        os.mkfifo(paths[3])
        os.unlink(paths[4])
        os.mkdir(paths[4])
        if postroad.ROOT:
            shutil.chown(paths[4], postroad.OWNER)
        strange = os.path.join(system.spool, "deferred", ids[0][0], "no-id\n" + "x" * 200)
        with open(strange, "w"):
            pass
        del self.far.answers["MAIL"]
        system.start()
        system.run("postqueue", "-f", check=True)
        self.far.wait(1)
        for queue_id in ids[:5]:
            system.wait_log(queue_id + r": damaged, moved to corrupt/" + queue_id)
        self.assertEqual(set(os.listdir(system.spool + "/corrupt")), set(ids[:5]))
        system.wait_log(r"deferred/no-id\?x+: not a queue id")
        self.assertTrue(os.path.exists(strange))
        self.assertEqual(len(self.far.messages), 1)

    def test_what_a_stop_left_with_two_names_keeps_one(self):
        system = self.relay()
        queue_id, = self.defer(system)
        path = self.path_of(system, queue_id)
        system.stop()
        os.link(path, os.path.join(system.spool, "hold", queue_id))
        system.start()
        postroad.wait_until(lambda: not os.path.exists(path), "one name")
        self.assertEqual(system.queue()[queue_id][0], "!")


class Pressure(postroad.Test):
    """Invariant 5: what there is no room for stays in the journal, and the journal has a limit."""

    def setUp(self):
        self.far = self.sink()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.far.answers["MAIL"] = lambda line: self.gate.wait() and "250 2.1.0 Ok"

    def fill(self, system):
        """Send until one is put off. How many were not."""
        body = "A line like others, and rather long for one of those.\r\n" * 1100
        count, last = 0, None
        with system.smtp() as client:
            while last is None:
                try:
                    system.send("bob@far.example", body=body, client=client)
                    count += 1
                except AssertionError as e:
                    last = e
        self.assertIn("seen 452", str(last))
        return count

    def memory_of(self, system):
        total = 0
        for pid in system.processes("qmgr"):
            with contextlib.suppress(OSError), open("/proc/%d/smaps_rollup" % pid) as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        return total

    def test_invariant_5_accepting_waits_for_delivery(self):
        system = self.system(relayhost=self.far.nexthop(), qmgr_message_active_limit=20, queue_journal_limit=16 << 20,
                             smtpd_client_connection_count_limit="0")
        count = self.fill(system)
        self.assertGreater(count, 400)
        system.wait_log(r"the journal is full: \d+ bytes wait .*mail from outside is put off")
        self.assertLess(self.memory_of(system), 20000)
        # Killed, the next one has no more room than this one.
        system.allow("killed by signal 9")
        system.kill("qmgr")
        postroad.wait_until(lambda: len(system.processes("qmgr")) == 2, "another qmgr")
        self.gate.set()
        # What came when there was too much of it waits for a turn, which is late when the machine is slow.
        postroad.wait_until(lambda: system.run("postqueue", "-f") and len(self.far.messages) >= count, "%d mails" % count,
                            lambda: "%d\n%s" % (len(self.far.messages), system.story()), postroad.PATIENCE * 2)
        system.wait_empty()
        # What the kill left in doubt may come twice, no more than was under way.
        self.assertLessEqual(len(self.far.messages), count + 20)
        postroad.wait_until(lambda: not self.is_put_off(system), "a mail that is taken")
        system.wait_log("the journal has room again")

    def is_put_off(self, system):
        try:
            system.send("bob@far.example")
        except (AssertionError, smtplib.SMTPException):
            return True
        return False

    def test_invariant_5_new_mail_and_mail_that_waited_leave_each_other_room(self):
        system = self.system(relayhost=self.far.nexthop(), qmgr_message_active_limit=8, minimal_backoff_time="1000s")
        self.far.answers["MAIL"] = "450 4.2.0 later"
        ids = [system.send("bob@far.example") for _ in range(30)]
        system.wait_deferred(*ids)
        self.far.answers["MAIL"] = lambda line: self.gate.wait() and "250 2.1.0 Ok"
        system.run("postqueue", "-f", check=True)
        postroad.wait_until(lambda: sum(flag == "*" for flag, _, _ in system.queue().values()) >= 2, "what waited is tried")
        system.send("ada@example.org")
        system.wait_mail("ada")
        self.gate.set()
        postroad.wait_until(lambda: system.run("postqueue", "-f") and len(self.far.messages) >= 30, "30 mails")
