"""smtp(8) and DNS: which host gets the mail. Names come from our own named-lite, so this needs namespaces."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "road"))
import hosts
import postroad
import site_files as site

ZONE = """\
$TTL 60
@       SOA ns.example. root.example. 1 3600 600 86400 60
        NS  ns.example.
ns      A   172.19.0.3
mail    A   172.19.0.4
far     MX  10 dead.example.
far     MX  20 app.example.
dead    A   172.19.0.99
app     A   172.19.0.5
direct  A   172.19.0.5
none    MX  0 .
away    MX  10 nowhere.example.
loop    MX  10 mail.example.
"""

CONF = """\
options { directory "/var/cache/bind"; listen-on { any; }; };
zone "example" { type primary; file "/etc/bind/db.example"; };
"""

SINK = """
import sys, time; sys.path.insert(0, %r)
import postroad
sink = postroad.Sink("172.19.0.5", 25)
while True: time.sleep(60)
"""


@unittest.skipUnless(hosts.namespaces_work(), "needs root and namespaces")
class Names(postroad.Test):
    @classmethod
    def setUpClass(cls):
        cls.hub = hosts.Hub()
        cls.addClassCleanup(cls.hub.close)
        dns, cls.mail, app = (cls.hub.host(n) for n in ("dns", "smtp", "app"))
        dns.write("etc/bind/named.conf", CONF)
        dns.write("etc/bind/db.example", ZONE)
        dns.start(postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c", "/etc/bind/named.conf")
        dns.wait_port(53)
        app.start(sys.executable, "-c", SINK % os.path.dirname(postroad.__file__))
        app.wait_port(25)
        cls.start_mail(cls.mail)

    @classmethod
    def start_mail(cls, host):
        host.add_account("postroad", 2100, "/nonexistent")
        host.add_account("postdrop", 2101, "/nonexistent")
        host.write("etc/postfix/main.cf", "\n".join((
            "compatibility_level = 3.6", "myhostname = mail.example", "mydestination = localhost",
            "inet_interfaces = all", "inet_protocols = ipv4", "mynetworks = 127.0.0.0/8 172.19.0.0/16",
            "smtp_connect_timeout = 1s", "alias_maps =",
            "daemon_directory = %s/libexec" % postroad.BUILD, "command_directory = %s/bin" % postroad.BUILD,
            "queue_directory = /var/spool/postfix", "data_directory = /var/lib/postfix",
            "maillog_file = /var/log/mail.log", "")))
        host.write("etc/postfix/master.cf", "".join(
            line + "\n" for line in site.MASTER_CF.format(smtp="smtp", pop3="#pop3").splitlines()
            if not line.startswith(("tlsmgr", "verify", "flush", "proxywrite", "auth"))))
        host.run(postroad.BUILD + "/bin/postroad", "set-permissions")
        host.start(postroad.BUILD + "/bin/postroad", "start-fg")
        host.wait_port(25)

    def story(self):
        return "--- mail host\n" + self.mail.output()[-5000:]

    def outcome(self, to, pattern):
        self.mail.python("import smtplib, sys\nwith smtplib.SMTP('172.19.0.4') as s: "
                         "s.sendmail('', [sys.argv[1]], 'Subject: x\\n\\nx\\n')", to)
        wanted = r"to=<%s>, .*%s" % (re.escape(to), pattern)
        postroad.wait_until(lambda: re.search(wanted, self.mail.output()), wanted)

    def test_the_next_mx_when_the_first_is_dead(self):
        self.outcome("bob@far.example", r"relay=app\.example\[172\.19\.0\.5\]:25, .*status=sent")

    def test_an_address_without_mx(self):
        self.outcome("bob@direct.example", r"relay=direct\.example\[172\.19\.0\.5\]:25, .*status=sent")

    def test_null_mx_bounces(self):
        self.outcome("bob@none.example", r"relay=none, .*dsn=5\.1\.0, status=bounced "
                     r"\(Domain none\.example does not accept mail \(nullMX\)\)")

    def test_no_such_domain_bounces(self):
        self.outcome("bob@nosuch.example", r"relay=none, .*dsn=5\.4\.4, status=bounced \(Host or domain name not found\. "
                     r"Name service error for name=nosuch\.example type=A(AAA)?: Host not found\)")

    def test_an_mx_that_leads_nowhere(self):
        self.outcome("bob@away.example", r"relay=none, .*status=bounced \(.*nowhere\.example")

    def test_an_mx_that_is_ourselves(self):
        self.outcome("bob@loop.example", r"dsn=5\.4\.6, status=bounced \(mail for loop\.example loops back to myself\)")
