"""Any daemon killed while notices are made: each is sent once (invariants 1 and 2 of bounce), and nothing stays behind."""
import collections
import re
import smtplib
import threading

import postroad
from report import Report

ADA, TEST = postroad.address("ada"), postroad.address("test")
MAILS = 48


class Killed(postroad.Test):
    def check(self, *programs):
        far = self.sink()
        far.answers["RCPT"] = lambda line: "550 5.1.1 no such user" if "<no" in line else "250 2.1.5 Ok"
        box = self.system(relayhost=far.nexthop(), minimal_backoff_time="1s", maximal_backoff_time="1s",
                          queue_run_delay="1s", delay_warning_time="1s")
        box.allow("killed by signal 9|throttling")
        box.send("nobody@far.example", TEST, sender=ADA, subject="warm")
        box.wait_mail("ada")
        accepted = []

        def send():
            for n in range(MAILS):
                try:
                    with box.smtp() as smtp:
                        smtp.ehlo()
                        smtp.sendmail(ADA, ["nobody@far.example", TEST], box.message("x", subject="tag-%d" % n),
                                      mail_options=["ENVID=tag-%d" % n], rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
                    accepted.append("tag-%d" % n)
                except (OSError, smtplib.SMTPException):
                    pass
        thread = threading.Thread(target=send)
        thread.start()
        killed = 0
        for share in range(1, 6):
            postroad.wait_until(lambda: len(accepted) >= share * MAILS // 6 or not thread.is_alive(), "load")
            for program in programs:
                killed += box.kill(program)
            if not programs:
                box.reload()
        thread.join()
        self.assertEqual(killed > 0, programs != ())
        box.wait_empty(postroad.PATIENCE * 2)
        seen = collections.Counter()
        for mail in box.mails("ada"):
            report = Report(mail)
            for recipient in report.recipients:
                seen[report.about["Original-Envelope-Id"], recipient["Action"]] += 1
        self.assertGreater(len(accepted), MAILS // 4)
        for tag in accepted:
            for action in "failed", "delivered":
                self.assertEqual(seen[tag, action], 1, "%s %s: %d notices" % (tag, action, seen[tag, action]))

    def test_invariant_2_kill_bounce(self):
        self.check("bounce")

    def test_invariant_2_kill_cleanup(self):
        self.check("cleanup")

    def test_invariant_2_kill_qmgr(self):
        self.check("qmgr")

    def test_invariant_2_kill_all_three(self):
        self.check("bounce", "cleanup", "qmgr")

    def test_invariant_2_reload(self):
        self.check()
