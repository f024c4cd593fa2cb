"""The same road on one host and loopback addresses: for machines without root or namespaces."""
import os
import subprocess

import hosts
import postroad
import site_files as site


class OneHost(postroad.Test):
    def setUp(self):
        self.mail = self.system(start=False, **{
            "myhostname": "smtp.example.local", "mydomain": "example.local",
            "mydestination": "$myhostname, localhost.$mydomain, localhost",
            "virtual_alias_domains": "example.local", "smtpd_helo_required": "yes",
            "smtpd_banner": "$myhostname ESMTP $mail_name",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"})
        postroad.write(self.mail.path("etc", "virtual"),
                       "recipient@example.local test\nada@example.local %s@smtp.example.local\n" % (
                           postroad.ACCOUNTS["ada"]))
        self.mail.settings["virtual_alias_maps"] = "hash:" + self.mail.path("etc", "virtual")
        self.mail.run("postmap", self.mail.settings["virtual_alias_maps"], check=True)
        self.start_dns()
        self.mail.start()

    def start_dns(self):
        self.dns_address = "127.0.0.1"     # as BIND, it listens on addresses that an interface has
        self.dns_port = postroad.free_port(self.dns_address)
        names = dict.fromkeys(hosts.NAMES, self.dns_address) | {"smtp": self.mail.address}
        etc = self.mail.config
        postroad.write(etc + "/bind/db.example.local", site.ZONE.format(**names))
        postroad.write(etc + "/bind/db.19.172", site.REVERSE)
        postroad.write(etc + "/bind/named.conf", site.NAMED_CONF.format(
            etc=etc, cache=self.mail.directory, port="port %d" % self.dns_port, listen=self.dns_address))
        with open(self.mail.path("named.log"), "wb") as output:
            named = subprocess.Popen([postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c",
                                      etc + "/bind/named.conf"], stdout=output, stderr=output)
        self.addCleanup(named.wait)
        self.addCleanup(named.terminate)
        def answers():
            if named.poll() is not None:
                raise AssertionError("named-lite ended with %d" % named.returncode)
            try:
                return hosts.ask(self.dns_address, "smtp.example.local", port=self.dns_port, patience=1)
            except OSError:
                return None
        postroad.wait_until(answers, "an answer from named-lite",
                            lambda: open(self.mail.path("named.log")).read())

    def test_mail_goes_round(self):
        flags, code, addresses, _ = hosts.ask(self.dns_address, "smtp.example.local", port=self.dns_port)
        self.assertEqual((code, addresses), (0, [self.mail.address]))
        self.assertIn("aa", flags)
        self.assertNotIn("ra", flags)
        self.mail.send("ada@example.local", body="from the application\r\n.dot\r\n")
        self.mail.wait_log(r"status=sent \(delivered to maildir\)")
        pop = self.mail.pop3("ada")
        self.assertEqual(pop.stat()[0], 1)
        lines = pop.retr(1)[1]
        self.assertEqual(lines[-2:], [b"from the application", b".dot"])
        self.assertIn(b"X-Original-To: ada@example.local", lines)
        pop.dele(1)
        pop.quit()
        again = self.mail.pop3("ada")
        self.assertEqual(again.stat()[0], 0)
        again.quit()
        self.mail.wait_empty()

    def test_refusals(self):
        with self.mail.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("a@example.net")
            for address, reply in (
                    ("test@example.local", b"5.1.1 <test@example.local>: Recipient address rejected: "
                                           b"User unknown in virtual alias table"),
                    ("nosuch@smtp.example.local", b"5.1.1 <nosuch@smtp.example.local>: Recipient address "
                                                  b"rejected: User unknown in local recipient table")):
                self.assertEqual(smtp.rcpt(address), (550, reply))
