"""peers - postroad and Postfix, each a private instance on the same disk, set up alike

Needs root: Postfix does.
"""
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

import measure
import postroad

ACCOUNTS = ["games", "daemon", "bin", "sys"]


class Postroad:
    name = "postroad"

    @staticmethod
    def installed():
        return os.path.exists(postroad.BUILD + "/libexec/smtpd")

    def __init__(self, **settings):
        postroad.ACCOUNTS = {name: name for name in ACCOUNTS}
        self.system = postroad.System(**{"local_recipient_maps": "", "smtpd_client_connection_count_limit": 0,
                                         "smtpd_banner": "$myhostname ESMTP", "recipient_delimiter": "+", **settings})
        self.system.start()
        self.address, self.port = self.system.address, self.system.smtp_port
        self.directory, self.mail = self.system.directory, self.system.path("mail")
        self.master = self.system.master.pid
        self.environment, self.sendmail = self.system.environment(), postroad.BUILD + "/bin/sendmail"

    def close(self):
        with contextlib.suppress(AssertionError):
            self.system.close()


class Postfix:
    name = "postfix"
    port_line = "inet n - n - - smtpd"      # the public port's, in master.cf
    more_lines = ""

    @staticmethod
    def installed():
        return os.geteuid() == 0 and shutil.which("postfix", path="/usr/sbin") is not None

    def __init__(self, **settings):
        self.directory = tempfile.mkdtemp(prefix="postroad-bench-postfix-")
        os.chmod(self.directory, 0o755)
        self.address = postroad.loopback_address()
        self.port = postroad.free_port(self.address)
        self.mail = self.directory + "/mail"
        for account in ACCOUNTS:
            entry = pwd.getpwnam(account)
            for folder in ("", "cur", "new", "tmp"):
                path = os.path.join(self.mail, account, folder)
                os.makedirs(path, exist_ok=True)
                os.chown(path, entry.pw_uid, entry.pw_gid)
        etc = self.directory + "/etc"
        os.makedirs(etc)
        values = {
            "compatibility_level": "3.6", "queue_directory": self.directory + "/spool",
            "data_directory": self.directory + "/lib", "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin", "maillog_file": self.directory + "/mail.log",
            "maillog_file_prefixes": self.directory, "myhostname": "mail.example.org",
            "mydestination": "example.org", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8", "alias_maps": "", "alias_database": "", "local_recipient_maps": "",
            "mail_spool_directory": self.mail + "/", "smtpd_peername_lookup": "no", "biff": "no",
            "smtpd_client_connection_count_limit": "0", "recipient_delimiter": "+", **settings}
        with open(etc + "/main.cf", "w") as f:
            f.writelines("%s = %s\n" % pair for pair in values.items())
        with open("/usr/share/postfix/master.cf.dist") as stock, open(etc + "/master.cf", "w") as f:
            for line in stock:
                if line.startswith("smtp      inet"):
                    line = "%s:%d %s\n" % (self.address, self.port, self.port_line)
                f.write(line.replace("  y   ", "  n   "))
            f.write("postlog unix-dgram n - n - 1 postlogd\n" + self.more_lines)
        os.makedirs(values["queue_directory"])
        os.makedirs(values["data_directory"])
        shutil.chown(values["data_directory"], "postfix")
        self.etc = etc
        self.environment, self.sendmail = dict(os.environ, MAIL_CONFIG=etc), "/usr/sbin/sendmail"
        subprocess.run(["postfix", "-c", etc, "start"], check=True, capture_output=True)
        with open(values["queue_directory"] + "/pid/master.pid") as f:
            self.master = int(f.read())
        postroad.wait_until(lambda: not socket.socket().connect_ex((self.address, self.port)), "Postfix listens")

    def close(self):
        subprocess.run(["postfix", "-c", self.etc, "abort"], capture_output=True)
        postroad.wait_until(lambda: measure.stat_of(self.master) is None, "the end of Postfix")
        shutil.rmtree(self.directory, ignore_errors=True)


def installed():
    return [cls for cls in (Postroad, Postfix) if cls.installed()]
