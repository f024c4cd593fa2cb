"""What rndc hears from us and from BIND, word by word; both in a network of their own, with the automatic key file."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers
import server

NAMED, RNDC = peers.find("named"), peers.find("rndc")
OURS = os.path.join(server.BUILD, "bin", "postroad-rndc")
CONFGEN = os.path.join(server.BUILD, "bin", "postroad-confgen")
CONF = """options { directory "%(dir)s"; pid-file none; session-keyfile none; recursion no; dnssec-validation no;
empty-zones-enable no; notify no; lock-file none; };
zone "a.test" { type primary; file "a.zone"; };
zone "s.test" { type secondary; primaries { 127.0.0.1 port 5999; }; file "s.zone"; };
zone "broken.test" { type primary; file "broken.zone"; };
zone "missing.test" { type primary; file "missing.zone"; };
"""
COMMANDS = """reload|reload a.test|reload nix.test|reload s.test|reload broken.test|reload missing.test|reload a.test IN
reload a.test CH|reload a.test XX|reload a.test IN _default|reload a.test IN other|reload a..b
!touch a.zone|reload a.test|!sleep 0.2|reload a.test|!touch inc.zone|reload a.test|!sleep 0.2
!cp a.zone missing.zone|reload missing.test|reload missing.test|!rm missing.zone|reload missing.test
reconfig|reconfig extra|notify|notify a.test|notify s.test|notify nix.test|retransfer|retransfer a.test|retransfer s.test
refresh a.test|refresh s.test|refresh|refresh nix.test|zonestatus|zonestatus a.test|zonestatus s.test|zonestatus nix.test
zonestatus a.test IN foo|freeze|freeze a.test|freeze nix.test|freeze s.test|thaw|thaw a.test|thaw s.test|thaw nix.test
sync|sync a.test|sync -clean|sync -clean a.test|sync nix.test|sync -foo|sync s.test|querylog|querylog on|querylog off
querylog maybe|trace|trace 3|status|notrace|trace x|trace -1|flush|flush foo|flush _default|flushname x|flushname
flushtree x|flushtree|scan|tsig-list|tsig-delete x|tsig-delete|null|nonsense|reload -x|status|stop""".replace("\n", "|").split("|")
# What differs by its nature: who we are, and when.
OWN = re.compile(r"^(version|boot time|last configured|last loaded|number of zones|soa queries in progress|"
                 r"recursive clients|worker threads|UDP listeners per interface):.*$", re.M)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root and unshare")
class Rndc(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="named-rndc-")
        os.chmod(self.directory, 0o755)
        self.addCleanup(shutil.rmtree, self.directory)
        out = subprocess.run([server.PROGRAM, "-V"], capture_output=True, text=True).stdout
        self.place = re.search(r"named configuration:\s*(\S*)/named.conf", out).group(1)
        if not os.path.isdir(self.place):
            self.skipTest("there is no " + self.place)

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as f:
            f.write(text)

    def alone(self, script, **variables):
        """In a network, and with a directory of configuration, of its own."""
        begin = ("ip link set lo up && mount --make-rprivate / && mount --bind %s %s && cd %s || exit 1\n" % (
            self.directory, self.place, self.place))
        done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                               begin + script], capture_output=True, text=True, env=dict(os.environ, **variables),
                              timeout=60)
        return done.stdout + done.stderr

    def talk(self, named, rndc, commands, keyed=True):
        self.write("named.conf", CONF % {"dir": self.place})
        zone = "$TTL 300\n@ SOA ns root 1 3600 900 604800 300\n@ NS ns\nns A %s\n$INCLUDE inc.zone\n"
        self.write("a.zone", zone % "127.0.0.1")
        self.write("inc.zone", "x A 127.0.0.9\n")
        self.write("broken.zone", zone % "1.2.3")
        lines = ["%s -a -q 2>/dev/null || true" % CONFGEN] if keyed else []
        lines += ["rm -f log; %s -g -4 -n 1 2>log & P=$!" % named,
                  "for i in $(seq 200); do grep -qs ' running$' log && break; sleep 0.05; done"]
        for command in commands:
            if command.startswith("!"):
                lines.append(command[1:])
            else:
                lines.append("echo '> %s'; %s %s 2>&1; echo $?" % (command, rndc, command))
        lines.append("kill $P 2>/dev/null; wait $P; cat log >&2")
        out = self.alone("\n".join(lines))
        return out

    @unittest.skipUnless(NAMED and RNDC, "BIND is not installed")
    def test_every_command_is_answered_as_bind_answers_it(self):
        def told(named, rndc):
            out = self.talk(named, rndc, COMMANDS)
            return OWN.sub(r"\1", out[:out.rindex("> stop")]).replace("postroad-rndc: ", "rndc: ").splitlines()
        theirs = told(NAMED, RNDC)
        self.assertIn("zone reload up-to-date", theirs)
        self.assertEqual(theirs, told(server.PROGRAM, RNDC))
        self.assertEqual(theirs, told(server.PROGRAM, OURS))

    def test_without_controls_the_key_file_opens_the_channel(self):
        out = self.talk(server.PROGRAM, OURS, ["status", "stats", "stop"])
        self.assertIn("configuring command channel from '%s/rndc.key'" % self.place, out)
        self.assertIn("command channel listening on 127.0.0.1#953", out)
        self.assertIn("server is up and running\n0\n", out)
        self.assertIn("questions by UDP: 0\n", out)
        self.assertIn("exiting\n", out)

    def test_without_a_key_there_is_no_channel_and_a_warning(self):
        out = self.talk(server.PROGRAM, OURS, ["status"], keyed=False)
        self.assertIn("couldn't install keys for the command channel: %s/rndc.key: file not found" % self.place, out)
        self.assertNotIn("listening on 127.0.0.1#953", out)
        for bad in ("garbage", "key x { algorithm hmac-foo; secret aaaa; };", "key a;"):
            self.write("rndc.key", bad + "\n")
            out = self.talk(server.PROGRAM, OURS, ["status"], keyed=False)
            self.assertIn("couldn't install keys for the command channel", out)
            self.assertIn("running\n", out)

    def test_a_channel_that_is_taken_is_told(self):
        other = "%s -g -4 -p 5300 2>other & until grep -qs ' running$' other; do sleep 0.05; done; " % server.PROGRAM
        out = self.talk(other + server.PROGRAM, OURS, ["null"])
        self.assertIn("couldn't add command channel 127.0.0.1#953: Address already in use", out)
        self.assertIn("running\n", out)


class Counts(server.Test):
    def test_connections_are_counted(self):
        s = self.server({"a.test": server.SOA % 1}, more=peers.KEY + 'controls { inet 127.0.0.1 port %d allow '
                        '{ any; } keys { "k"; }; };' % (control := server.free_port()))
        s.write("rndc.key", peers.KEY)

        def told(command):
            return subprocess.run([OURS, "-k", s.directory + "/rndc.key", "-p", str(control), command],
                                  capture_output=True, text=True).stdout
        with server.socket.create_connection(("127.0.0.1", s.port)), \
                server.socket.create_connection(("127.0.0.1", s.port)):
            server.wait_until(lambda: "tcp clients: 2/150\nTCP high-water: 2\n" in told("status"), "two clients")
        server.wait_until(lambda: "tcp clients: 0/150\nTCP high-water: 2\n" in told("status"), "none")
        s.udp("ns.a.test")
        s.udp("no.a.test")
        s.tcp("ns.a.test")
        text = told("stats")
        for line in ("questions by UDP: 2", "questions by TCP: 1", "answers NOERROR: 2", "answers NXDOMAIN: 1",
                     "TCP connections: 3", "TCP clients at most: 2"):
            self.assertIn(line + "\n", text + "\n")


if __name__ == "__main__":
    unittest.main()
