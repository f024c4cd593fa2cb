"""Much mail for destinations that are ill; mail for healthy ones goes all the same. tests/bench/storm.py measures it."""
import threading

import postroad


class Storm(postroad.Test):
    def test_healthy_mail_goes_while_others_are_ill_2_4(self):
        healthy, refusing, hanging, gone = (self.sink() for _ in range(4))
        opened = threading.Event()
        self.addCleanup(opened.set)
        refusing.answers["RCPT"] = "450 4.2.1 not now"
        hanging.answers["."] = lambda line: opened.wait(postroad.PATIENCE) and "250 2.0.0 Ok" or ""
        gone.close()
        system = self.system(start=False)
        system.settings.update(transport_maps="hash:" + system.path("etc", "transport"), qmgr_message_active_limit="100",
                               minimal_backoff_time="2s", maximal_backoff_time="4s", queue_run_delay="2s")
        names = {"healthy": healthy, "refusing": refusing, "hanging": hanging, "gone": gone}
        postroad.write(system.path("etc", "transport"), "".join(
            "%s.example smtp:%s\n" % (name, sink.nexthop()) for name, sink in names.items()))
        system.run("postmap", "hash:" + system.path("etc", "transport"), check=True)
        system.start()
        with system.smtp() as client:
            for n in range(100):
                for name in ("refusing", "hanging", "gone"):
                    system.send("r%d@%s.example" % (n, name), client=client)
                if n % 5 == 0:
                    system.send("r%d@healthy.example" % n, client=client)
        healthy.wait(20)
        self.assertFalse(hanging.messages or refusing.messages)
        opened.set()
        del refusing.answers["RCPT"]
        hanging.wait(100)
        refusing.wait(100)
