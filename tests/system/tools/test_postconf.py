"""postconf: what it shows, and that an edit leaves alone what it does not name."""
import os
import subprocess

import postroad

MAIN_CF = """\
# a comment
compatibility_level = 3.9
mydestination = a,
  b,
 # inside
  c
site = example.net
relayhost = [$site]
typo = 1
message_size_limit = much
"""
MASTER_CF = """\
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_banner=x -o {mynetworks = 10.0.0.1 10.0.0.2} -v
# a comment
pickup    unix  n       -       n       60?     1       pickup
"""


class Postconf(postroad.Test):
    def setUp(self):
        self.box = self.system(start=False)
        self.main_cf = self.box.path("etc", "main.cf")
        self.master_cf = self.box.path("etc", "master.cf")
        postroad.write(self.main_cf, MAIN_CF)
        postroad.write(self.master_cf, MASTER_CF)

    def show(self, *args):
        return self.box.run("postconf", *args).stdout

    def text(self, path):
        with open(path) as f:
            return f.read()

    def test_what_is_set(self):
        done = self.box.run("postconf", "-n")
        self.assertEqual(done.stdout.splitlines(), [
            "compatibility_level = 3.9", "config_directory = " + self.box.config, "message_size_limit = much", "mydestination = a, b, c",
            "relayhost = [$site]", "site = example.net"])
        self.assertIn("main.cf: unused parameter: typo=1", done.stderr)
        self.assertEqual(self.show("-x", "relayhost"), "relayhost = [example.net]\n")
        self.assertEqual(self.show("-h", "message_size_limit"), "much\n")
        self.assertEqual(self.show("-d", "message_size_limit"), "message_size_limit = 10240000\n")
        self.assertEqual(self.show("-o", "relayhost=x", "relayhost"), "relayhost = x\n")

    def test_unknown_names_are_warned_of(self):
        for name in ("nosuch", "typo"):
            done = self.box.run("postconf", name)
            self.assertExit(done, 0)
            self.assertEqual(done.stdout, "")
            self.assertIn("%s: unknown parameter" % name, done.stderr)

    def test_every_parameter_has_a_default_that_loads(self):
        postroad.write(self.main_cf, "")
        lines = self.show("-d").splitlines()
        self.assertGreater(len(lines), 150)
        self.assertEqual(lines, sorted(lines, key=lambda l: l.split(" =")[0]))

    def test_edits_keep_the_rest(self):
        os.chmod(self.main_cf, 0o640)
        self.assertExit(self.box.run("postconf", "-e", "mydestination = q", "new=1"), 0)
        self.assertEqual(self.text(self.main_cf), MAIN_CF.replace(
            "mydestination = a,\n  b,\n # inside\n  c\n", "mydestination = q\n # inside\n") + "new = 1\n")
        self.assertEqual(os.stat(self.main_cf).st_mode & 0o777, 0o640)
        self.assertExit(self.box.run("postconf", "-X", "new", "typo"), 0)
        self.assertExit(self.box.run("postconf", "-#", "relayhost"), 0)
        self.assertIn("\n#relayhost = [$site]\n", self.text(self.main_cf))
        self.assertNotIn("typo", self.text(self.main_cf))
        self.assertExit(self.box.run("postconf", "-e", "novalue"), 1)
        self.assertExit(self.box.run("postconf", "-e", "a=b\nc=d"), 1)

    def test_defaults_without_a_main_cf(self):
        done = subprocess.run([postroad.BUILD + "/bin/postconf", "-d", "queue_run_delay"], capture_output=True, text=True,
                              env=dict(os.environ, MAIL_CONFIG="/nonexistent"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "queue_run_delay = 300s\n", ""))

    def test_names_that_are_made_elsewhere(self):
        """Classes, names in an -o, prefixes of tables and a service's own parameters are names that somebody reads."""
        postroad.write(self.main_cf, "smtpd_restriction_classes = helo_first\nhelo_first = reject\nclients = permit\n"
                       "virtual_alias_maps = ldap:people\npeople_server_host = a.example.org\nreaders_time_limit = 5\n"
                       "spam_destination_recipient_limit = 1\nrelayhost = $nobody\n")
        postroad.write(self.master_cf, "smtp inet n - n - - smtpd\n  -o smtpd_client_restrictions=$clients\n"
                       "readers unix - n n - - pipe\n")
        done = self.box.run("postconf", "-n")
        for name in ("helo_first", "clients", "people_server_host", "readers_time_limit"):
            self.assertIn(name + " = ", done.stdout)
        self.assertEqual(sorted(line.split("main.cf: ")[1] for line in done.stderr.splitlines()),
                         ["undefined parameter: nobody", "unused parameter: spam_destination_recipient_limit=1"])
        self.assertEqual(self.show("readers_delivery_slot_cost", "biff", "-x"),
                         "readers_delivery_slot_cost = 5\nbiff = yes\n")

    def test_a_name_that_is_there_twice(self):
        postroad.write(self.main_cf, "relayhost = a\nrelayhost = b\n")
        done = self.box.run("postconf", "-h", "relayhost")
        self.assertEqual(done.stdout, "b\n")
        self.assertIn("main.cf, line 2: overriding earlier entry: relayhost=a\n", done.stderr)

    def test_a_folded_master_cf(self):
        postroad.write(self.master_cf, "smtp inet n - n - - smtpd\n  -v -o syslog_name=x/$service_name -o smtpd_banner=$syslog_name\n"
                       "a-long-name unix-dgram n - n - - pipe\n  flags=DRhu user=vmail argv=/usr/libexec/deliver -f ${sender} -d ${recipient}\n")
        self.assertEqual(self.show("-Mf"), """\
smtp       inet  n       -       n       -       -       smtpd -v
    -o syslog_name=x/$service_name
    -o smtpd_banner=$syslog_name
a-long-name unix-dgram n -       n       -       -       pipe flags=DRhu
    user=vmail argv=/usr/libexec/deliver -f ${sender} -d ${recipient}
""")
        self.assertEqual(self.show("-Px", "smtp/inet/smtpd_banner"), "smtp/inet/smtpd_banner = x/smtp\n")

    def test_master_cf(self):
        self.assertEqual(self.show("-M", "pickup/unix"), "pickup     unix  n       -       n       60?     1       pickup\n")
        self.assertEqual(self.show("-P", "smtp/inet"), "smtp/inet/mynetworks = 10.0.0.1 10.0.0.2\n"
                         "smtp/inet/smtpd_banner = x\n")
        self.assertEqual(self.show("-F", "smtp/inet/command"),
                         "smtp/inet/command = smtpd -o smtpd_banner=x -o {mynetworks=10.0.0.1 10.0.0.2} -v\n")
        self.assertExit(self.box.run("postconf", "-Fe", "pickup/unix/chroot=y"), 0)
        self.assertEqual(self.show("-F", "pickup/unix/chroot"), "pickup/unix/chroot = y\n")
        self.assertExit(self.box.run("postconf", "-F", "*/*/chroot=-"), 0)
        self.assertEqual(self.show("-F", "*/*/chroot"), "smtp/inet/chroot = -\npickup/unix/chroot = -\n")
        self.assertExit(self.box.run("postconf", "-Pe", "smtp/inet/smtpd_banner=two words"), 0)
        self.assertIn("smtp/inet/smtpd_banner = two words\n", self.show("-P"))
        self.assertExit(self.box.run("postconf", "-Me", "smtp/inet=smtp inet n - n - - smtpd"), 0)
        self.assertEqual(self.show("-P"), "")
        self.assertExit(self.box.run("postconf", "-MX", "pickup/unix"), 0)
        self.assertIn("# a comment\n", self.text(self.master_cf))
        self.assertNotIn("pickup", self.text(self.master_cf))
        before = self.text(self.master_cf)
        self.assertExit(self.box.run("postconf", "-Fe", "smtp/inet/chroot=maybe"), 1)
        self.assertEqual(self.text(self.master_cf), before)
