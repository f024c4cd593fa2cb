"""Who goes next: large messages let small ones pass, windows, rates, slow destinations, agents that fail.

The numbers are those of qmgr/schedule.c.
"""
import os
import re
import shutil
import threading
import time

import postroad


class Gate:
    """Answers the final dot once it is open."""

    def __init__(self, sink):
        self.opened = threading.Event()
        self.waiting = 0
        sink.answers["."] = self.answer

    def answer(self, line):
        self.waiting += 1
        self.opened.wait(postroad.PATIENCE)
        return "250 2.0.0 Ok: taken"

    def wait(self, count):
        postroad.wait_until(lambda: self.waiting >= count, "%d deliveries at the gate" % count,
                            lambda: self.waiting)


class Large(postroad.Test):
    def overtake(self, recipients, **main_cf):
        """How many deliveries of a large message precede a small one that comes when two are under way."""
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), smtpd_recipient_limit="10000",
                             smtp_destination_concurrency_limit="2", smtp_destination_recipient_limit="5", **main_cf)
        gate = Gate(far)
        system.run("sendmail", "-f", "list@example.net", *["r%d@far.example" % n for n in range(recipients)],
                   input=system.message("all"), check=True)
        gate.wait(2)
        small = system.send("one@far.example")
        system.wait_log(small + r": from=.*\(queue active\)")
        # One more round trip to trivial-rewrite, and it stands in the queue.
        system.wait_log(system.send("ada@example.org") + ": removed")
        gate.opened.set()
        system.wait_log(small + r": to=<one@far\.example>.*status=sent")
        order = [r for _, r, _ in far.messages]
        far.wait(recipients // 5 + 1)
        system.wait_empty()
        return order.index(["one@far.example"])

    def test_a_small_message_overtakes_a_large_one_3(self):
        self.assertLessEqual(self.overtake(5000), 8)

    def test_older_mail_goes_before_a_large_message_3(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), smtp_destination_concurrency_limit="2",
                             smtp_destination_recipient_limit="2")
        gate = Gate(far)
        older = [system.send("r%d@far.example" % n) for n in range(30)]
        system.wait_log(older[-1] + r": from=.*\(queue active\)")
        large = system.send(*["x%d@far.example" % n for n in range(60)])
        system.wait_log(large + r": from=.*\(queue active\)")
        system.wait_log(system.send("ada@example.org") + ": removed")
        gate.opened.set()
        far.wait(60)
        system.wait_empty()
        first_of_large = next(i for i, (_, r, _) in enumerate(far.messages) if r[0].startswith("x"))
        self.assertGreaterEqual(first_of_large, 28)

    def test_with_a_cost_of_0_none_overtakes(self):
        self.assertGreaterEqual(self.overtake(200, default_delivery_slot_cost="0"), 38)

    def test_nor_to_other_destinations_3(self):
        system = self.system(transport_maps="hash:" + "{0}/etc/transport", start=False)
        system.settings.update(transport_maps="hash:" + system.path("etc", "transport"),
                               default_minimum_delivery_slots="2", discard_transport_rate_delay="1s")
        postroad.write(system.path("etc", "transport"), "".join(
            "d%d.example discard:d%d\n" % (n, n) for n in range(31)))
        system.run("postmap", "hash:" + system.path("etc", "transport"), check=True)
        system.start()
        large = system.send(*["x@d%d.example" % n for n in range(30)])
        system.wait_log(large + ": to=.*status=sent")
        small = system.send("x@d30.example")
        system.wait_log(small + r": from=.*\(queue active\)")
        line = large + ": to=.*status=sent"
        before = len(re.findall(line, system.log()))
        first = system.wait_log("(?s)(.*)" + small + ": to=[^\n]*status=sent").group(1)
        self.assertLessEqual(len(re.findall(line, first)) - before, 5)

    def test_recipients_beyond_the_limits_follow_5(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), smtp_recipient_limit="3", smtp_extra_recipient_limit="0",
                             smtp_recipient_refill_limit="2", smtp_destination_recipient_limit="1",
                             qmgr_message_recipient_minimum="1", default_minimum_delivery_slots="2")
        system.send(*["r%d@far.example" % n for n in range(60)])
        far.wait(60)
        system.wait_empty()
        self.assertEqual(sorted(r for _, r, _ in far.messages), sorted(["r%d@far.example" % n] for n in range(60)))

    def test_a_large_message_can_be_deleted_while_it_waits(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), smtp_destination_recipient_limit="2",
                             smtp_destination_concurrency_limit="2")
        gate = Gate(far)
        queue_id = system.send(*["r%d@far.example" % n for n in range(60)])
        gate.wait(2)
        self.assertIn("Deleted: 1 message", system.run("postsuper", "-d", queue_id).stderr)
        gate.opened.set()
        system.wait_log(queue_id + ": removed")
        system.wait_empty()
        self.assertEqual(len(far.messages), 2)


class Window(postroad.Test):
    def test_a_flush_tries_a_dead_host_again(self):
        far = self.sink()
        far.answers["CONNECT"] = "421 4.3.2 closed"
        system = self.system(relayhost=far.nexthop(), smtp_initial_destination_concurrency="1")
        system.send("one@far.example")
        system.wait_log(r"to=<one@far\.example>.*status=deferred \(host")
        system.send("two@far.example")
        system.wait_log(r"to=<two@far\.example>.*status=deferred \(delivery temporarily suspended")
        del far.answers["CONNECT"]
        postroad.wait_until(lambda: [flag for flag, *_ in system.queue().values()] == ["", ""], "two that wait", system.story)
        system.run("postqueue", "-f", check=True)
        far.wait(2)
        system.wait_empty()

    def test_it_opens_and_closes_1(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), destination_concurrency_feedback_debug="yes",
                             minimal_backoff_time="1s", queue_run_delay="1s",
                             smtp_initial_destination_concurrency="3", smtp_destination_concurrency_limit="4",
                             smtp_destination_concurrency_positive_feedback="1/concurrency",
                             smtp_destination_concurrency_failed_cohort_limit="1")
        # A gate shows how many come at once.
        gate = Gate(far)
        for n in range(8):
            system.send("r%d@far.example" % n)
        gate.wait(3)
        gate.opened.set()
        far.wait(8)
        system.wait_log(r"smtp/\[.*: delivered: window 4 of 4")
        far.answers["CONNECT"] = lambda line: ""    # and no connection is kept for the next
        far.answers["MAIL"] = lambda line: ""
        for n in range(12):
            system.send("late%d@far.example" % n)
        system.wait_log(r"smtp/\[.*: dead: window . of 4")
        system.wait_log(r"to=<late.*dsn=4\.4\.1, status=deferred \(delivery temporarily suspended: ")
        far.answers.clear()
        far.wait(20)
        system.wait_empty()

    def test_a_host_that_refuses_to_talk_is_left_alone(self):
        far = self.sink()
        far.answers["CONNECT"] = "421 4.3.2 closed"
        system = self.system(relayhost=far.nexthop(), smtp_initial_destination_concurrency="1")
        system.send("first@far.example")
        system.wait_log(r"to=<first@.*status=deferred \(host .* refused to talk to me: 421 4\.3\.2 closed\)")
        system.send("next@far.example")
        system.wait_log(r"to=<next@.*status=deferred \(delivery temporarily suspended: host .* refused to talk to me")
        self.assertEqual(far.connections, 1)

    def test_a_mailbox_has_no_more_workers_than_it_may(self):
        """Three mails for a command that is slow, and room for four workers."""
        system = self.system(start=False, local_destination_concurrency_limit="1")
        marks = system.path("marks")
        os.makedirs(marks)
        os.chmod(marks, 0o777)
        with open(system.path("etc", "aliases"), "a") as aliases:
            aliases.write('slow: "|mkdir %s/busy || touch %s/twice; sleep 0.8; rmdir %s/busy"\n' % (marks, marks, marks))
        system.start()
        for _ in range(3):
            system.send("slow@example.org")
        system.wait_log("(?s)(to=<slow@example.org>.*status=sent.*){3}")
        self.assertEqual(os.listdir(marks), [])

    def test_a_window_is_never_exceeded_1(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), smtp_destination_concurrency_limit="2")
        busy, most = [0], [0]
        lock = threading.Lock()

        def taken(line):
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            time.sleep(0.01)
            with lock:
                busy[0] -= 1
            return "250 2.0.0 Ok: taken"
        far.answers["."] = taken
        for n in range(30):
            system.send("r%d@far.example" % n)
        far.wait(30)
        self.assertLessEqual(most[0], 2)


class Pace(postroad.Test):
    def times(self, sink):
        """When the sink took each message."""
        times = []
        sink.answers["."] = lambda line: times.append(time.monotonic()) or "250 2.0.0 Ok: taken"
        return times

    def test_a_pause_between_deliveries_1(self):
        far = self.sink()
        times = self.times(far)
        system = self.system(relayhost=far.nexthop(), smtp_destination_rate_delay="1s")
        began = time.monotonic()
        for n in range(3):
            system.send("r%d@far.example" % n)
        far.wait(3)
        # The first may be late, so count from when it was sent.
        self.assertTrue(all(at - began >= n for n, at in enumerate(times)), (began, times))

    def test_a_pause_of_the_transport(self):
        far, near = self.sink(), self.sink()
        times = self.times(far)
        near.answers["."] = far.answers["."]
        system = self.system(start=False)
        system.settings.update(transport_maps="hash:" + system.path("etc", "transport"), smtp_transport_rate_delay="1s")
        postroad.write(system.path("etc", "transport"), "far.example smtp:%s\nnear.example smtp:%s\n"
                       % (far.nexthop(), near.nexthop()))
        system.run("postmap", "hash:" + system.path("etc", "transport"), check=True)
        system.start()
        began = time.monotonic()
        system.send("a@far.example", "b@near.example")
        far.wait(1)
        near.wait(1)
        self.assertGreaterEqual(max(times) - began, 1)

    def test_mailq_tells_of_a_pause_2(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop(), smtp_destination_rate_limit="1/h", minimal_backoff_time="2h",
                             maximal_backoff_time="2h", queue_run_delay="2h")
        system.send("first@far.example")
        far.wait(1)
        queue_id = system.send("second@far.example")
        flag, reasons, recipients = postroad.wait_until(
            lambda: system.queue().get(queue_id, ("", ()))[1] and system.queue()[queue_id], "a reason", system.story)
        self.assertEqual((flag, recipients), ("*", ["second@far.example"]))
        self.assertRegex(reasons[0], r"\(rate limit 1/h of \[[\d.]+\]:\d+: next at ([A-Z][a-z]+ +\d+ )?\d\d:\d\d:\d\d\)")

    def test_a_rate_is_kept_and_told_2(self):
        far = self.sink()
        times = self.times(far)
        system = self.system(relayhost=far.nexthop(), smtp_destination_rate_limit="120/m", minimal_backoff_time="1s",
                             maximal_backoff_time="2s", queue_run_delay="1h")
        began = time.monotonic()
        ids = [system.send("r%d@far.example" % n) for n in range(8)]
        system.wait_log(system.send("ada@example.org") + r": to=.*status=sent")
        deferred = system.wait_log(r"(\w+): to=<r\d@far\.example>.*dsn=4\.4\.5, status=deferred "
                                   r"\(rate limit 120/m of \[[\d.]+\]:\d+: next at \d\d:\d\d:\d\d\)")
        self.assertIn(deferred.group(1), ids)
        listed = system.queue().get(deferred.group(1))
        if listed and listed[0] == "" and listed[1]:
            self.assertRegex(listed[1][0], r"\(rate limit 120/m of \[")
        far.wait(8)
        # The first may be late, so count from when it was sent.
        self.assertGreaterEqual(times[-1] - began, 7 * 0.5, times)
        system.wait_empty()


class Crowd(postroad.Test):
    def test_one_that_hangs_leaves_room_for_others_4(self):
        far = self.sink()
        gate = Gate(far)
        system = self.system(relayhost=far.nexthop(), qmgr_message_active_limit="20", minimal_backoff_time="1s",
                             maximal_backoff_time="1s", queue_run_delay="1s")
        with system.smtp() as client:
            for n in range(60):
                system.send("r%d@far.example" % n, client=client)
        system.wait_log(r"warning: mail for \[.* is using up \d+ of 20 active queue entries")
        system.wait_log(r"status=deferred \(too much mail for \[.*\]:\d+ is waiting: next at ")
        system.send("ada@example.org")
        system.wait_mail("ada")
        self.assertEqual(len(far.messages), 0)
        gate.opened.set()
        far.wait(60)
        system.wait_empty()
        self.assertEqual(len(far.messages), 60)


    def test_lists_for_one_that_hangs_leave_room_for_others_4(self):
        far = self.sink()
        gate = Gate(far)
        system = self.system(relayhost=far.nexthop(), qmgr_message_recipient_limit="100", minimal_backoff_time="1s",
                             maximal_backoff_time="1s", queue_run_delay="1s", default_minimum_delivery_slots="1",
                             smtp_destination_recipient_limit="2")
        with system.smtp() as client:
            for n in range(12):
                system.send(*["r%d_%d@far.example" % (n, r) for r in range(20)], client=client)
        gate.wait(5)
        system.send("ada@example.org")
        system.wait_mail("ada")
        self.assertEqual(len(far.messages), 0)
        gate.opened.set()
        far.wait(120)
        system.wait_empty()
        self.assertEqual(len({r for _, rs, _ in far.messages for r in rs}), 240)


class Trouble(postroad.Test):
    def test_a_transport_whose_agent_fails_is_unavailable(self):
        far = self.sink()
        system = self.system(start=False, relayhost=far.nexthop(), transport_retry_time="1s", minimal_backoff_time="1s",
                             maximal_backoff_time="1s", queue_run_delay="1s", service_throttle_time="1s")
        system.allow(r"smtp.*(exit|ended|throttling|bad command startup)")
        libexec = system.path("libexec")
        shutil.copytree(postroad.BUILD + "/libexec", libexec, copy_function=os.symlink)
        self.replace(libexec + "/smtp", shutil.which("false"))
        system.settings["daemon_directory"] = libexec
        system.start()
        first = system.send("first@far.example")

        def is_deferred():
            system.send("more@far.example")
            return "dsn=4.3.0, status=deferred (mail transport unavailable)" in system.log()
        postroad.wait_until(is_deferred, "mail that is deferred", system.story)
        system.wait_log(r"transport smtp: its agent is of no use")
        self.replace(libexec + "/smtp", postroad.BUILD + "/libexec/smtp")
        system.wait_log(first + ": removed")
        system.wait_empty()

    def replace(self, path, target):
        os.symlink(target, path + ".new")
        os.rename(path + ".new", path)

    def test_a_restart_of_an_agent_defers_nothing(self):
        far = self.sink()
        system = self.system(relayhost=far.nexthop())
        system.send("r0@far.example")
        far.wait(1)
        system.allow("killed by signal")
        for n in range(3):
            system.kill("smtp")
            system.send("r%d@far.example" % (n + 1))
            far.wait(n + 2)
        self.assertNotIn("status=deferred", system.log())
