"""Zones with every turn that an answer can take, and questions for each of them."""

import itertools

LONG = ".".join("abcdefgh"[i] * 30 for i in range(6))

ZONES = {
    "n.test": """\
$TTL 3600
@ SOA ns1 Host\\.master 7 10800 900 604800 600
@ NS ns1
@ NS ns.OTHER.test.
@ NS ns2.sub.n.test.
@ MX 10 Mail
@ MX 20 www
@ TXT "top" "second"
ns1 A 192.0.2.3
Mail A 192.0.2.5
mail AAAA 2001:db8::5
WWW CNAME Web.Farm
web.farm 300 A 192.0.2.10
web.farm 300 A 192.0.2.11
web.farm 300 A 192.0.2.12
*.wild A 192.0.2.20
*.wild MX 5 mail
a.b.c.wild TXT below
*.*.ww TXT twice
*.ww A 192.0.2.21
x.*.ww TXT within
*.cwild CNAME mail
*.cloop CNAME a.cloop
*.cself CNAME *.cself
*.dwild CNAME x.dn
*.entwild.deep.deeper TXT x
ent.a.b TXT deep
loop1 CNAME loop2
loop2 CNAME loop1
self CNAME self
out CNAME www.o.test.
outsub CNAME www.sub.n.test.
outside CNAME www.example.com.
tobroken CNAME www.b.test.
dbroken DNAME b.test.
dangling CNAME nowhere
tonodata CNAME mail
toent CNAME b
towild CNAME some.wild
todeleg CNAME www.child
todelegtop CNAME child
todname CNAME x.dn
c1 CNAME c2
c2 CNAME c3
c3 CNAME c4
c4 CNAME c5
c5 CNAME c6
c6 CNAME c7
c7 CNAME c8
c8 CNAME c9
c9 CNAME c10
c10 CNAME c11
c11 CNAME c12
c12 CNAME c13
c13 CNAME c14
c14 CNAME c15
c15 CNAME c16
c16 CNAME c17
c17 CNAME c18
c18 CNAME c19
c19 A 192.0.2.99
child NS ns.child
child NS ns1
child NS ns.outside.example.
child DS 1 8 9 AABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDD
ns.child A 192.0.2.40
ns.child AAAA 2001:db8::40
*.child TXT hidden
below.child TXT hidden
child2 NS ns.child
child2 NS ns.child3
child3 NS ns.child2
ns.child2 A 192.0.2.42
ns.child3 A 192.0.2.43
lame NS nothing.lame
lamer NS nothing
selfns NS selfns
selfns A 192.0.2.44
oob NS ns.o.test.
dn DNAME target
x.target A 192.0.2.50
target A 192.0.2.51
under.dn TXT hidden
y.target DNAME farm
dn TXT beside
dn A 192.0.2.52
todn MX 5 dn
dloop DNAME dloop2
dloop2 DNAME dloop
dself DNAME x.dself
dout DNAME o.test.
dsub DNAME sub
dexample DNAME example.com.
dwide DNAME @
*.dstar DNAME target
long DNAME %(long)s
Xn.longer DNAME %(long)s.n.test.
mx MX 1 mail
mx MX 2 MAIL.n.test.
mx MX 3 www
mx MX 4 ns.child
mx MX 5 x.dn
mx MX 6 some.wild
mx MX 7 nowhere
mx MX 8 www.o.test.
mx MX 9 www.sub
mx MX 10 .
srv SRV 0 0 25 mail
srv SRV 0 0 25 ns1
srv SRV 0 0 25 ns.child
naptr NAPTR 10 10 "a" "SIP" "" mail
https HTTPS 1 mail alpn=h2
httpsown HTTPS 1 . alpn=h2
httpsown A 192.0.2.77
svcalias SVCB 0 mail
afs AFSDB 1 mail
rt RT 1 mail
kx KX 1 mail
rp RP mail txt
minfo MINFO mail www
px PX 1 mail www
hinfo HINFO a b
txt TXT "%(x)s" "%(x)s" "%(x)s" "%(x)s" "%(x)s" "%(x)s" "%(x)s" "%(x)s" "%(x)s" "%(x)s"
unknown TYPE999 \\# 4 DEADBEEF
caa CAA 0 issue "x"
mb MB mail
ptr PTR Mail.n.test.
ptr PTR x.dn
case.Example A 192.0.2.1
CASE.example TXT "other case"
nodot\\.ted TXT dotted
\\000\\255bin TXT binary
$GENERATE 1-90 many A 10.1.0.$
$GENERATE 1-28 mid A 10.2.0.$
%(mx)s$GENERATE 0-30 h${0,3,d} A 10.0.0.$
$GENERATE 1-20 h$ A 10.3.0.$
$GENERATE 1-20 h$ AAAA 2001:db8:3::$
$GENERATE 1-13 bigdeleg NS ns$.bigdeleg
$GENERATE 1-13 ns$.bigdeleg A 10.4.0.$
$GENERATE 1-13 ns$.bigdeleg AAAA 2001:db8:4::$
$GENERATE 1-40 hugedeleg NS a-rather-long-name-of-server-$.hugedeleg
$GENERATE 1-40 a-rather-long-name-of-server-$.hugedeleg A 10.5.0.$
any A 192.0.2.70
any AAAA 2001:db8::70
any TXT "any"
any MX 1 mail
sub NS ns2.sub
ns2.sub A 192.0.2.61
gone.sub A 192.0.2.62
""" % {"long": LONG, "x": "x" * 100, "mx": "".join("manymx MX %d mx-%d-exchanger\n" % (i, i) for i in range(60)) +
       "".join("somemx MX %d h%d\n" % (i, i) for i in range(1, 21))},
    "sub.n.test": """\
$TTL 60
@ SOA ns2 host 1 1 1 1 7200
@ NS ns2
@ NS ns1.n.test.
ns2 A 192.0.2.61
www A 192.0.2.61
* TXT "star at top"
mx MX 1 mail.n.test.
mx MX 2 ns2
back CNAME www.n.test.
d DNAME n.test.
""",
    "o.test": """\
$TTL 60
@ SOA ns host 1 1 1 1 60
@ NS ns
@ NS ns1.n.test.
@ A 192.0.2.80
@ DNAME sub.n.test.
""".replace("@ DNAME sub.n.test.\n", "") + """\
ns A 192.0.2.81
www A 192.0.2.82
mx MX 1 mail.n.test.
mx MX 2 ns.child.n.test.
""",
    "d.test": """\
$TTL 60
@ SOA ns.n.test. host 1 1 1 1 60
@ NS ns1.n.test.
@ TXT apex
@ DNAME n.test.
""",
    "b.test": None,     # has no file
    "10.in-addr.arpa": """\
$TTL 60
@ SOA ns1.n.test. host 1 1 1 1 60
@ NS ns1.n.test.
1.0.0 PTR mail.n.test.
0/25.0.0 NS ns1.n.test.
$GENERATE 2-9 $.0.0 CNAME $.0/25.0.0
""",
}

TYPES = ["A", "MX", "TXT", "ANY", "CNAME", "NS", "DS", "SOA", "DNAME"]
MORE_TYPES = ["AAAA", "SRV", "NAPTR", "HTTPS", 64, 18, 21, 36, "RP", 14, 26, "HINFO", 999, "CAA", 7, "PTR", 46, 47, 48, 50]


def owners(zones):
    for apex, text in zones.items():
        yield apex
        for line in (text or "").splitlines():
            word = line.split()[0]
            if word not in ("$TTL", "$GENERATE", "@") and "\\" not in word and not line[0].isspace():
                yield word.rstrip(".") + "." + apex if not word.endswith(".") else word.rstrip(".")
        for word in ("many", "mid", "manymx", "somemx", "h1", "h007", "bigdeleg", "ns3.bigdeleg", "hugedeleg"):
            if apex == "n.test":
                yield word + "." + apex


def names(zones):
    """Each owner; below it, beside it, above it; a star below it."""
    found = {}
    for owner in owners(zones):
        for name in (owner, "x." + owner, "y.x." + owner, "*." + owner, "0" + owner, owner.split(".", 1)[1],
                     owner.upper() if len(owner) % 3 == 0 else owner, "x.*." + owner):
            found[name] = True
    return list(found)


def questions(zones):
    import wire
    for number, (name, kind) in enumerate(itertools.product(names(zones), TYPES)):
        yield wire.question(name, kind, recursion=number % 3 == 0, edns=(None, 1232, 512, 4096, 600)[number % 5],
                            do=number % 2 == 0, ident=number & 0xffff)
    for number, (name, kind) in enumerate(itertools.product(dict.fromkeys(owners(zones)), MORE_TYPES)):
        yield wire.question(name, kind, recursion=number % 2 == 0, edns=(None, 1232)[number % 3 == 0], ident=number)
