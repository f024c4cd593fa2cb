"""master: starting, reloading, throttling, stopping; what it says to whom, and that no client notices."""
import contextlib
import os
import signal
import socket
import subprocess
import time

import postroad

MASTER_CF = """\
{address}:{smtp_port} inet n - n - - smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
proxymap  unix  -       -       n       -       -       proxymap
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
local     unix  -       n       n       -       -       local
error     unix  -       -       n       -       -       error
"""


class Master(postroad.Test):
    def box(self, extra="", **settings):
        return self.system(master_cf=MASTER_CF + extra, **settings)

    def start_again(self, box):
        """postroad start-fg for a system that is not expected to come up; gives the finished process."""
        return subprocess.run([postroad.BUILD + "/bin/postroad", "-c", box.config, "start-fg"],
                              env=box.environment(), capture_output=True, text=True,
                              timeout=postroad.PATIENCE)

    def test_reload_keeps_a_session_and_takes_the_new_settings(self):
        box = self.box(smtpd_banner="$myhostname ESMTP before")
        with box.connect() as old:
            self.assertIn(b"before", old.recv(1000))
            box.settings["smtpd_banner"] = "$myhostname ESMTP after"
            box.reload()
            box.wait_log("reload -- version")

            def greeting():
                with box.connect() as new:
                    return b"after" in new.recv(1000)
            postroad.wait_until(greeting, "the new banner", box.story)
            old.sendall(b"EHLO client.example.net\r\n")
            self.assertIn(b"250", old.recv(1000))
            old.sendall(b"QUIT\r\n")
            self.assertIn(b"221", old.recv(1000))

    def test_no_connection_is_refused_while_it_reloads(self):
        box = self.box()
        for _ in range(10):
            box.run("postroad", "-c", box.config, "reload", check=True)
            for _ in range(10):
                with box.connect() as client:
                    self.assertTrue(client.recv(1000).startswith(b"220 "))

    def test_a_reload_with_a_mistake_changes_nothing(self):
        box = self.box()
        box.settings["message_size_limit"] = "much"
        box.write_config()
        done = box.run("postroad", "-c", box.config, "reload")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"main.cf, line \d+: message_size_limit = much: expected a whole number")
        os.kill(box.master.pid, signal.SIGHUP)
        box.wait_log("going on with the old one")
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_services_come_and_go_with_a_reload(self):
        box = self.box()
        port = postroad.free_port(box.address)
        master_cf = box.master_cf
        box.master_cf += "%s:%d inet n - n - - smtpd -o smtpd_banner=second\n" % (box.address, port)
        box.reload()

        def second():
            try:
                with box.connect(port) as client:
                    return b"second" in client.recv(1000)
            except OSError:
                return False
        postroad.wait_until(second, "the second service", box.story)
        box.master_cf = master_cf
        box.reload()
        postroad.wait_until(lambda: not second(), "the second service to go", box.story)

    def test_pickup_and_qmgr_as_fifo_are_served(self):
        """As master.cf had them for years, and has them still where a system was only ever upgraded."""
        box = self.system(master_cf=MASTER_CF.replace("pickup    unix", "pickup    fifo").replace("qmgr      unix", "qmgr      fifo"))
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_only_one_master_for_a_queue(self):
        box = self.box()
        done = self.start_again(box)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is already running", done.stderr)
        master = subprocess.run([postroad.BUILD + "/libexec/master", "-c", box.config, "-d"],
                                env=box.environment(), capture_output=True, text=True)
        self.assertEqual(master.returncode, 1)
        self.assertIn("another master is running", master.stderr)

    def test_status_and_stop(self):
        box = self.box()
        self.assertEqual(box.run("postroad", "-c", box.config, "status").returncode, 0)
        self.assertEqual(box.run("postroad", "-c", box.config, "stop").returncode, 0)
        self.assertEqual(box.master.wait(postroad.PATIENCE), 0)
        self.assertEqual(box.run("postroad", "-c", box.config, "status").returncode, 1)
        stopped = box.run("postroad", "-c", box.config, "stop")
        self.assertEqual(stopped.returncode, 1)
        self.assertIn("is not running", stopped.stderr)
        box.wait_log(r"terminating on signal 15")

    def test_abort_waits_for_nobody(self):
        box = self.box()
        with box.connect() as client:
            client.recv(1000)
            client.settimeout(postroad.PATIENCE)
            self.assertEqual(box.run("postroad", "-c", box.config, "abort").returncode, 0)
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(client.recv(1000), b"", "it was waited for, with a 421")
            self.assertEqual(box.master.wait(postroad.PATIENCE), 0)

    def test_an_address_in_use_is_named(self):
        box = self.box(start=False)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((box.address, box.smtp_port))
            other.listen()
            done = self.start_again(box)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bind %s port %d: Address already in use" % (box.address, box.smtp_port), done.stderr)

    def test_a_mistake_in_master_cf_is_named(self):
        box = self.box("broken unix - - n - smtp\n", start=False)
        done = self.start_again(box)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'master.cf, line 12: maxproc column "smtp": expected a number')

    def test_a_missing_program_is_named_once_and_the_others_run(self):
        box = self.box("tlsmgr unix - - n 1000? 1 tlsmgr\n")
        box.wait_log(r'line 12: service "tlsmgr" is not there')
        self.assertEqual(box.log().count('service "tlsmgr"'), 1)
        box.send("ada@example.org")
        box.wait_mail("ada")

    def programs(self, box, **scripts):
        """A daemon_directory with all daemons, and some of our own."""
        directory = box.path("libexec")
        os.makedirs(directory)
        for name in os.listdir(postroad.BUILD + "/libexec"):
            os.symlink(postroad.BUILD + "/libexec/" + name, directory + "/" + name)
        for name, text in scripts.items():
            postroad.write(directory + "/" + name, text, 0o755)
        box.settings["daemon_directory"] = directory

    def test_a_program_that_fails_at_once_is_throttled_and_tried_again(self):
        box = self.box("bad unix - - n - - bad\n", start=False)
        box.allow("throttling")
        self.programs(box, bad="#!/bin/sh\necho again >>%s\nexit 3\n" % box.path("tries"))
        box.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(box.path("spool", "private", "bad"))
            box.wait_log(r"warning: process \S+/bad pid \d+ exit status 3")
            box.wait_log(r"warning: \S+/bad: bad command startup -- throttling")
            with open(box.path("tries")) as tries:
                self.assertLess(len(tries.readlines()), 4)

            def tried_again():
                with open(box.path("tries")) as tries:
                    return len(tries.readlines()) >= 2
            postroad.wait_until(tried_again, "another try", box.story)

    def test_the_process_limit_holds(self):
        """Foreign programs get a process for each client that waits, and no more than maxproc."""
        box = self.box("slow unix - - n - 3 slow\n", start=False)
        self.programs(box, slow="#!/bin/sh\necho $$ >>%s\nexec sleep 60\n" % box.path("pids"))
        box.start()
        clients = []
        for _ in range(8):
            client = socket.socket(socket.AF_UNIX)
            self.addCleanup(client.close)
            client.connect(box.path("spool", "private", "slow"))
            clients.append(client)

        def started():
            try:
                with open(box.path("pids")) as pids:
                    return len(pids.readlines())
            except FileNotFoundError:
                return 0
        postroad.wait_until(lambda: started() == 3, "three processes", lambda: "%d" % started())
        time.sleep(0.5)         # nothing to wait for: a fourth one must not come
        self.assertEqual(started(), 3)
        box.allow("killed by signal")
        with open(box.path("pids")) as pids:
            for pid in pids.read().split():
                os.kill(int(pid), signal.SIGKILL)
        box.allow("throttling")

    def test_a_killed_postlogd_loses_no_line(self):
        box = self.box()
        box.allow("postlogd pid .* killed by signal 9")
        ids = []
        for number in range(20):
            if number % 5 == 0:
                box.kill("postlogd")
            ids.append(box.send("ada@example.org", subject="note %d" % number))
        box.wait_mail("ada", 20)
        for queue_id in ids:
            for line in ("client=", "message-id=", "from=<", "to=<", "removed"):
                box.wait_log("%s: %s" % (queue_id, line))

    def test_a_moved_log_is_opened_anew_by_a_reload(self):
        box = self.box()
        box.wait_log("daemon started")
        os.rename(box.log_file, box.log_file + ".1")
        box.run("postroad", "-c", box.config, "reload", check=True)
        postroad.wait_until(lambda: os.path.exists(box.log_file), "the new log", box.story)
        box.send("ada@example.org")
        box.wait_log("status=sent")
        with open(box.log_file + ".1") as old:
            box.saved_log = old.read()

    def test_daemons_leave_when_master_is_killed(self):
        box = self.box()
        os.kill(box.master.pid, signal.SIGKILL)
        box.master.wait()
        postroad.wait_until(lambda: not box.processes(), "no process",
                            lambda: [box.command_line(p) for p in box.processes()])
        box.start()
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_systemd_is_told(self):
        box = self.box(start=False)
        path = box.path("notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(postroad.PATIENCE)
            environment = box.environment
            box.environment = lambda: dict(environment(), NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")

            def wait(word):
                while word not in notify.recv(1000).decode():
                    pass
            box.start()
            wait("READY=1")
            wait("WATCHDOG=1")
            os.kill(box.master.pid, signal.SIGHUP)
            wait("RELOADING=1")
            wait("READY=1")
            os.kill(box.master.pid, signal.SIGTERM)
            wait("STOPPING=1")
            box.master.wait(postroad.PATIENCE)

    def test_start_in_the_background(self):
        box = self.box(start=False)
        box.run("postalias", "hash:" + box.path("etc", "aliases"), check=True)
        self.assertEqual(box.run("postroad", "-c", box.config, "start").returncode, 0)
        with open(box.path("spool", "pid", "master.pid")) as pid_file:
            pid = int(pid_file.read())
        self.assertEqual(box.program_of(pid), "master")
        box.send("ada@example.org")     # it listens as soon as start comes back
        box.wait_mail("ada")
        self.assertEqual(box.run("postroad", "-c", box.config, "stop").returncode, 0)
        postroad.wait_until(lambda: not box.processes(), "no process", box.story)
