"""DNS messages for the tests, without any library: make questions, read answers."""

import socket
import struct

PATIENCE = 10.0     # seconds: who answers at all does so by then

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MB": 7, "PTR": 12, "HINFO": 13,
         "MINFO": 14, "RRSIG": 46, "NSEC": 47, "NSEC3": 50, "NSEC3PARAM": 51,
         "MX": 15, "TXT": 16, "RP": 17, "AAAA": 28, "SRV": 33, "NAPTR": 35,
         "DNAME": 39, "OPT": 41, "DS": 43, "SSHFP": 44, "DNSKEY": 48,
         "TLSA": 52, "HTTPS": 65, "SPF": 99, "IXFR": 251, "AXFR": 252,
         "MAILB": 253, "MAILA": 254, "ANY": 255, "CAA": 257}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
          "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"]

# Where the names are in the data of each type: octets before them, how many.
NAMES_IN_DATA = {"NS": (0, 1), "CNAME": (0, 1), "PTR": (0, 1), "DNAME": (0, 1),
                 "SOA": (0, 2), "MX": (2, 1), "SRV": (6, 1), "RP": (0, 2),
                 "MB": (0, 1), "MINFO": (0, 2), "RRSIG": (18, 1), "NSEC": (0, 1)}


def pack_name(name):
    if name in (".", ""):
        return b"\0"
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.rstrip(".").split(".")) + b"\0"


def question(name, kind="A", recursion=False, edns=None, do=False, cls=1,
             options=b"", version=0, ident=4711, flags=0, opcode=0):
    kind = TYPES[kind] if isinstance(kind, str) else kind
    flags |= (0x0100 if recursion else 0) | opcode << 11
    message = struct.pack(">6H", ident, flags, 1, 0, 0, edns is not None)
    message += pack_name(name) + struct.pack(">2H", kind, cls)
    if edns is not None:
        ttl = version << 16 | (0x8000 if do else 0)
        message += b"\0" + struct.pack(">2HIH", 41, edns, ttl, len(options))
        message += options
    return message


def read_name(message, at):
    labels, end, jumps = [], None, 0
    while message[at] != 0:
        if message[at] >= 0xc0:
            target = (message[at] & 0x3f) << 8 | message[at + 1]
            assert target < at, "a pointer forwards"
            if end is None:
                end = at + 2
            at, jumps = target, jumps + 1
            assert jumps < 128
            continue
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1"))
        at += 1 + message[at]
    return ".".join(labels) + ".", at + 1 if end is None else end


class Answer:
    """An answer: rcode, flags, and records as (owner, type, ttl, data) by section."""

    def __init__(self, message):
        self.size = len(message)
        (self.ident, self.flags, questions, *counts) = struct.unpack(
            ">6H", message[:12])
        self.rcode = self.flags & 15
        self.opt = None
        at = 12
        self.question = []
        for _ in range(questions):
            name, at = read_name(message, at)
            self.question.append((name,) + struct.unpack(
                ">2H", message[at:at + 4]))
            at += 4
        self.sections = []
        for count in counts:
            records = []
            for _ in range(count):
                record, at = self.read_record(message, at)
                if record:
                    records.append(record)
            self.sections.append(records)
        assert at == len(message), "octets behind the answer"
        self.answer, self.authority, self.additional = self.sections

    def read_record(self, message, at):
        owner, at = read_name(message, at)
        kind, cls, ttl, length = struct.unpack(">2HIH", message[at:at + 10])
        at += 10
        data = message[at:at + length]
        name = NAMES.get(kind, "TYPE%d" % kind)
        if kind == 41:
            assert self.opt is None
            self.opt = (cls, ttl >> 16 & 255, ttl & 0x8000, data)
            self.rcode |= ttl >> 24 << 4
            return None, at + length
        if name in NAMES_IN_DATA:
            skip, count = NAMES_IN_DATA[name]
            shown, inner = [data[:skip].hex()], at + skip
            for _ in range(count):
                text, inner = read_name(message, inner)
                shown.append(text)
            shown.append(message[inner:at + length].hex())
            data = " ".join(part for part in shown if part)
        elif name == "A":
            data = socket.inet_ntoa(data)
        elif name == "AAAA":
            data = socket.inet_ntop(socket.AF_INET6, data)
        else:
            data = data.hex()
        return (owner, name, ttl, data), at + length

    def has(self, flag):
        return bool(self.flags & {"aa": 0x400, "tc": 0x200, "rd": 0x100,
                                  "ra": 0x80, "ad": 0x20, "cd": 0x10}[flag])

    @property
    def status(self):
        return {16: "BADVERS", 23: "BADCOOKIE"}.get(self.rcode) or RCODES[self.rcode]

    def same(self):
        """What two servers must agree on, in an order of its own."""
        return (self.status, self.flags, self.question,
                [sorted(section) for section in self.sections],
                self.opt[:3] if self.opt else None)


def ask_udp(port, message, timeout=PATIENCE):
    """The answer's octets, None if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(message, ("127.0.0.1", port))
        try:
            return s.recv(65535)
        except TimeoutError:
            return None


def read_exactly(s, count):
    octets = b""
    while len(octets) < count:
        more = s.recv(count - len(octets))
        if not more:
            return None
        octets += more
    return octets


def read_tcp(s):
    head = read_exactly(s, 2)
    return head and read_exactly(s, struct.unpack(">H", head)[0])


def ask_tcp(port, message, timeout=PATIENCE):
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(struct.pack(">H", len(message)) + message)
        return read_tcp(s)
