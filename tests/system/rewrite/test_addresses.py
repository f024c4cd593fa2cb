"""Tables that rewrite addresses, as administrators bring them: files, far servers, sendmail, notices, explain."""
import os
import shutil
import subprocess
import unittest

import postroad
from tableserver import Server


class Rewriting(postroad.Test):
    def box(self, start=True, **settings):
        """All mail for others arrives at self.far."""
        self.far = self.sink()
        return self.system(start=start, relayhost=self.far.nexthop(), **settings)

    def table(self, box, name, text, kind="hash"):
        path = box.path("etc", name)
        postroad.write(path, text)
        if kind == "hash":
            box.run("postmap", "hash:" + path, check=True)
        return "%s:%s" % (kind, path)

    def submit(self, box, *arguments, header="To: bob@far.example\n"):
        box.run("sendmail", *arguments, input=header + "Subject: x\n\nx\n", check=True)
        return self.far.wait()[-1]

    def fields(self, content):
        return content.decode().split("\r\n\r\n")[0].split("\r\n")


class Addresses(Rewriting):
    def test_sendmail_with_files(self):
        box = self.box(start=False, masquerade_domains="example.org")
        box.settings["canonical_maps"] = self.table(
            box, "canonical", "# people\nada Ada.Lovelace@example.org\n@old.example @new.example\n")
        box.settings["recipient_canonical_maps"] = self.table(
            box, "patterns", "/^(.*)\\.list@far\\.example$/ lists+$1@far.example\n", "pcre")
        box.settings["sender_canonical_maps"] = self.table(
            box, "senders", "/^x([0-9]+)@/ user$1@host.example.org\n", "regexp")
        box.start()
        sender, to, content = self.submit(box, "-f", "ada", "c.list@far.example",
                                          header="From: x7@y.example\nTo: c.list@far.example, d@old.example\n")
        self.assertEqual((sender, to), ("Ada.Lovelace@example.org", ["lists+c@far.example"]))
        self.assertIn("From: user7@example.org", self.fields(content))
        self.assertIn("To: lists+c@far.example, d@new.example", self.fields(content))
        self.assertExit(box.run("postmap", "-q", "ada", box.settings["canonical_maps"]), 0)

    def test_generic_with_files(self):
        box = self.box(start=False)
        box.settings["smtp_generic_maps"] = self.table(box, "generic", "ada@example.org ada@isp.example\n")
        box.start()
        sender, _, content = self.submit(box, "-f", "ada", "bob@far.example", header="From: Ada <ada>\nTo: bob@far.example\n")
        self.assertEqual(sender, "ada@isp.example")
        self.assertIn("From: Ada <ada@isp.example>", self.fields(content))
        box.wait_log("from=<ada@example.org>")

    def test_a_notice_goes_where_the_table_says(self):
        box = self.box(canonical_maps="inline:{ { bob@far.example = bob@gone.example }, { ada@example.org = ada@far.example } }",
                       transport_maps="inline:{ gone.example=error:no }", smtpd_reject_unlisted_recipient="no")
        box.run("sendmail", "-f", "ada", "bob@far.example", input="To: bob\n\nx\n", check=True)
        sender, to, content = self.far.wait()[-1]
        self.assertEqual((sender, to), ("", ["ada@far.example"]))
        self.assertIn(b"Original-Recipient: rfc822;bob@far.example", content)

    def test_the_null_sender_stays(self):
        box = self.box(canonical_maps="static:all@far.example")
        self.assertEqual(self.submit(box, "-f", "", "bob@far.example")[0], "")

    def test_a_postponed_table_puts_off(self):
        box = self.box(canonical_maps="hash:/nonexistent/canonical", smtpd_reject_unlisted_recipient="no")
        with box.smtp() as client:
            client.ehlo()
            client.mail("ada@example.org")
            client.rcpt("bob@far.example")
            code, text = client.data("Subject: x\r\n\r\n")
            self.assertEqual((code, text[:5]), (451, b"4.3.0"))

    def test_probes_have_ways_of_their_own(self):
        prober = self.sink()
        prober.answers["RCPT"] = "550 5.1.1 not here"
        box = self.box(smtpd_recipient_restrictions="reject_unverified_recipient", unverified_recipient_reject_code="550",
                       address_verify_sender_dependent_relayhost_maps="inline:{ { double-bounce@mail.example.org = %s }, { double-bounce@example.org = %s } }" % (
                           (prober.nexthop(),) * 2), sender_dependent_relayhost_maps="inline:{ { s@far.example = %s } }" % "[127.0.0.1]:9")
        with box.smtp() as client:
            client.ehlo()
            client.mail("s@far.example")
            code, text = client.rcpt("bob@far.example")
        self.assertEqual((code, b"not here" in text), (550, True), text)
        self.assertEqual(len(self.far.commands), 0)

    def test_a_from_field_of_old(self):
        box = self.box(header_from_format="obsolete")
        content = self.submit(box, "-F", "Ada (of) L", "-f", "ada", "bob@far.example")[2]
        self.assertIn("From: ada@example.org (Ada \\(of\\) L)", self.fields(content))

    def test_the_old_name_of_virtual_alias_maps(self):
        box = self.box(virtual_maps="inline:{ v@far.example=bob@far.example }", virtual_alias_domains="")
        self.assertEqual(self.submit(box, "v@far.example")[1], ["bob@far.example"])

    def test_nothing_is_missed(self):
        box = self.box(start=False, **{name: "inline:{ a@b.example=c@b.example }" for name in (
            "canonical_maps", "sender_canonical_maps", "recipient_canonical_maps", "relocated_maps", "smtp_generic_maps",
            "sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps", "local_login_sender_maps",
            "virtual_maps")}, masquerade_domains="b.example", canonical_classes="header_sender")
        box.write_config()
        told = box.run("postroad", "-c", box.config, "check")
        for word in ("implemented", "rewritten", "canonical", "relocated", "sender_dep", "local_login"):
            self.assertNotIn(word, told.stderr + told.stdout)

    def test_explain_names_table_key_and_line(self):
        box = self.box(start=False, mynetworks="127.0.0.0/8")
        box.settings["canonical_maps"] = self.table(box, "canonical", "# one\nada@x.example ada@y.example\n")
        box.settings["smtp_generic_maps"] = self.table(box, "generic", "ada@y.example ada@z.example\n")
        box.settings["sender_dependent_relayhost_maps"] = self.table(box, "relays", "@y.example [relay.example]\n")
        box.settings["relocated_maps"] = self.table(box, "moved", "bob@far.example away\n")
        box.start()
        box.wait_log("daemon started")
        told = box.run("postroad", "explain", "--client", "127.0.0.1", "--from", "ada@x.example", "--to", "c@far.example").stdout
        self.assertIn("%s, line 2: ada@x.example = ada@y.example" % box.path("etc", "canonical"), told)
        self.assertIn("sender     <ada@y.example>, for <ada@x.example>", told)
        self.assertIn("%s, line 1: @y.example = [relay.example]" % box.path("etc", "relays"), told)
        self.assertIn("sender     goes out as <ada@z.example>", told)
        told = box.run("postroad", "explain", "--client", "127.0.0.1", "--from", "ada@x.example", "--to", "bob@far.example").stdout
        self.assertIn("User has moved to away", told)
        self.assertIn("%s, line 1: bob@far.example = away" % box.path("etc", "moved"), told)

    def test_a_report_of_what_would_become(self):
        box = self.box(relocated_maps="inline:{ bob@far.example=away }", canonical_maps="inline:{ rob@far.example=bob@far.example }")
        box.run("sendmail", "-bv", "-f", postroad.address("ada"), "rob@far.example", input="", check=True)
        report = box.wait_mail("ada")[0]
        self.assertIn("User has moved to away", str(report))


class Far(Rewriting):
    def test_other_mail_goes_on(self):
        """One server for canonical, generic, relocated and sender_dependent tables that is slow with one address."""
        for parameter in ("canonical_maps", "smtp_generic_maps", "relocated_maps", "sender_dependent_relayhost_maps"):
            with self.subTest(parameter):
                server = Server()
                self.addCleanup(server.close)
                box = self.box(smtpd_reject_unlisted_recipient="no", **{parameter: server.place})
                one = "slow@far.example"
                sender = one if parameter.startswith("sender") else "s@far.example"
                subprocess.run([postroad.BUILD + "/bin/sendmail", "-f", sender, one if sender != one else "other@far.example"],
                               input=b"Subject: slow\n\nx\n", env=box.environment(), check=False, timeout=1) \
                    if parameter != "canonical_maps" else self.later(box, one)
                server.wait_asked("slow", box.story)
                self.submit(box, "-f", "t@far.example", "bob@far.example")
                self.assertEqual([m[1] for m in self.far.messages], [["bob@far.example"]])
                server.release()
                self.far.wait(2)
                box.close()

    def later(self, box, to):
        """sendmail waits for cleanup, and cleanup for the table."""
        child = subprocess.Popen([postroad.BUILD + "/bin/sendmail", "-f", "s@far.example", to],
                                 stdin=subprocess.PIPE, env=box.environment())
        self.addCleanup(child.wait)
        child.stdin.write(b"Subject: slow\n\nx\n")
        child.stdin.close()


@postroad.need_root
class Senders(postroad.Test):
    """local_login_sender_maps: as whom a local user may send."""

    def setUp(self):
        self.box = self.system(start=False, recipient_delimiter="+", local_login_sender_maps="inline:{ { root = * }, "
                               "{ daemon = daemon, <>, @d.example ada@example.org } }")
        commands = self.box.path("bin")     # a copy is not set-gid, and takes our configuration from anybody
        os.mkdir(commands)
        for name in os.listdir(postroad.BUILD + "/bin"):
            os.symlink(postroad.BUILD + "/bin/" + name, commands + "/" + name)
        os.unlink(commands + "/postdrop")
        shutil.copyfile(postroad.BUILD + "/bin/postdrop", commands + "/postdrop")
        os.chmod(commands + "/postdrop", 0o755)
        self.box.settings["command_directory"] = commands
        self.box.start()

    def try_as(self, user, sender):
        return subprocess.run(["setpriv", "--reuid", user, "--regid", self.box.settings["setgid_group"], "--clear-groups",
                               postroad.BUILD + "/bin/sendmail", "-f", sender, postroad.address("ada")],
                              input="Subject: x\n\nx\n", text=True, capture_output=True, env=self.box.environment(),
                              cwd="/", check=False)

    def test_patterns(self):
        for user, sender, permitted in (
                ("root", "anybody@x.example", True), ("daemon", "daemon", True), ("daemon", "daemon+x", True),
                ("daemon", "", True), ("daemon", "Any@D.example", True), ("daemon", "ADA@example.org", True),
                ("daemon", "root", False), ("daemon", "daemon@example.org", False), ("bin", "bin", False)):
            with self.subTest(user=user, sender=sender):
                done = self.try_as(user, sender)
                self.assertExit(done, 0 if permitted else 77)
                if not permitted:
                    self.assertIn("not authorized to use sender='%s'" % sender, done.stderr)


if __name__ == "__main__":
    unittest.main()
