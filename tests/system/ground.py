"""What every test stands on: addresses and ports of its own, files, and waits that have an event and a deadline."""
import itertools
import os
import socket
import time

PATIENCE = float(os.environ.get("PATIENCE", "60"))      # seconds until a wait gives up: something hangs

serial = itertools.count(1)


def loopback_address():
    """A loopback address that no other test uses, so that no two tests can meet on a port."""
    n = os.getpid() * 64 + next(serial) % 64
    return "127.%d.%d.%d" % (64 + (n >> 16) % 64, (n >> 8) % 256, 1 + n % 254)


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def wait_until(ask, what, seen=None, patience=None):
    """Ask again until the answer is true, and give it; on the deadline say what was wanted and seen."""
    deadline = time.monotonic() + (patience or PATIENCE)
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("wanted: %s\nseen: %s" % (what, seen() if seen else "nothing"))
        time.sleep(0.02)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # A daemon that starts just now reads the old file or the new one.
    with open(path + ".new", "w") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)
