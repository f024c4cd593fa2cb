"""site - the configuration files of a small site: DNS, mail and POP3 for example.local

The shape is that of a real one: a virtual alias domain that is also $myorigin, Maildirs in the homes,
a service listed twice in master.cf, services that this release does not have, a passwd-file.
"""

MAIN_CF = """\
# mail host of example.local
myhostname = {mail_host}
mydomain = example.local
myorigin = $mydomain

inet_interfaces = all
mynetworks = 127.0.0.0/8 [::1]/128 172.19.0.0/16
smtpd_relay_restrictions = permit_mynetworks,
    reject_unauth_destination

mydestination = $myhostname, localhost.$mydomain, localhost
virtual_alias_domains = example.local
virtual_alias_maps = hash:{etc}/postfix/virtual
alias_maps = hash:{etc}/aliases
alias_database = hash:{etc}/aliases

smtpd_banner = $myhostname ESMTP $mail_name
{mailbox}
debug_peer_level = 2
debugger_command =
\t PATH=/bin:/usr/bin
\t ddd $daemon_directory/$process_name $process_id & sleep 5

compatibility_level = 2
smtpd_tls_security_level = none
smtp_tls_security_level = may
smtpd_helo_required = yes

{places}
"""

MASTER_CF = """\
{smtp}      inet  n       -       n       -       -       smtpd
  -o debug_peer_list=app.example.local
  -o debug_peer_level=3
{pop3}      inet  n       -       n       -       -       pop3d
auth      unix  -       n       n       -       -       authd
pickup    unix  n       -       n       60      1       pickup
proxymap  unix  -       -       n       -       -       proxymap
rewrite   unix  -       -       n       -       -       trivial-rewrite
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
relay     unix  -       -       n       -       -       smtp
smtp      unix  -       -       n       -       -       smtp
retry     unix  -       -       n       -       -       error
local     unix  -       n       n       -       -       local
error     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
showq     unix  n       -       n       -       -       showq
"""

NAMED_CONF = """\
options {{
    directory "{cache}";        // relative names are below it
    listen-on {port} {{ {listen}; }};    # every interface
    allow-query {{ any; }};     /* from everywhere */
}};
zone "example.local" {{
    type master;
    file "{etc}/bind/db.example.local";
}};
zone "19.172.in-addr.arpa" {{
    type primary;
    file "{etc}/bind/db.19.172";
}};
"""

ZONE = """\
$TTL    86400                    ; one day
@       IN      SOA     example.local. root.example.local. (
                            4         ; serial
                        604800        ; refresh
                         86400        ; retry
                       2419200        ; expire
                        604800 )      ; negative answers
        IN      NS      ns.example.local.
ns      IN      A       {dns}
example.local.  IN      A       {dns} ; the domain itself
smtp    IN      A       {smtp}
app     IN      A       {app}
client  IN      A       {client}
4       IN      PTR     smtp.example.local.
"""

REVERSE = """\
$TTL    86400
@       IN      SOA     example.local. root.example.local. ( 2 604800 86400 2419200 604800 )
        IN      NS      ns.example.local.
; The names are relative to 19.172.in-addr.arpa: this is 172.19.4, and not 172.19.0.4.
4       IN      PTR     smtp.example.local.
"""

ALIASES = """\
postmaster:    root
recipient: user
"""

VIRTUAL = "recipient@example.local test\n"
