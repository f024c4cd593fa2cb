"""postroad check: what smtpd would stumble over is told before a client meets it, and each thing once."""
import os

import postroad


class Check(postroad.Test):
    def check(self, **main_cf):
        self.box = self.system(start=False, **main_cf)
        self.box.write_config()
        self.box.run("sendmail", "-bi", check=True)
        return self.again()

    def again(self):
        done = self.box.run("postroad", "check")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(set(lines)), done.stderr)
        return done

    def test_nothing_to_say(self):
        done = self.check()
        self.assertExit(done, 0)
        self.assertNotIn("error: ", done.stderr)

    def test_tables_of_restrictions(self):
        done = self.check(smtpd_sender_restrictions="check_sender_access hash:/nowhere/senders",
                          smtpd_restriction_classes="strict",
                          strict="check_client_access cidr:/nowhere/clients, warn_if_reject reject_unknown_client_hostname",
                          smtpd_recipient_restrictions="strict, reject_unauth_destination")
        self.assertExit(done, 1)
        self.assertRegex(done.stderr, "error: smtpd_sender_restrictions: check_sender_access hash:/nowhere/senders: "
                         "open database /nowhere/senders.db: No such file or directory; run postmap\n")
        self.assertRegex(done.stderr, "error: strict: check_client_access cidr:/nowhere/clients: "
                         "open file /nowhere/clients: No such file or directory\n")

    def test_words_that_nobody_knows(self):
        done = self.check(smtpd_helo_restrictions="permit_mynetworks, reject_unknown_hello")
        self.assertExit(done, 1)
        self.assertIn('warning: unknown smtpd restriction: "reject_unknown_hello" in smtpd_helo_restrictions', done.stderr)
        self.assertIn("error: smtpd_helo_restrictions: reject_unknown_hello cannot be obeyed: clients that meet it hear 451",
                      done.stderr)

    def test_what_one_service_is_told(self):
        self.check()
        self.box.master_cf += "127.0.0.1:0 inet n - n - - smtpd -o smtpd_client_restrictions=regexp:/nowhere/x\n"
        self.box.write_config()
        self.assertRegex(self.again().stderr, "error: smtpd_client_restrictions: check_client_access regexp:/nowhere/x: open file")

    def test_every_table_and_file_of_main_cf(self):
        done = self.check(relay_domains="/nowhere/domains, !x.example", sender_bcc_maps="hash:/nowhere/bcc")
        self.assertExit(done, 1)
        self.assertIn("error: relay_domains: /nowhere/domains: No such file or directory\n", done.stderr)
        self.assertIn("error: sender_bcc_maps: hash:/nowhere/bcc: open database /nowhere/bcc.db", done.stderr)

    def test_zones(self):
        self.check()
        zone = os.path.join(self.box.directory, "a.zone")
        conf = os.path.join(self.box.directory, "named.conf")
        with open(zone, "w") as f:
            f.write("$TTL 1h\n@ SOA ns host 1 1 1 1 1\n@ NS ns\n@ MX 5 al\nal CNAME ns\nns A 192.0.2.1\n")
        with open(conf, "w") as f:
            f.write('zone "a.test" { type primary; file "%s"; };\nzone "b.test" { type primary; file "/nowhere/b"; };\n' % zone)
        self.box.master_cf += "named unix - - n - 1 named-lite\n"
        self.box.settings["named_config_file"] = conf
        self.box.write_config()
        done = self.again()
        self.assertExit(done, 1)
        self.assertIn("%s:4: the MX of a.test is al.a.test, an alias" % zone, done.stderr)
        self.assertIn("zone b.test/IN: loading from master file /nowhere/b failed: file not found", done.stderr)
