"""postmap, postalias: what is built can be asked, a reader never sees half a table, and Postfix reads it too."""
import os
import shutil
import socketserver
import subprocess
import threading

import postroad


class Tables(postroad.Test):
    def setUp(self):
        self.box = self.system(start=False)
        self.source = self.box.path("table")

    def postmap(self, *args, **options):
        return self.box.run("postmap", *args, **options)

    def build(self, text, *options):
        postroad.write(self.source, text, 0o640)
        return self.postmap(*options, "hash:" + self.source)

    def ask(self, key, *options):
        return self.postmap(*options, "-q", key, "hash:" + self.source)

    def test_build_ask_list_delete(self):
        done = self.build("# comment\nKey  value\n\tgoes on\n\nkey second\nother x\n")
        self.assertExit(done, 0)
        self.assertIn('duplicate entry: "key"', done.stderr)
        self.assertEqual(self.ask("KEY").stdout, "value\tgoes on\n")
        self.assertExit(self.ask("none"), 1)
        self.assertEqual(sorted(self.postmap("-s", "hash:" + self.source).stdout.splitlines()),
                         ["key\tvalue\tgoes on", "other\tx"])
        self.assertExit(self.postmap("-d", "key", "hash:" + self.source), 0)
        self.assertExit(self.postmap("-d", "key", "hash:" + self.source), 1)
        self.assertExit(self.postmap("-i", "hash:" + self.source, input="new line\n"), 0)
        self.assertEqual(self.ask("new").stdout, "line\n")
        self.assertEqual(self.ask("other").stdout, "x\n")
        self.assertEqual(os.stat(self.source + ".db").st_mode & 0o777, 0o640)
        self.assertEqual([f for f in os.listdir(self.box.directory) if ".new." in f], [])

    def test_mistakes_are_told_with_their_line(self):
        done = self.build("good x\nbare\nalias: x\n\"open x\n")
        self.assertExit(done, 0)
        for text in ("line 2: expected format: key whitespace value", "line 3: record is in \"key: value\" format",
                     "line 4: unbalanced"):
            self.assertIn(text, done.stderr)

    def test_what_cannot_be_read_is_an_error_not_an_absent_key(self):
        missing = self.postmap("-q", "x", "hash:/nowhere/at/all")
        self.assertExit(missing, 1)
        self.assertIn("open database /nowhere/at/all.db: No such file", missing.stderr)
        postroad.write(self.source + ".db", "this is no database")
        broken = self.ask("x")
        self.assertExit(broken, 1)
        self.assertIn("not a Berkeley DB file", broken.stderr)
        self.assertIn("not implemented yet", self.postmap("-q", "x", "ldap:x").stderr)

    def test_a_reader_sees_the_old_table_or_the_new_one(self):
        """Invariant 1 of table/build.h: no instant without the key."""
        text = "".join("key%d value\n" % n for n in range(2000))
        self.assertExit(self.build(text), 0)
        stop = threading.Event()
        troubles = []

        def rebuild():
            while not stop.is_set():
                done = self.postmap("hash:" + self.source)
                if done.returncode != 0:
                    troubles.append(done.stderr)
        threads = [threading.Thread(target=rebuild) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(30):
                self.assertEqual(self.ask("key1999").stdout, "value\n")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(troubles, [])

    def test_aliases(self):
        postroad.write(self.source, 'root: ada, "|cmd a:b"\n"two words": x\nnothing\n')
        done = self.box.run("postalias", "btree:" + self.source)
        self.assertExit(done, 0)
        self.assertIn("line 3: need name:value pair", done.stderr)
        self.assertEqual(self.box.run("postalias", "-q", "ROOT", "btree:" + self.source).stdout,
                         'ada, "|cmd a:b"\n')
        self.assertExit(self.box.run("postalias", "-q", "two words", "btree:" + self.source), 0)

    def postfix_postmap(self):
        """Postfix's own, as a function; None: it is not here."""
        theirs = shutil.which("postmap", path="/usr/sbin:/sbin")
        directory = self.box.path("postfix")
        postroad.write(directory + "/main.cf", "compatibility_level = 3.6\n")

        def postfix(*args, **options):
            return subprocess.run([theirs, "-c", directory, *args], capture_output=True, text=True, **options)
        return postfix if theirs else None

    def test_postfix_reads_ours_and_we_read_its(self):
        postfix = self.postfix_postmap()
        if postfix is None:
            self.skipTest("needs Postfix's postmap")
        self.assertExit(self.build("a one\nb two\n"), 0)
        self.assertEqual(postfix("-q", "b", "hash:" + self.source).stdout, "two\n")
        os.unlink(self.source + ".db")
        self.assertExit(postfix("hash:" + self.source), 0)
        self.assertEqual(self.ask("a").stdout, "one\n")

    def types(self):
        return self.box.run("postconf", "-m", check=True).stdout.split()

    def test_lmdb_and_cdb_are_built_asked_listed_and_changed(self):
        for kind in ("lmdb", "cdb"):
            if kind not in self.types():
                continue
            with self.subTest(kind=kind):
                name = kind + ":" + self.source
                postroad.write(self.source, "Key value\nkey second\nother x y\n", 0o640)
                self.assertIn('duplicate entry: "key"', self.postmap(name).stderr)
                self.assertEqual(self.postmap("-q", "KEY", name).stdout, "value\n")
                self.assertExit(self.postmap("-q", "none", name), 1)
                self.assertExit(self.postmap("-i", name, input="new line\n"), 0)
                self.assertExit(self.postmap("-d", "key", name), 0)
                self.assertExit(self.postmap("-d", "key", name), 1)
                self.assertEqual(sorted(self.postmap("-s", name).stdout.splitlines()), ["new\tline", "other\tx y"])
                self.assertEqual(os.stat(self.source + "." + kind).st_mode & 0o777, 0o640)

    def test_headers_and_body_lines_are_keys(self):
        postroad.write(self.source, "/^subject: (.*)/ saw $1\n/^from/ two lines\n/body/ body\n")
        message = "Subject: hello\nFrom: a@b\n foo\n\nbody line\n"
        rules = "regexp:" + self.source
        self.assertEqual(self.postmap("-h", "-q", "-", rules, input=message).stdout,
                         "Subject: hello\tsaw hello\nFrom: a@b\n foo\ttwo lines\n")
        self.assertEqual(self.postmap("-b", "-q", "-", rules, input=message).stdout, "body line\tbody\n")

    def test_the_headers_of_parts_are_no_lines_of_the_body(self):
        """postmap -m: as mime_header_checks, nested_header_checks and body_checks see a message; also beside Postfix."""
        message = ("Subject: one\n two\nContent-Type: multipart/mixed; boundary=xx\n\npreamble\n--xx\nX-Part: 1\n\nbody\n"
                   "--xx\nContent-Type: message/rfc822\n\nSubject: nested\n\nbody of it\n--xx--\nepilogue\n")
        rules, postfix = self.box.path("rules"), self.postfix_postmap()
        postroad.write(rules, "/^(.*)/\t<$1>\n")
        wanted = {
            "-hmq": ["Subject: one\n two", "Content-Type: multipart/mixed; boundary=xx", "X-Part: 1",
                     "Content-Type: message/rfc822", "Subject: nested"],
            "-bmq": ["", "preamble", "--xx", "", "body", "--xx", "", "", "body of it", "--xx--", "epilogue"],
        }
        for options, keys in wanted.items():
            with self.subTest(options):
                told = self.postmap(options, "-", "regexp:" + rules, input=message).stdout
                self.assertEqual([part.split(">")[0] for part in told.split("<")[1:]], keys)
                if postfix is not None:
                    self.assertEqual(told, postfix(options, "-", "regexp:" + rules, input=message).stdout)
        ignored = self.postmap("-mq", "-", "regexp:" + rules, input="key\n")
        self.assertIn("ignoring -m option without -b or -h", ignored.stderr)

    def test_a_table_made_of_tables(self):
        for name, wanted in (("unionmap:{inline:{a=b}, inline:{x=y}, static:c}", "b,c\n"),
                             ("pipemap:{inline:{a=b}, inline:{b=c}}", "c\n"), ("randmap:{z}", "z\n")):
            self.assertEqual(self.postmap("-q", "a", name).stdout, wanted)
        self.assertIn('need "unionmap:{type:name...}"', self.postmap("-q", "a", "unionmap:x").stderr)


class Server:
    """Answers tcp: lines and socketmap: netstrings for one key, dead@example.net; closes after each answer."""

    def __init__(self):
        class Session(socketserver.BaseRequestHandler):
            def handle(self):
                asked = self.request.recv(4096)
                if asked.startswith(b"get "):
                    self.request.sendall(b"200 REJECT%20by%20tcp\n" if b"get dead@" in asked else b"500 none\n")
                else:
                    said = b"OK REJECT by socketmap" if b":access dead@" in asked else b"NOTFOUND "
                    self.request.sendall(b"%d:%s," % (len(said), said))

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 100
        self.listener = Listener((postroad.loopback_address(), 0), Session)
        self.place = "%s:%d" % self.listener.server_address
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()


class Confined(postroad.Test):
    """smtpd in its sandbox asks tables of every kind: those it opened before, and the rest through proxymap."""

    def refusals(self, tables):
        """What each table says of dead@example.net, and that it has nothing against others."""
        for table in tables:
            self.box.settings["smtpd_sender_restrictions"] = "check_sender_access " + table
            self.box.settings["smtpd_banner"] = "$myhostname ESMTP for %d" % tables.index(table)
            self.box.reload()
            postroad.wait_until(lambda: b"for %d" % tables.index(table) in self.banner(), "the new configuration")
            with self.box.smtp() as smtp:
                smtp.mail("alive@example.net")
                with self.subTest(table=table):
                    self.assertEqual(smtp.rcpt("ada@example.org"), (250, b"2.1.5 Ok"))
                    smtp.rset()
                    smtp.mail("dead@example.net")
                    code, reply = smtp.rcpt("ada@example.org")
                    self.assertEqual((code, b"<dead@example.net>: Sender address rejected: by" in reply), (554, True), reply)

    def banner(self):
        with self.box.connect() as line:
            return line.recv(1000)

    def test_every_kind_of_table(self):
        self.box = self.system()
        path = self.box.path("etc", "access")
        postroad.write(path, "dead@example.net REJECT by table\n")
        # Patterns see whole addresses, never their domain alone.
        postroad.write(path + ".re", "/^example.net$/ REJECT a part\n/^(dead)@/ REJECT by $1\n")
        server = Server()
        self.addCleanup(server.close)
        types = self.box.run("postconf", "-m", check=True).stdout.split()
        for kind in ("hash", "lmdb", "cdb"):
            if kind in types:
                self.box.run("postmap", kind + ":" + path, check=True)
        self.refusals(["%s:%s" % (k, path) for k in ("hash", "lmdb", "cdb", "texthash") if k in types]
                      + ["%s:%s.re" % (k, path) for k in ("regexp", "pcre") if k in types]
                      + ["proxy:regexp:%s.re" % path, "pipemap:{regexp:%s.re,static:{REJECT by pipe}}" % path,
                         "tcp:" + server.place, "socketmap:inet:%s:access" % server.place])

    def test_a_table_that_only_master_cf_names_may_be_rebuilt(self):
        self.box = self.system(start=False)
        path = self.box.path("etc", "access")

        def build(text):
            postroad.write(path, text)
            self.box.run("postmap", "hash:" + path, check=True)

        def heard(sender):
            with self.box.smtp() as smtp:
                smtp.mail(sender)
                return smtp.rcpt("ada@example.org")[0]
        build("dead@example.net REJECT\n")
        self.box.master_cf = self.box.master_cf.replace(
            "smtpd\n", "smtpd\n -o smtpd_sender_restrictions=check_sender_access,hash:%s\n" % path, 1)
        self.box.start()
        self.assertEqual((heard("dead@example.net"), heard("alive@example.net")), (554, 250))
        build("alive@example.net REJECT\n")
        postroad.wait_until(lambda: heard("alive@example.net") == 554, "the rebuilt table")
        self.assertEqual(heard("dead@example.net"), 250)
        self.assertNotIn(" 451 ", self.box.log())
