"""The queue's tools on mail that was on its way when everything was killed: it lies in the journal only."""
import threading

import postroad


class WhileDown(postroad.Test):
    def setUp(self):
        self.far = self.sink()
        self.opened = threading.Event()
        self.addCleanup(self.opened.set)
        self.far.answers["MAIL"] = lambda line: self.opened.wait(postroad.PATIENCE) and "250 2.1.0 Ok"
        self.box = self.system(relayhost=self.far.nexthop())
        self.ids = [self.box.send("bob%d@far.example" % n, sender="ada@example.org", body="body %d\r\n" % n)
                    for n in range(4)]
        postroad.wait_until(lambda: len(self.far.commands) >= 2 and self.flags() == dict.fromkeys(self.ids, "*"),
                            "four mails on their way", self.box.story)

    def flags(self):
        return {queue_id: flag for queue_id, (flag, _, _) in self.box.queue().items()}

    def cut(self):
        self.box.allow("killed by signal 9|throttling")
        self.box.kill("master")
        self.box.end_processes()
        postroad.wait_until(lambda: not self.box.processes(), "no process")

    def bodies(self, count):
        return sorted(m[2].split(b"\r\n\r\n", 1)[1].decode().strip() for m in self.far.wait(count))

    def test_listed_shown_held_deleted_and_delivered(self):
        self.cut()
        listed = self.box.run("postqueue", "-p", check=True)
        self.assertIn("Mail system is down -- accessing queue directly", listed.stderr)
        self.assertEqual(self.flags(), dict.fromkeys(self.ids, ""))
        self.assertEqual(self.box.run("postcat", "-bq", self.ids[0]).stdout, "\nbody 0\n")
        self.assertIn("Placed on hold: 1 message\n", self.box.run("postsuper", "-h", self.ids[1]).stderr)
        self.assertIn("Deleted: 1 message\n", self.box.run("postsuper", "-d", self.ids[2]).stderr)
        self.assertIn("Requeued: 1 message\n", self.box.run("postsuper", "-r", self.ids[3]).stderr)
        flags = self.flags()
        self.assertEqual((flags.pop(self.ids[0]), flags.pop(self.ids[1])), ("", "!"))
        self.assertEqual(len(flags), 1)     # requeued, under its name in maildrop
        self.opened.set()
        self.far.messages.clear()
        self.box.start()
        self.assertEqual(self.bodies(2), ["body 0", "body 3"])
        self.box.run("postsuper", "-H", "ALL", check=True)
        self.assertEqual(self.bodies(3), ["body 0", "body 1", "body 3"])
        self.box.wait_empty()

    def test_deleted_while_an_agent_has_it_stays_deleted(self):
        done = self.box.run("postsuper", "-d", "-", input="\n".join(self.ids[:3]))
        self.assertIn("Deleted: 3 messages", done.stderr)
        self.cut()
        self.assertEqual(set(self.flags()), {self.ids[3]})
        self.opened.set()
        self.far.messages.clear()
        self.box.start()
        self.assertEqual(self.bodies(1), ["body 3"])
        self.box.wait_empty()
