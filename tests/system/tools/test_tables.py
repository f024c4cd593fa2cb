"""postmap, postalias: what is built can be asked, a reader never sees half a table, and Postfix reads it too."""
import os
import shutil
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

    def test_postfix_reads_ours_and_we_read_its(self):
        theirs = shutil.which("postmap", path="/usr/sbin:/sbin")
        if theirs is None:
            self.skipTest("needs Postfix's postmap")
        directory = self.box.path("postfix")
        postroad.write(directory + "/main.cf", "compatibility_level = 3.6\n")

        def postfix(*args):
            return subprocess.run([theirs, "-c", directory, *args], capture_output=True, text=True)
        self.assertExit(self.build("a one\nb two\n"), 0)
        self.assertEqual(postfix("-q", "b", "hash:" + self.source).stdout, "two\n")
        os.unlink(self.source + ".db")
        self.assertExit(postfix("hash:" + self.source), 0)
        self.assertEqual(self.ask("a").stdout, "one\n")
