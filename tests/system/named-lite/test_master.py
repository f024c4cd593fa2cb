"""named-lite as a service of master: started, reloaded, stopped with the mail system."""

import os
import subprocess
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

    def test_log_files_beside_the_mail_log(self):
        self.port = server.free_port()
        self.box = self.system(start=False, master_cf=postroad.MASTER_CF + "named unix - - n - 1 named-lite\n")
        os.chmod(self.box.directory, 0o755)
        os.mkdir(self.box.path("logs"))
        os.chmod(self.box.path("logs"), 0o777)
        self.box.settings["named_config_file"] = self.box.path("named.conf")
        self.box.write_config()
        postroad.write(self.box.path("named.conf"),
                       "options { listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; directory \"%s\"; };\n"
                       "logging { channel q { file \"query.log\"; print-category yes; };\n"
                       "category queries { q; default_syslog; }; };\n"
                       "zone \"a.test\" { type primary; file \"%s\"; };\n" % (self.port, self.box.path("logs"),
                                                                            self.box.path("a.zone")))
        self.zone(1)
        self.box.start()
        postroad.wait_until(lambda: self.serial() == 1, "an answer", self.box.story)
        self.box.wait_log(r"postroad/named-lite\[\d+\]: running")
        self.box.wait_log(r"postroad/named-lite\[\d+\]: client @0x7f000001\w+ 127\.0\.0\.1#\d+ \(a.test\): query: a.test IN SOA")
        with open(self.box.path("logs", "query.log")) as f:
            self.assertIn("queries: client @0x7f000001", f.read())
        self.box.reload()
        self.box.wait_log(r"named-lite\[\d+\]: exiting")
        self.assertEqual(self.serial(wire.PATIENCE), 1)
        self.box.stop()

    def test_the_key_file_opens_the_control_channel(self):
        self.port, control = server.free_port(), server.free_port()
        self.box = self.system(start=False, master_cf=postroad.MASTER_CF + "named unix - - n - 1 named-lite\n")
        os.chmod(self.box.directory, 0o755)
        self.box.settings["named_config_file"] = self.box.path("named.conf")
        self.box.write_config()
        postroad.write(self.box.path("rndc.key"), 'key "rndc-key" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n')
        postroad.write(self.box.path("named.conf"),
                       "options { listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; };\n"
                       "controls { inet 127.0.0.1 port %d allow { any; }; };\n"
                       "zone \"a.test\" { type primary; file \"%s\"; };\n" % (self.port, control, self.box.path("a.zone")))
        self.zone(1)
        self.box.start()
        postroad.wait_until(lambda: self.serial() == 1, "an answer", self.box.story)
        # The one where configure was told, if it is there; else the one beside named.conf.
        key = self.box.wait_log(r"configuring command channel from '(.*)'").group(1)

        def rndc(*words):
            return subprocess.run([os.path.join(server.BUILD, "bin", "postroad-rndc"), "-k", key, "-p", str(control),
                                   *words], capture_output=True, text=True)
        done = rndc("status")
        self.assertIn("server is up and running", done.stdout, done.stderr + self.box.story())
        self.zone(2)
        self.assertEqual(rndc("reload", "a.test").returncode, 0)
        postroad.wait_until(lambda: self.serial() == 2, "the new serial", self.box.story)


if __name__ == "__main__":
    unittest.main()
