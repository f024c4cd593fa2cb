"""A full disk: 452, and nothing that was accepted is lost."""
import os
import smtplib
import subprocess

import postroad


class Limits(postroad.Test):
    def test_too_few_descriptors_are_told_at_the_start(self):
        box = self.system(start=False)
        box.allow("fatal: 64 descriptors")
        done = subprocess.run(["sh", "-c", "ulimit -n 64; exec %s/bin/postroad -c %s start-fg" % (postroad.BUILD, box.config)],
                              env=box.environment(), capture_output=True, text=True, timeout=postroad.PATIENCE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("fatal: 64 descriptors are not enough: at least 256", done.stderr)

    def test_a_journal_without_its_end_is_told(self):
        box = self.system()
        box.send(postroad.address("ada"))
        box.wait_mail("ada")
        box.stop()
        journal = box.path("spool", "journal")
        for name in os.listdir(journal):
            os.truncate(os.path.join(journal, name), 300000)
        box.start()
        box.wait_log(r"warning: journal/0001 is shorter than it was made: ")
        box.send(postroad.address("ada"))
        box.wait_mail("ada", 2)


@postroad.need_root
class FullSpool(postroad.Test):
    def test_a_full_spool_says_452_and_loses_nothing(self):
        box = self.system(start=False, queue_minfree=0)
        try:
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "tmpfs", box.spool],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                self.skipTest("cannot mount a tmpfs: " + done.stderr)
            self.addCleanup(subprocess.run, ["umount", "-l", box.spool])
            self.fill(box)
        finally:
            box.stop()

    def fill(self, box):
        box.lay_out_spool()
        far = self.sink()
        far.answers["CONNECT"] = "421 4.3.2 closed"
        box.settings["relayhost"] = far.nexthop()
        box.start()
        accepted, refused = [], None
        for n in range(400):
            tag = "tag-%d" % n
            try:
                with box.smtp() as smtp:
                    smtp.sendmail("sender@example.net", ["bob@far.example"],
                                  box.message("bob@far.example", subject=tag, body="z" * 78 + "\r\n" * 1 + ("y" * 78 + "\r\n") * 6000))
                accepted.append(tag)
            except smtplib.SMTPResponseException as e:
                refused = e
                break
            except smtplib.SMTPRecipientsRefused as e:
                refused = smtplib.SMTPResponseException(*e.recipients["bob@far.example"])
                break
        self.assertIsNotNone(refused, "400 mails of 480 KB went into 64 MB")
        self.assertEqual(refused.smtp_code, 452, refused)
        self.assertRegex(refused.smtp_error, rb"^4\.3\.1 Insufficient system storage")
        self.assertGreater(len(accepted), 10)
        # Smaller mail may still find room, or not; the session must go on in any case.
        with box.smtp() as smtp:
            self.assertEqual(smtp.noop()[0], 250)
        far.answers.clear()
        postroad.wait_until(lambda: box.run("postqueue", "-f", check=True) and len(far.messages) >= len(accepted),
                            "%d mails" % len(accepted), lambda: len(far.messages), postroad.PATIENCE * 2)
        box.wait_empty(postroad.PATIENCE * 2)
        arrived = [m[2].split(b"Subject: ")[1].split(b"\r\n")[0].decode() for m in far.messages]
        self.assertEqual(sorted(set(arrived)), sorted(accepted))
        # And when there is room again, mail is accepted again; cleanup looks once a second.
        def is_accepted():
            try:
                return box.send("ada@example.org")
            except AssertionError:
                return None
        postroad.wait_until(is_accepted, "mail is accepted again", box.story)
        box.wait_mail("ada")

    def test_a_full_mailbox_disk_defers(self):
        box = self.system(start=False)
        small = box.maildir("ada")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest("cannot mount a tmpfs: " + done.stderr)
        try:
            box.make_maildir(postroad.ACCOUNTS["ada"])
            box.start()
            queue_id = box.send(postroad.address("ada"), body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 3000)
            box.wait_log(queue_id + r": to=<.*, status=deferred \(.*[Nn]o space left on device\)")
            self.assertEqual(box.mails("ada"), [])
            self.assertEqual(os.listdir(small + "/tmp"), [], "a torn file was left in tmp")
            subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
            box.wait_deferred(queue_id)
            box.run("postqueue", "-f", check=True)
            box.wait_mail("ada")
        finally:
            box.stop()
            subprocess.run(["umount", "-l", small])
