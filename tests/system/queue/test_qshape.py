"""qshape's table: ages and domains, in the form that Postfix's has."""

import postroad

HEAD = "                                         T  5 10 20 40 80 160 320 640 1280 1280+"


class QShape(postroad.Test):
    def setUp(self):
        self.far = self.sink()
        self.far.answers["CONNECT"] = "421 4.3.2 closed"
        self.box = self.system(relayhost=self.far.nexthop())

    def rows(self, *options):
        done = self.box.run("qshape", *options)
        self.assertExit(done, 0)
        return done.stdout.splitlines()

    def test_an_empty_queue(self):
        self.assertEqual(self.rows(), [HEAD, "                                  TOTAL  0  0  0  0  0  0   0   0   0    0     0"])

    def test_rows(self):
        many = ["u@%s.big.example" % c for c in "abcde"] + ["u@" + "long." * 9 + "example", "v@a.BIG.example"]
        id = self.box.send(*many, sender="ada@example.org")
        self.box.wait_log(id + ": to=.*status=deferred")
        postroad.wait_until(lambda: self.rows("deferred")[1].split()[1] == "7", "seven that wait")
        rows = self.rows("-p", "deferred")
        self.assertEqual(rows[0], HEAD)
        self.assertEqual([len(r) for r in rows], [80] * len(rows))
        self.assertEqual([r.split()[:3] for r in rows[1:5]], [
            ["TOTAL", "7", "7"], [".big.example", "6", "6"], ["a.big.example", "2", "2"], ["b.big.example", "1", "1"]])
        self.assertEqual(rows[-1].split()[0], "+long.long.example")
        self.assertEqual(self.rows("-s", "deferred")[2].split()[:3], ["example.org", "1", "1"])
        self.assertEqual(len(self.rows("-b", "4", "-t", "10", "-w", "100", "hold")[0]), 100)
        self.assertEqual(self.rows("-lb", "5", "hold")[0].split(), ["T", "5", "10", "15", "20", "20+"])
        # While all is down the files are read.
        self.box.stop()
        self.assertEqual(self.rows("deferred")[1].split()[1], "7")

    def test_mistakes(self):
        for arguments in (["-b", "0"], ["nosuch"], ["-Z"], ["-t", "x"]):
            self.assertExit(self.box.run("qshape", *arguments), 1)
