"""calls - system calls and flushes a message, to Maildir and accepted only: postroad beside Postfix, by strace"""
import os
import re
import shutil
import subprocess
import tempfile

import mail
import measure
import peers

FLUSHES = ("fsync", "fdatasync", "syncfs", "sync_file_range")


def counted(peer, work, sessions, messages):
    """{call: how often} of all processes of the peer while the messages go through."""
    with tempfile.TemporaryDirectory(prefix="postroad-bench-") as directory:
        table = os.path.join(directory, "calls")
        strace = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", table] + [
            word for pid in measure.tree(peer.master) for word in ("-p", str(pid))], stderr=subprocess.PIPE, text=True)
        for _ in measure.tree(peer.master):
            strace.stderr.readline()        # "Process N attached"
        work(peer, sessions, messages)
        strace.send_signal(2)
        strace.communicate()
        with open(table) as f:
            return {name: int(calls) for calls, name in re.findall(r"^ *(\d+) +(\w+)$", f.read(), re.M) if name != "total"}


def main(options):
    if shutil.which("strace") is None:
        print("strace is not installed")
        return
    for title, work, settings in (("to Maildir, 20 sessions", mail.to_maildir, {}),
                                  ("accept only, 20 sessions", mail.accept, {"local_transport": "discard:"})):
        if options.only not in title:
            continue
        print(title)
        for cls in peers.installed():
            peer = cls(**settings)
            try:
                work(peer, 20, 200)     # warm
                calls = counted(peer, work, 20, options.messages)
            finally:
                peer.close()
            most = sorted(calls.items(), key=lambda p: -p[1])[:8]
            print("  %-9s %6.1f calls, %.2f flushes a message; most: %s" % (
                cls.name, sum(calls.values()) / options.messages, sum(calls.get(f, 0) for f in FLUSHES) / options.messages,
                ", ".join("%s %.1f" % (n, c / options.messages) for n, c in most)), flush=True)
