"""make install puts there what etc/manifest lists, nothing else, and nothing outside DESTDIR."""
import os
import stat
import subprocess
import tempfile

import postroad


class Install(postroad.Test):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="postroad-install-")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.directory])

    def make(self, target, *variables):
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        done = subprocess.run(["make", "-C", postroad.BUILD, target, "DESTDIR=" + self.directory, *variables],
                              capture_output=True, text=True, env=environment)
        self.assertExit(done, 0)
        return done.stdout

    def files(self):
        found = set()
        for folder, _, names in os.walk(self.directory):
            found.update(os.path.join(folder, n)[len(self.directory):] for n in names)
        return found

    def one(self, name):
        return next(self.directory + f for f in self.files() if f.endswith("/" + name))

    def manifest(self):
        path = self.one("manifest")
        daemon_directory = os.path.dirname(path)[len(self.directory):]
        settings = dict(line.split(" = ", 1) for line in subprocess.run(
            [postroad.BUILD + "/bin/postconf", "-d"], capture_output=True, text=True,
            env=dict(os.environ, MAIL_CONFIG=os.path.dirname(self.one("main.cf")))).stdout.splitlines()
            if " = " in line)
        self.assertEqual(settings.get("daemon_directory"), daemon_directory, "postconf -d and make install differ")
        settings["config_directory"] = os.path.dirname(self.one("main.cf"))[len(self.directory):]
        rows = {}
        with open(path) as f:
            for line in f:
                if not line.startswith("#"):
                    kind, name, owner, group, mode = line.split()
                    for variable in ("config_directory", "daemon_directory", "command_directory",
                                     "queue_directory", "data_directory"):
                        name = name.replace("$" + variable, settings[variable])
                    rows[name] = (kind, owner, group, mode)
        return rows

    def test_what_is_listed_is_there_and_nothing_else(self):
        before = open("/etc/passwd").read()
        self.make("install")
        self.assertEqual(open("/etc/passwd").read(), before, "an installation makes no users")
        rows = self.manifest()
        self.assertEqual({n for n, row in rows.items() if row[0] != "d"}, self.files())
        for name, (kind, owner, group, mode) in rows.items():
            found = os.lstat(self.directory + name)
            if kind == "d":
                self.assertTrue(stat.S_ISDIR(found.st_mode), name)
            elif kind == "l":
                self.assertTrue(os.path.exists(self.directory + name), name + " leads nowhere")
            if kind != "l":
                # A set-gid bit waits for its group.
                wanted = int(mode, 8)
                self.assertIn(stat.S_IMODE(found.st_mode), (wanted, wanted & 0o777), name)
        for command in ("sendmail", "mailq", "newaliases", "postroad", "postconf", "postmap"):
            self.assertTrue(any(n.endswith("/" + command) for n in rows), command + " is not installed")

    def test_a_prefix_stands_before_commands_and_pages(self):
        self.make("install", "program_prefix=pr-")
        files = self.files()
        for name in ("/bin/pr-mailq", "/sbin/pr-sendmail", "/sbin/pr-postdrop", "/man1/pr-mailq.1", "/man8/pr-qmgr.8"):
            self.assertTrue([f for f in files if f.endswith(name)], name)
        self.assertFalse([f for f in files if f.endswith(("/sendmail", "/postqueue", "/mailq.1", "/pr-smtpd"))])
        self.assertTrue(os.path.exists(self.one("pr-mailq")) and os.path.exists(self.one("pr-mailq.1")))
        with open(self.one("manifest")) as manifest:
            self.assertIn("f $command_directory/pr-postdrop root $setgid_group 2755\n", manifest.read())
        self.make("uninstall", "program_prefix=pr-")
        self.assertEqual(self.files(), set())

    def test_a_changed_configuration_is_kept(self):
        self.make("install")
        main_cf = self.one("main.cf")
        with open(main_cf, "a") as f:
            f.write("# mine\n")
        self.make("install")
        self.assertIn("# mine\n", open(main_cf).read())
        self.make("uninstall")
        self.assertEqual({self.directory + f for f in self.files()}, {main_cf})
