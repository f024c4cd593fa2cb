"""A typing error names its file, its line and what would be right, and stops only what it concerns."""
import os
import signal
import subprocess

import postroad


class MainCf(postroad.Test):
    def refuse(self, line, pattern, **main_cf):
        box = self.system(start=False, **main_cf)
        with open(box.path("etc", "main.cf"), "a") as f:
            f.write(line + "\n")
            number = open(box.path("etc", "main.cf")).read().count("\n") + line.count("\n") + 1
        box.allow("fatal:")
        for command in ("check", "start-fg"):
            done = box.run("postroad", command)
            self.assertNotEqual(done.returncode, 0, command)
            said = done.stderr + done.stdout + box.log()
            self.assertRegex(said, pattern.replace("LINE", r"main\.cf[:,](?: line)? ?%d" % number), command)
        self.assertEqual(box.processes(), [])

    def test_not_a_number(self):
        self.refuse("message_size_limit = 10 MB", r"LINE: .*message_size_limit.*10 MB")

    def test_not_a_boolean(self):
        self.refuse("smtpd_helo_required = maybe", r"LINE: .*smtpd_helo_required.*maybe.*(yes|no)")

    def test_not_a_time(self):
        self.refuse("queue_run_delay = 5 fortnights", r"LINE: .*queue_run_delay.*5 fortnights")

    def test_not_an_assignment(self):
        self.refuse("mydestination example.org", r"LINE: .*=")

    def test_a_loop(self):
        self.refuse("mydomain = $myorigin", r"mydomain|myorigin")

    def test_an_unknown_name_is_told_with_the_nearest(self):
        box = self.system(start=False, smtpd_helo_requird="yes")
        done = box.run("postroad", "check")
        self.assertRegex(done.stderr + done.stdout + box.log(), r"smtpd_helo_requird.*smtpd_helo_required")
        self.assertRegex(box.run("postconf", "-n").stderr, r"unused parameter: smtpd_helo_requird=yes")

    def test_reload_keeps_the_old_settings(self):
        box = self.system()
        box.send("ada@example.org")
        box.wait_mail("ada")        # all have read the good file
        with open(box.path("etc", "main.cf"), "a") as f:
            f.write("message_size_limit = lots\n")
        box.allow("fatal:|throttling")
        wrong = r"main\.cf, line \d+: .*message_size_limit.*lots"
        self.assertRegex(box.run("postroad", "reload").stderr, wrong)
        os.kill(box.master.pid, signal.SIGHUP)      # master, asked without the command, says it too
        box.wait_log(wrong)
        box.allow("throttling")     # for a moment: it ended within a second of its start
        box.kill("local", signal.SIGTERM)           # a process that is started now has the old settings too
        box.send("ada@example.org")
        box.wait_mail("ada", 2)


class MasterCf(postroad.Test):
    def refuse(self, line, pattern):
        box = self.system(start=False, master_cf=postroad.MASTER_CF + line + "\n")
        box.allow("fatal:")
        number = box.master_cf.count("\n")
        done = box.run("postroad", "start-fg")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr + done.stdout + box.log(),
                         r"master\.cf[:,](?: line)? ?%d: .*%s" % (number, pattern))

    def test_a_service_that_main_cf_needs(self):
        old = "".join(l + "\n" for l in postroad.MASTER_CF.splitlines() if not l.startswith(("flush", "verify")))
        box = self.system(start=False, master_cf=old, relay_domains="far.example",
                          smtpd_sender_restrictions="reject_unverified_sender")
        said = box.run("postroad", "check")
        said = said.stderr + said.stdout
        self.assertIn('master.cf has no service "flush", which fast_flush_domains needs', said)
        self.assertIn('master.cf has no service "verify", which reject_unverified_sender needs', said)

    def test_a_wrong_type(self):
        self.refuse("extra tcp n - n - - smtpd", "tcp")

    def test_too_few_fields(self):
        self.refuse("extra unix n - n", "")

    def test_a_wrong_flag(self):
        self.refuse("extra unix maybe - n - - error", "maybe")

    def test_a_wrong_limit(self):
        self.refuse("extra unix n - n - many error", "many")

    def test_a_program_that_is_not_there_is_named_and_the_others_run(self):
        box = self.system(master_cf=postroad.MASTER_CF + "scache unix - - n - 1 scache\n")
        box.wait_log(r"warning: .*scache")
        box.send("ada@example.org")
        box.wait_mail("ada")


class Names(postroad.Test):
    """named.conf and zones: see also named-lite/."""

    def named(self, conf, zone="$TTL 60\n@ SOA ns.z. root.z. 1 1 1 1 1\n NS ns.z.\nns.z. A 127.0.0.1\n"):
        box = self.system(start=False)
        postroad.write(box.path("db.z"), zone)
        port = postroad.free_port("127.0.0.1")
        postroad.write(box.path("named.conf"), conf.format(
            box.directory, port="listen-on port %d { 127.0.0.1; };" % port))
        log = open(box.path("named.log"), "wb")
        self.addCleanup(log.close)
        named = subprocess.Popen([postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c",
                                  box.path("named.conf")], stdout=log, stderr=log)
        self.addCleanup(named.wait)
        self.addCleanup(named.terminate)
        return box, named, lambda: open(box.path("named.log")).read()

    def test_named_conf(self):
        conf = ('options {{ directory "{0}"; }};\n'
                'zone "z" {{\n\ttype master\n\tfile "db.z";\n}};\n')
        box, named, said = self.named(conf)
        self.assertEqual(named.wait(postroad.PATIENCE), 1)
        self.assertRegex(said(), r"named\.conf:[2-4]: ")
        self.assertIn("exiting (due to fatal error)", said())

    def test_a_broken_zone_does_not_stop_its_neighbour(self):
        conf = ('options {{ directory "{0}"; {port} }};\n'
                'zone "z" {{ type master; file "db.z"; }};\nzone "y" {{ type master; file "db.y"; }};\n')
        box, named, said = self.named(conf, "$TTL 60\n@ SOA ns root 1 1 1 1 1\n NS ns\nns A 1.2.3.4\nwww A 1.2.3\n")
        postroad.wait_until(lambda: "running" in said(), "named-lite runs", said)
        self.assertRegex(said(), r"db\.z:5: ")
        self.assertRegex(said(), r"zone z/IN: .*(not loaded|failed)")


class PasswdFile(postroad.Test):
    def test_a_bad_line_is_named_and_the_others_work(self):
        box = self.system(start=False)
        with open(box.path("etc", "users"), "a") as f:
            f.write("broken:{PLAIN}secret:notanumber:100::/nowhere::\n")
        box.start()
        pop = box.pop3("ada")
        self.assertEqual(pop.stat(), (0, 0))
        pop.quit()
        with self.assertRaises(Exception):
            box.pop3("broken")
        box.wait_log(r"users[:,](?: line)? ?%d: " % (len(postroad.ACCOUNTS) + 1))


class MissingTable(postroad.Test):
    def test_mail_is_deferred_and_the_table_named(self):
        box = self.system()
        missing = "hash:" + box.path("etc", "nowhere")
        box.settings["virtual_alias_maps"] = missing
        box.reload()
        box.wait_log("reload -- version")
        def refused():
            with box.smtp() as smtp:
                smtp.ehlo()
                smtp.mail("sender@example.net")
                code, reply = smtp.rcpt("ada@example.org")
                if code == 250:
                    code, reply = smtp.data(box.message("ada"))
                return 400 <= code < 500 and reply
        self.assertRegex(postroad.wait_until(refused, "a 4xx reply", box.story), rb"^4\.3\.\d ")
        box.wait_log(r"(error|warning): .*%s" % missing)
        # The table comes: no restart is needed.
        postroad.write(box.path("etc", "nowhere"), "other@example.org ada\n")
        box.run("postmap", missing, check=True)
        postroad.wait_until(lambda: not refused(), "mail is accepted again", box.story)
        box.wait_mail("ada")

    def test_a_missing_alias_table_keeps_the_mail(self):
        box = self.system(local_recipient_maps="")
        os.rename(box.path("etc", "aliases.db"), box.path("etc", "aside.db"))
        box.settings["alias_maps"] = "hash:" + box.path("etc", "gone")
        box.reload()
        box.wait_log("reload -- version")
        queue_id = box.send(postroad.address("ada"))
        box.wait_log(queue_id + r": to=<.*.*dsn=4\.3\.0, status=deferred")
        box.wait_log(r"(error|warning): .*etc/gone")
        box.settings["alias_maps"] = box.settings["alias_database"]
        os.rename(box.path("etc", "aside.db"), box.path("etc", "aliases.db"))
        box.reload()
        # A flush that the leaving qmgr hears is not heard by the new one.
        postroad.wait_until(lambda: box.run("postqueue", "-f").returncode == 0 and box.mails("ada"),
                            "the mail", box.story)
