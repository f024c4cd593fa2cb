"""make install puts there what etc/manifest lists, nothing else, and nothing outside DESTDIR."""
import os
import socket
import stat
import subprocess
import tempfile

import postroad

os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")     # commands leave their memory to the system


class Installed(postroad.Test):
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


class Install(Installed):
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


class BindNames(Installed):
    """With --enable-bind-names: what BIND's administrators and units call is there, and works."""

    def setUp(self):
        super().setUp()
        self.make("install", "bind_names_directory=$(sbindir)")

    def test_programs_and_pages(self):
        for name, said in (("named", "postroad"), ("named-checkconf", "postroad"), ("named-checkzone", "postroad")):
            done = subprocess.run([self.one(name), "-v"], capture_output=True, text=True)
            self.assertExit(done, 0)
            self.assertIn(said, done.stdout)
        done = subprocess.run([self.one("rndc-confgen")], capture_output=True, text=True)
        self.assertIn('key "rndc-key" {', done.stdout)
        done = subprocess.run([self.one("rndc"), "restart"], capture_output=True, text=True)
        self.assertEqual(done.stderr, "rndc: 'restart' is not implemented\n")
        for page in ("named.8", "rndc.8", "rndc-confgen.8", "named-checkconf.1", "named-checkzone.1",
                     "named-compilezone.1"):
            with open(self.one(page)) as f:
                self.assertIn(".Sh NAME", f.read())
        self.assertEqual({n for n, row in self.manifest().items() if row[0] != "d"}, self.files())
        self.make("uninstall", "bind_names_directory=$(sbindir)")
        self.assertEqual(self.files(), set())

    def test_a_zone_is_compiled(self):
        path = os.path.join(self.directory, "z")
        with open(path, "w") as f:
            f.write("$TTL 3600\n@ SOA ns x 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
        done = subprocess.run([self.one("named-compilezone"), "-i", "local", "-o", "-", "z.test", path],
                              capture_output=True, text=True)
        self.assertExit(done, 0)
        self.assertIn("ns.z.test.\t\t\t\t      3600 IN A\t\t192.0.2.1\n", done.stdout)

    def test_the_line_of_binds_unit(self):
        """ExecStart=named -f -u bind, Type=notify."""
        if not postroad.ROOT:
            self.skipTest("needs root")
        os.chmod(self.directory, 0o755)
        notify = os.path.join(self.directory, "notify")
        port = postroad.free_port("127.0.0.1")
        with open(os.path.join(self.directory, "z"), "w") as f:
            f.write("$TTL 3600\n@ SOA ns x 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
        conf = os.path.join(self.directory, "named.conf.test")
        with open(conf, "w") as f:
            f.write('options { directory "%s"; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };\n'
                    'pid-file none; };\ncontrols { };\nzone "z.test" { type primary; file "z"; };\n'
                    % (self.directory, port))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(notify)
            told.settimeout(30)
            named = subprocess.Popen([self.one("named"), "-f", "-u", "nobody", "-c", conf],
                                     env=dict(os.environ, NOTIFY_SOCKET=notify))
            try:
                states = []
                while "READY=1" not in states:
                    states.append(told.recv(1000).decode())
                self.assertIsNone(named.poll())
                named.terminate()
                while "STOPPING=1" not in states:
                    states.append(told.recv(1000).decode())
                self.assertEqual(named.wait(30), 0)
            finally:
                named.kill()
