"""The issue's picture: DNS, mail, an application and a reader, on hosts of their own.

What each step answers is what Postfix, Dovecot and BIND answer with such a configuration, the refusals
that it brings upon itself included.
"""
import re
import unittest

import hosts
import postroad
import site_files as site

SEND = """
import smtplib, sys
with smtplib.SMTP(sys.argv[1], 25, timeout=60, local_hostname='[172.19.0.5]') as smtp:
    try:
        smtp.sendmail('test@example.local', [sys.argv[2]],
            'From: test@example.local\\nTo: ' + sys.argv[2] + '\\nSubject: hello\\n\\nfrom the application\\n.dot\\n')
        print('sent')
    except smtplib.SMTPRecipientsRefused as e:
        for code, text in e.recipients.values(): print(code, text.decode())
"""

READ = """
import poplib, sys
pop = poplib.POP3(sys.argv[1], 110, timeout=60)
pop.user('test'); pop.pass_('password')
count, size = pop.stat()
for n in range(1, count + 1):
    print(b'\\n'.join(pop.retr(n)[1]).decode())
    print('====')
    pop.dele(n)
pop.quit()
"""


@unittest.skipUnless(hosts.namespaces_work(), "needs root and namespaces; see test_one_host")
class FourHosts(postroad.Test):
    @classmethod
    def setUpClass(cls):
        cls.hub = hosts.Hub()
        cls.addClassCleanup(cls.hub.close)
        cls.start_dns()
        cls.start_mail()
        cls.app, cls.client = cls.hub.host("app"), cls.hub.host("client")

    @classmethod
    def start_dns(cls):
        cls.dns = host = cls.hub.host("dns")
        host.write("etc/bind/named.conf", site.NAMED_CONF.format(
            etc="/etc", cache="/var/cache/bind", port="", listen="any"))
        host.write("etc/bind/db.example.local", site.ZONE.format(**hosts.NAMES))
        host.write("etc/bind/db.19.172", site.REVERSE)
        host.start(postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c", "/etc/bind/named.conf")
        host.wait_port(53)

    @classmethod
    def start_mail(cls):
        cls.mail = host = cls.hub.host("smtp")
        for name, uid in {"test": 2000, "user": 2001}.items():
            host.add_account(name, uid, "/var/mail/" + name)
        host.add_account("postroad", 2100, "/nonexistent")
        host.add_account("postdrop", 2101, "/nonexistent")
        places = "\n".join((
            "daemon_directory = %s/libexec" % postroad.BUILD, "command_directory = %s/bin" % postroad.BUILD,
            "queue_directory = /var/spool/postfix", "data_directory = /var/lib/postfix",
            "maillog_file = /var/log/mail.log", "auth_passwd_file = /etc/dovecot/users",
            "mail_location = maildir:/var/mail/%u/Maildir", "disable_plaintext_auth = no"))
        host.write("etc/postfix/main.cf", site.MAIN_CF.format(
            etc="/etc", mail_host="smtp.example.local", mailbox="home_mailbox = Maildir/", places=places))
        host.write("etc/postfix/master.cf", site.MASTER_CF.format(smtp="smtp", pop3="pop3"))
        host.write("etc/postfix/virtual", site.VIRTUAL)
        host.write("etc/aliases", site.ALIASES)
        host.write("etc/dovecot/users", "test:{PLAIN}password:2000:2000::/var/mail/test:::\n", 0o600)
        host.run(postroad.BUILD + "/bin/postmap", "hash:/etc/postfix/virtual", check=True)
        host.run(postroad.BUILD + "/bin/postalias", "hash:/etc/aliases", check=True)
        host.run(postroad.BUILD + "/bin/postroad", "set-permissions")
        host.start(postroad.BUILD + "/bin/postroad", "start-fg")
        host.wait_port(25)
        host.wait_port(110)

    def story(self):
        return "--- mail host\n%s\n--- dns host\n%s" % (self.mail.output()[-6000:], self.dns.output()[-2000:])

    def wait_log(self, pattern):
        return postroad.wait_until(lambda: re.search(pattern, self.mail.output(), re.M),
                                   "a log line like " + pattern)

    def send(self, to):
        return self.app.python(SEND, "smtp.example.local", to).strip()

    def test_dns_answers_with_authority_and_never_recurses(self):
        script = "import hosts, sys; print(*hosts.ask('172.19.0.3', *sys.argv[1:]))"
        def ask(*question):
            return self.client.python("import sys; sys.path[:0] = %r\n%s" % (
                [hosts.__file__.rsplit("/", 1)[0], postroad.__file__.rsplit("/", 1)[0]], script), *question)
        answer = ask("example.local")
        self.assertRegex(answer, r"'aa'.* 0 \['172\.19\.0\.3'\] 0$")
        self.assertNotIn("'ra'", answer)
        # The zone's 4 is 4.19.172.in-addr.arpa: the address has no name, and the SOA says for how long.
        self.assertRegex(ask("4.0.19.172.in-addr.arpa", "PTR"), r" 3 \[\] 1$")
        self.assertRegex(ask("elsewhere.example"), r" 5 \[\] 0$")

    def test_every_host_resolves_the_mail_host_by_our_dns(self):
        for host in (self.mail, self.app, self.client):
            seen = host.python("import socket; print(socket.gethostbyname('smtp.example.local'))")
            self.assertEqual(seen.strip(), "172.19.0.4", host.name)

    def test_banner_and_farewell(self):
        seen = self.client.python("""
import socket
line = socket.create_connection(('smtp.example.local', 25), 20).makefile('rw', newline='')
print(line.readline().strip())
line.write('MAIL FROM:<a@b.example>\\r\\n'); line.flush(); print(line.readline().strip())
line.write('QUIT\\r\\n'); line.flush(); print(line.readline().strip())
""").splitlines()
        self.assertEqual(seen, ["220 smtp.example.local ESMTP Postroad",
                                "503 5.5.1 Error: send HELO/EHLO first", "221 2.0.0 Bye"])

    def test_mail_goes_round(self):
        self.assertEqual(self.send("test@smtp.example.local"), "sent")
        self.wait_log(r"local\[\d+\]: \w+: to=<test@smtp\.example\.local>, relay=local, .*dsn=2\.0\.0, "
                      r"status=sent \(delivered to maildir\)")
        self.wait_log(r"connect from unknown\[172\.19\.0\.5\]")
        seen = self.client.python(READ, "smtp.example.local")
        self.assertIn("from the application\n.dot\n", seen)
        self.assertIn("Delivered-To: test@smtp.example.local", seen)
        self.assertRegex(seen, r"Return-Path: <test@example\.local>")
        self.assertRegex(seen, r"Received: from \[172\.19\.0\.5\] \(unknown \[172\.19\.0\.5\]\)")
        # The application is in mynetworks, but it is not this host: nothing is added to its header.
        self.assertNotIn("Message-Id:", seen)
        self.assertEqual(self.client.python(READ, "smtp.example.local").strip(), "", "DELE was not kept")

    def test_localhost_name_is_local_too(self):
        self.assertEqual(self.send("test@localhost.example.local"), "sent")
        self.wait_log(r"to=<test@localhost\.example\.local>, relay=local, .*status=sent")

    def test_the_seed_refuses_its_own_user(self):
        self.assertEqual(self.send("test@example.local"), "550 5.1.1 <test@example.local>: Recipient "
                         "address rejected: User unknown in virtual alias table")
        self.wait_log(r"NOQUEUE: reject: RCPT from unknown\[172\.19\.0\.5\]: 550 5\.1\.1 <test@example\.local>: "
                      r"Recipient address rejected: User unknown in virtual alias table; "
                      r"from=<test@example\.local> to=<test@example\.local> proto=ESMTP helo=<\[172\.19\.0\.5\]>")

    def test_a_virtual_alias_that_leads_nowhere_bounces(self):
        self.assertEqual(self.send("recipient@example.local"), "sent")
        self.wait_log(r"to=<test@example\.local>, orig_to=<recipient@example\.local>, relay=none, .*"
                      r"dsn=5\.1\.1, status=bounced \(User unknown in virtual alias table\)")

    def test_a_local_alias_is_forwarded_and_bounces(self):
        self.assertEqual(self.send("recipient@smtp.example.local"), "sent")
        child = self.wait_log(r"to=<recipient@smtp\.example\.local>, relay=local, .*"
                              r"status=sent \(forwarded as (\w+)\)").group(1)
        self.wait_log(child + r": to=<user@example\.local>, .*dsn=5\.1\.1, status=bounced")

    def test_an_unknown_local_user_is_refused(self):
        self.assertEqual(self.send("nosuch@smtp.example.local"), "550 5.1.1 <nosuch@smtp.example.local>: "
                         "Recipient address rejected: User unknown in local recipient table")

    def test_mail_for_a_domain_that_dns_cannot_tell_waits(self):
        self.assertEqual(self.send("someone@outside.example"), "sent")
        self.wait_log(r"to=<someone@outside\.example>, relay=none, .*dsn=4\.4\.3, status=deferred "
                      r"\(Host or domain name not found\. Name service error for name=outside\.example type=MX: "
                      r"Host not found, try again\)")

    def test_the_log_names_what_the_configuration_asks_in_vain(self):
        self.wait_log(r'duplicate master\.cf entry for service "proxymap" \(private/proxymap\) -- using the last entry')
        self.wait_log(r"warning:.*tlsmgr")
        self.wait_log(r"warning:.*smtp_tls_security_level")

    def test_a_wrong_password_is_refused(self):
        seen = self.client.python("""
import poplib
pop = poplib.POP3('smtp.example.local', 110, timeout=60)
pop.user('test')
try: pop.pass_('wrong')
except poplib.error_proto as e: print(e.args[0].decode())
""")
        self.assertRegex(seen, r"^-ERR \[AUTH\] ")


if __name__ == "__main__":
    unittest.main()
