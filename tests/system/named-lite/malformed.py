"""Requests that nobody in good order sends, and every option of EDNS, well made and not."""

import itertools
import struct

import wire

NAME = b"\3www\4main\4test\0"


def header(flags=0, counts=(1, 0, 0, 0), ident=1):
    return struct.pack(">6H", ident, flags, *counts)


def opt(options=b"", size=1232, ttl=0, owner=b"\0", length=None):
    return owner + struct.pack(">2HIH", 41, size, ttl, len(options) if length is None else length) + options


def option(code, octets=b""):
    return struct.pack(">2H", code, len(octets)) + octets


def ask(rest=b"", counts=(1, 0, 0, 1), name=NAME, kind=1, cls=1, flags=0):
    return header(flags, counts) + name + struct.pack(">2H", kind, cls) + rest


def headers():
    """Every opcode and bit; what comes after is in order."""
    for flags in itertools.chain((opcode << 11 | low for opcode in range(16) for low in (0, 0x0100, 0x07b0, 0x003f)),
                                 (1 << bit for bit in range(16))):
        yield ask(counts=(1, 0, 0, 0), flags=flags)
        yield ask(opt(), flags=flags)


def cut_short():
    whole = ask(opt(option(10, b"12345678") + option(3)))
    for length in range(len(whole)):
        yield whole[:length]
    yield whole + b"more"
    yield ask(opt(option(10, b"12"), ttl=0x8000))       # what cannot be read has no DO
    for cls in (1, 3, 255, 700):                        # a record beside the question, of its class and of others
        yield ask(b"\0" + struct.pack(">2HIH", 16, cls, 0, 2) + b"\1a", (1, 0, 0, 1))


def counts():
    for numbers in itertools.product((0, 1, 2, 65535), (0, 1), (0, 1), (0, 1, 2)):
        yield ask(opt(), numbers)
        yield ask(opt(option(10, b"12345678")), numbers)
    yield header(0, (0, 0, 0, 1)) + opt(option(10, b"12345678"))
    yield header(0, (0, 0, 0, 1)) + opt()
    yield header(0, (0, 0, 0, 0))


def names():
    for name in (b"\0", b"\xc0\x0c", b"\3www\xc0\x0c", b"\x40www\0", b"\x80www\0", b"\x3f" + b"a" * 63 + b"\0",
                 b"\x3f" + b"a" * 62 + b"\0", (b"\x3f" + b"a" * 63) * 4 + b"\0",
                 (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0", b"\1a" * 127 + b"\0", b"\1a" * 128 + b"\0",
                 b"\xff\xff", b"\5\0\xff. x\4main\4test\0", b"\1*\4wild\4main\4test\0"):
        yield ask(counts=(1, 0, 0, 0), name=name)
        yield ask(opt(), name=name)


def types_and_classes():
    for kind, cls in itertools.product((0, 1, 41, 100, 127, 128, 200, 248, 249, 250, 251, 252, 253, 254, 255, 256, 65280,
                                        65535), (0, 1, 2, 4, 5, 253, 254, 255, 256, 65535)):
        if kind not in (249, 250, 252):      # keys and transfers have tests of their own
            yield ask(opt(), kind=kind, cls=cls, flags=0x0100 if kind % 2 else 0)
    for opcode, cls in itertools.product((2, 4, 5, 6), (0, 4, 5, 254, 255, 1000)):
        yield ask(opt(), kind=6, cls=cls, flags=opcode << 11)
        yield ask(opt(ttl=1 << 16), kind=6, cls=cls, flags=opcode << 11)


def options():
    yield ask(opt() + opt(), (1, 0, 0, 2))
    yield ask(opt(owner=b"\1a\0"))
    yield ask(opt(), (1, 1, 0, 0))
    yield ask(opt(), (1, 0, 1, 0))
    for size in (0, 1, 511, 512, 513, 4096, 65535):
        yield ask(opt(size=size))
    for version in (0, 1, 2, 255):
        for extended in (0, 5):
            for flags in (0, 0x8000, 0x7fff):
                yield ask(opt(ttl=extended << 24 | version << 16 | flags))
                yield ask(opt(option(3) + option(10, b"12345678"), ttl=extended << 24 | version << 16 | flags))
    for length in (1, 3, 4, 5, 65535):
        yield ask(opt(b"abcd", length=length))
    for code, octets in itertools.product((1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17, 18, 26946, 65001, 65535),
                                          (b"", b"a", b"ab", b"abcd")):
        yield ask(opt(option(code, octets)))
    for text in (b"why", b"\xc3\xa9", b"\xc3", b"\xef\xbb\xbfwhy"):
        yield ask(opt(option(15, b"\0\0" + text)))
    for length in range(42):
        yield ask(opt(option(10, b"c" * length)))
    yield ask(opt(option(10, b"12345678") + option(10, b"abcdefgh")))
    for family, source, scope, address in itertools.product((0, 1, 2, 3), (0, 1, 24, 32, 33, 128, 129), (0, 1),
                                                            (b"", b"\x80", b"\x0a\1\2", b"\x0a\1\2\3", b"\x0a" * 16)):
        yield ask(opt(option(8, struct.pack(">HBB", family, source, scope) + address)))


def requests():
    return itertools.chain(headers(), cut_short(), counts(), names(), types_and_classes(), options())
