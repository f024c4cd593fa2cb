"""Lists in the DNS add up to a score: postscreen_dnsbl_sites. named-lite has the lists.

The test runs itself again in namespaces of its own, where resolv.conf names named-lite.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import unittest

import postroad

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_dns
from test_screen import EHLO, MAIL, QUIT, RCPT, Line, master_cf

ZONES = {
    "bl": "2.0.0.127 A 127.0.0.2\n3.0.0.127 A 127.0.0.4\n3.0.0.127 A 127.0.0.10\n4.0.0.127 A 127.0.0.2\n"
          "6.0.0.127 A 127.255.255.254\n",
    "other": "2.0.0.127 A 127.0.0.9\n7.0.0.127 A 192.0.2.1\n",
    "allow": "4.0.0.127 300 A 127.0.5.3\n5.0.0.127 300 A 127.0.5.3\n",
}
NAMED = 'options { directory "%s"; listen-on { 127.0.0.1; }; };\n' + "".join(
    'zone "%s" { type master; file "%s.zone"; };\n' % (zone, zone) for zone in ZONES)
SETTINGS = {
    "mynetworks": "192.0.2.0/24", "inet_interfaces": "127.0.0.1", "postscreen_greet_wait": "2s",
    "postscreen_dnsbl_sites": "bl=127.0.0.[2..11]*2, bl=127.0.0.4, other, allow=127.0.[0..255].[1..3]*-4",
    "postscreen_dnsbl_threshold": "2", "postscreen_dnsbl_action": "enforce",
    "postscreen_dnsbl_allowlist_threshold": "-3", "postscreen_pipelining_enable": "yes",
    "postscreen_dnsbl_reply_map": "inline:{bl=some.list}",
}


def visit(box, n):
    with Line(box, "127.0.0.%d" % n) as line:
        line.hear()
        said = line.say(EHLO, MAIL, RCPT)
        line.say(QUIT)
        return said.decode()


def inside():
    box = postroad.System(settings=SETTINGS, master_cf=master_cf())
    for zone, text in ZONES.items():
        postroad.write(box.path(zone + ".zone"), test_dns.HEAD + text)
    postroad.write(box.path("named.conf"), NAMED % box.directory)
    postroad.write(box.path("resolv.conf"), "nameserver 127.0.0.1\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", box.path("resolv.conf"), "/etc/resolv.conf"], check=True)
    named = subprocess.Popen([postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c", box.path("named.conf")],
                             stderr=subprocess.PIPE, text=True)
    for line in named.stderr:
        if line.rstrip().endswith("running"):
            break
    try:
        box.start()
        with concurrent.futures.ThreadPoolExecutor(7) as pool:
            heard = dict(zip(range(2, 9), pool.map(lambda n: visit(box, n), range(2, 9))))
        visit(box, 8)
        named.kill()
        named.wait()
        heard[9] = visit(box, 9)        # nobody answers: he is greeted when the wait is over
        box.stop()
        rows = {n: box.run("postmap", "-q", "127.0.0.%d" % n, "btree:" + box.path("lib", "postscreen_cache")).stdout
                for n in range(2, 10)}
        print(json.dumps({"heard": heard, "rows": rows, "log": box.log()}))
    finally:
        named.kill()
        box.close()


@postroad.need_root
@postroad.need_program("unshare", "ip", "mount")
class ScreenDns(postroad.Test):
    @classmethod
    def setUpClass(cls):
        if subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True).returncode:
            raise unittest.SkipTest("needs namespaces")
        done = subprocess.run(["unshare", "-n", "-m", sys.executable, __file__], capture_output=True, text=True,
                              timeout=postroad.PATIENCE * 4,
                              env=dict(os.environ, PYTHONPATH=os.path.dirname(postroad.__file__)))
        if done.returncode:
            raise AssertionError(done.stderr + done.stdout)
        cls.seen = json.loads(done.stdout.splitlines()[-1])

    def heard(self, n):
        return self.seen["heard"][str(n)]

    def test_the_worst_list_is_named_in_the_refusal(self):
        for n in (2, 3):
            self.assertEqual(self.heard(n), "550 5.7.1 Service unavailable; client [127.0.0.%d] blocked using some.list" % n)
            self.assertRegex(self.seen["log"], r"postscreen\[\d+\]: DNSBL rank 3 for \[127\.0\.0\.%d\]:\d+\n" % n)
        self.assertRegex(self.seen["log"], r"dnsblog\[\d+\]: addr 127\.0\.0\.2 listed by domain other as 127\.0\.0\.9\n")

    def test_weights_add_up(self):
        self.assertEqual(self.heard(4), "250 2.1.5 Ok")

    def test_a_good_score_spares_all_other_tests(self):
        pregreet, dnsbl, pipelining, non_smtp, bare = map(int, self.seen["rows"]["5"].split(";"))
        self.assertTrue(pregreet == dnsbl == pipelining == non_smtp == bare > 1000)
        self.assertRegex(self.seen["log"], r"PASS NEW \[127\.0\.0\.5\]")

    def test_answers_that_are_no_verdict_do_not_count(self):
        self.assertEqual((self.heard(6), self.heard(7)), ("250 2.1.5 Ok",) * 2)
        self.assertIn("DNS list bl: 127.255.255.254: the list does not answer public resolvers", self.seen["log"])

    def test_a_score_counts_as_long_as_the_answers_do(self):
        pregreet, dnsbl, *_ = map(int, self.seen["rows"]["8"].split(";"))
        self.assertTrue(86400 - 60 <= pregreet - dnsbl + postroad.PATIENCE, "60 s of a day")
        self.assertRegex(self.seen["log"], r"PASS OLD \[127\.0\.0\.8\]")

    def test_lists_that_do_not_answer_hold_nobody_up(self):
        self.assertEqual(self.heard(9), "250 2.1.5 Ok")
        self.assertRegex(self.seen["log"], r"PASS NEW \[127\.0\.0\.9\]")


if __name__ == "__main__":
    inside()
