"""named-lite as a service of master: started, reloaded, stopped with the mail system."""

import os
import sys
import unittest

import postroad

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server
import wire


class UnderMaster(postroad.Test):
    def zone(self, serial):
        postroad.write(self.box.path("a.zone"), server.SOA % serial)

    def serial(self, patience=0.5):
        octets = wire.ask_udp(self.port, wire.question("a.test", "SOA"), patience)
        answer = octets and wire.Answer(octets)
        return answer and answer.answer and int(answer.answer[0][3].split()[2][:8], 16)

    def test_start_reload_stop(self):
        self.port = server.free_port()
        self.box = self.system(start=False, master_cf=postroad.MASTER_CF + "named unix - - n - 1 named-lite\n")
        os.chmod(self.box.directory, 0o755)
        self.box.settings["named_config_file"] = self.box.path("named.conf")
        self.box.write_config()
        postroad.write(self.box.path("named.conf"),
                       "options { listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; };\n"
                       "zone \"a.test\" { type primary; file \"%s\"; };\n" % (self.port, self.box.path("a.zone")))
        self.zone(1)
        self.box.start()
        postroad.wait_until(lambda: self.serial() == 1, "an answer", self.box.story)
        self.box.wait_log(r"postroad/named-lite\[\d+\]: zone a.test/IN: loaded serial 1")
        self.zone(2)
        self.box.reload()
        # The old process goes once the new one has had its time; until then both answer.
        self.box.wait_log(r"named-lite\[\d+\]: exiting")
        for _ in range(50):
            self.assertEqual(self.serial(wire.PATIENCE), 2, self.box.story())
        self.box.stop()
        self.assertIsNone(self.serial())


if __name__ == "__main__":
    unittest.main()
