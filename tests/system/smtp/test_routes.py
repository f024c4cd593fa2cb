"""Which hosts are tried, and in which order: MX, addresses, null MX, loops, fallbacks (RFC 5321 section 5.1)."""
import concurrent.futures

import postroad
from agent import Test

NOT_FOUND = "Host or domain name not found. Name service error for name=%s type=%s: %s"


@postroad.need_root
@postroad.need_program("unshare")
class Routes(Test):
    def setUp(self):
        self.server = self.sink()

    def route(self, records, **settings):
        """An agent with these records; every server is on the port of self.server."""
        return self.agent(dns=records, smtp_tcp_port=self.server.port, **settings)

    def test_mx_before_address(self):
        smtp = self.route({("x.example", "MX"): ["10 mx.x.example"], ("x.example", "A"): ["127.9.9.9"],
                           ("mx.x.example", "A"): [self.server.address]})
        found = smtp.deliver("x.example")
        self.assertEqual(found[0][1:4], ("sent", "2.0.0", "mx.x.example[%s]:%d" % (
            self.server.address, self.server.port)))
        smtp.deliver("x.example")
        self.assertEqual(smtp.dns.questions.count(("x.example", "MX")), 1, "a known route is not asked for again")

    def test_address_without_mx(self):
        smtp = self.route({("x.example", "A"): [self.server.address]})
        self.assertRegex(smtp.one("x.example"), "^sent")

    def test_brackets_mean_no_mx(self):
        smtp = self.route({("x.example", "MX"): ["10 other.example"], ("x.example", "A"): [self.server.address]})
        self.assertRegex(smtp.one("[x.example]"), "^sent")
        self.assertNotIn(("x.example", "MX"), smtp.dns.questions)

    def test_backup_when_the_best_does_not_answer(self):
        smtp = self.route({("x.example", "MX"): ["20 b.x.example", "10 a.x.example"],
                           ("a.x.example", "A"): ["127.9.9.9"], ("b.x.example", "A"): [self.server.address]})
        self.assertRegex(smtp.one("x.example"), "^sent")
        smtp.wait_log(r"smtp\[\d+\]: connect to a.x.example\[127.9.9.9\]:\d+: Connection refused")

    def test_backup_for_those_whom_the_best_puts_off(self):
        best = postroad.Sink()
        self.addCleanup(best.close)
        best.answers["RCPT"] = lambda line: "450 4.2.1 later" if "later" in line else "250 ok"
        smtp = self.agent()
        found = smtp.deliver("%s, %s" % (best.nexthop(), self.server.nexthop()), "later@x.org", "now@x.org")
        self.assertEqual({f[0]: f[1] for f in found}, {"later@x.org": "sent", "now@x.org": "sent"})
        self.assertEqual(self.server.wait()[0][1], ["later@x.org"])

    def test_answers_are_sifted(self):
        records = {("x.example", "MX"): ["10 a.x.example", "20 b.x.example"], ("a.x.example", "A"): ["127.9.9.9"],
                   ("b.x.example", "A"): [self.server.address]}
        smtp = self.route(records, smtp_host_lookup="dns",
                          smtp_dns_reply_filter="inline:{ {x.example. 60 IN MX 10 a.x.example.=ignore} }")
        smtp_ttl = smtp.deliver("x.example")
        self.assertEqual(smtp_ttl[0][1], "sent", smtp_ttl)
        self.assertNotIn(("a.x.example", "A"), smtp.dns.questions)

    def test_no_answer_is_left(self):
        smtp = self.route({("x.example", "MX"): ["10 a.x.example"], ("a.x.example", "A"): [self.server.address]},
                          smtp_host_lookup="dns", smtp_dns_reply_filter="static:IGNORE")
        self.assertRegex(smtp.one("x.example"), "^deferred 4.7.0 Error looking up name=x.example type=MX: "
                         "DNS reply filter drops all results")
        smtp = self.route({("x.example", "MX"): ["10 a.x.example"]}, smtp_dns_reply_filter="static:what")
        self.assertRegex(smtp.one("x.example"), "^deferred 4.7.0 .*Invalid DNS reply filter syntax")
        smtp.wait_log('smtp_dns_reply_filter: unknown DNS filter action: "what"')

    def test_no_such_domain(self):
        smtp = self.route({})
        self.assertEqual(smtp.one("nosuch.example"),
                         "bounced 5.4.4 " + NOT_FOUND % ("nosuch.example", "A", "Host not found"))

    def test_name_service_is_down(self):
        smtp = self.route({("x.example", "MX"): "SERVFAIL"})
        self.assertEqual(smtp.one("x.example"),
                         "deferred 4.4.3 " + NOT_FOUND % ("x.example", "MX", "Host not found, try again"))

    def test_null_mx(self):
        smtp = self.route({("x.example", "MX"): ["0 ."], ("x.example", "A"): [self.server.address]})
        self.assertEqual(smtp.one("x.example"), "bounced 5.1.0 Domain x.example does not accept mail (nullMX)")

    def test_a_relayhost_that_does_not_exist_is_our_mistake(self):
        smtp = self.route({}, relayhost="nosuch.example")
        self.assertRegex(smtp.one("nosuch.example"), "^deferred 4.3.5 Host or domain name not found")
        smtp.wait_log("warning: relayhost configuration problem")

    def test_fallback_relay(self):
        smtp = self.route({("x.example", "MX"): ["10 gone.example"]}, smtp_fallback_relay=self.server.nexthop())
        self.assertRegex(smtp.one("x.example"), "^sent")

    def test_mail_that_would_come_back(self):
        own = postroad.loopback_address()
        records = {("x.example", "MX"): ["10 me.example"], ("me.example", "A"): [own],
                   ("y.example", "MX"): ["10 me.example", "20 backup.example"],
                   ("z.example", "MX"): ["10 best.example", "20 me.example", "30 worse.example"],
                   ("best.example", "A"): [self.server.address], ("backup.example", "A"): [self.server.address],
                   ("any.example", "MX"): ["0 zero.example"], ("zero.example", "A"): ["0.0.0.0"],
                   ("worse.example", "A"): ["127.9.9.9"], ("w.example", "MX"): ["5 none.example", "10 me.example"]}
        smtp = self.route(records, inet_interfaces=own)
        for domain in "x.example", "y.example", "any.example":
            self.assertEqual(smtp.one(domain), "bounced 5.4.6 mail for %s loops back to myself" % domain)
        self.assertRegex(smtp.one("z.example"), "^sent")
        self.assertEqual(smtp.one("w.example"), "deferred 4.4.4 unable to find primary relay for w.example")

    def test_a_host_with_our_own_name(self):
        self.server.answers["EHLO"] = "250 mail.example.org"
        smtp = self.route({("x.example", "A"): [self.server.address]})
        self.assertEqual(smtp.one("x.example"), "bounced 5.4.6 mail for x.example loops back to myself")

    def test_ten_thousand_exchangers(self):
        """As many as fit into an answer; only some are asked for, and fewer tried."""
        records = {("x.example", "MX"): ["10 %d.x.example" % n for n in range(40)]}
        records.update({("%d.x.example" % n, "A"): ["127.9.9.%d" % n] for n in range(40)})
        smtp = self.route(records)
        self.assertRegex(smtp.one("x.example"), "^deferred 4.4.1 connect to")
        self.assertLessEqual(len(smtp.dns.questions), 25)
        smtp.wait_log("status=deferred")
        self.assertEqual(len(postroad.re.findall("Connection refused", smtp.log())), 6, smtp.log())

    def test_answers_that_are_nonsense(self):
        """Cut short, empty, the wrong question: temporary, and nothing breaks."""
        smtp = self.route({("good.example", "A"): [self.server.address]})
        answer = smtp.dns.answer
        spoils = {b"short": lambda a: a[:12], b"cut": lambda a: a[:20], b"strange": lambda a: a[:2] + b"\xff" * 9 + a[11:],
                  b"loop": lambda a: a[:12] + b"\xc0\x0c" * 30}

        def spoilt(question):
            kind = question[13:13 + question[12]]
            return spoils.get(kind, lambda a: a)(answer(question))
        smtp.dns.answer = spoilt
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for found in pool.map(lambda k: smtp.one(k.decode() + ".example", timeout=postroad.PATIENCE * 2), spoils):
                self.assertRegex(found, "^deferred 4.4.3")
        self.assertRegex(smtp.one("good.example"), "^sent")
