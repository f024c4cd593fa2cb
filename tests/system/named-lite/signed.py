"""Zones signed by BIND's tools, and questions with DO for each turn of an answer from them."""

import itertools
import os
import shutil
import subprocess
import tempfile

import nasty
import wire

SIGNZONE = shutil.which("dnssec-signzone")
KEYGEN = shutil.which("dnssec-keygen")

HOW = {
    "nsec": [],
    "nsec3": ["-3", "AABBCCDD", "-H", "2"],
    "nsec3-no-salt": ["-3", "-", "-H", "0"],
    "opt-out": ["-3", "1234", "-H", "0", "-A"],
}


def sign(zones, how):
    """The same zones, signed."""
    signed = dict(zones)
    with tempfile.TemporaryDirectory() as where:
        for apex, text in zones.items():
            if text is None:
                continue
            with open(os.path.join(where, "zone"), "w") as f:
                f.write(text)
            for flags in ([], ["-f", "KSK"]):
                subprocess.run([KEYGEN, "-q", "-a", "ECDSAP256SHA256", "-K", where] + flags + [apex], check=True,
                               capture_output=True, cwd=where)
            done = subprocess.run([SIGNZONE, "-S", "-K", where, "-o", apex, "-O", "full", "-P", "-f", "signed"]
                                  + HOW[how] + ["zone"], capture_output=True, text=True, cwd=where)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
            with open(os.path.join(where, "signed")) as f:
                signed[apex] = f.read()
    return signed


def questions(zones):
    """Nearly all with DO."""
    types = ["A", "MX", "ANY", "CNAME", "NS", "DS", "SOA", "TXT"]
    for number, (name, kind) in enumerate(itertools.product(nasty.names(zones), types)):
        yield wire.question(name, kind, recursion=number % 3 == 0, edns=(4096, 1232, 1400, 4096, 800)[number % 5],
                            do=number % 7 != 0, ident=number & 0xffff)
    more = ["DNSKEY", 46, 47, 50, 51, "HTTPS", "SRV", "AAAA"]
    for number, (name, kind) in enumerate(itertools.product(dict.fromkeys(nasty.owners(zones)), more)):
        yield wire.question(name, kind, recursion=number % 2 == 0, edns=4096, do=number % 4 != 0, ident=number)
