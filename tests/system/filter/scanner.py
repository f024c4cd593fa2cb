"""scanner - a content filter that speaks SMTP, and the lines of master.cf for it"""
import smtplib

import postroad

# As amavis and its kin are set up, word for word but for the ports.
FILTERED = """\
smtp-amavis unix - - n - 2 smtp
    -o smtp_data_done_timeout=1200
    -o smtp_send_xforward_command=yes
    -o disable_dns_lookups=yes
    -o max_use=20
%s:%d inet n - n - - smtpd
    -o content_filter=
    -o local_recipient_maps=
    -o relay_recipient_maps=
    -o smtpd_restriction_classes=
    -o smtpd_delay_reject=no
    -o smtpd_client_restrictions=permit_mynetworks,reject
    -o smtpd_helo_restrictions=
    -o smtpd_sender_restrictions=
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o smtpd_data_restrictions=reject_unauth_pipelining
    -o smtpd_end_of_data_restrictions=
    -o mynetworks=127.0.0.0/8
    -o smtpd_error_sleep_time=0
    -o smtpd_soft_error_limit=1001
    -o smtpd_hard_error_limit=1000
    -o smtpd_client_connection_count_limit=0
    -o smtpd_client_connection_rate_limit=0
    -o smtpd_authorized_xforward_hosts=127.0.0.0/8
    -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_address_mappings
"""


class Filter(postroad.Sink):
    """Marks what is good and brings it back, refuses what has a virus, and can die at the worst moment."""

    offers = "250-filter.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n" \
             "250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n250 DSN"

    def __init__(self, back=None):
        super().__init__()
        self.back = back
        self.dies = None
        self.answers = {"EHLO": self.offers, "XFORWARD": "250 2.0.0 Ok"}

    def judge(self, sender, recipients, content):
        if self.dies == "before":
            return ""
        if b"virus" in content:
            return "550 5.7.1 a virus"
        if self.back:
            with smtplib.SMTP(*self.back, timeout=postroad.PATIENCE, local_hostname="filter.example.net") as smtp:
                smtp.ehlo()
                for line in [c for c in self.commands if c.startswith("XFORWARD")][-2:]:
                    postroad.check(smtp.docmd(line), 250)
                try:
                    smtp.sendmail(sender, recipients, b"X-Filtered: yes\r\n" + content)
                except smtplib.SMTPDataError as refused:
                    return "%d %s" % (refused.smtp_code, refused.smtp_error.decode())
        return "" if self.dies == "after" else "250 2.6.0 Ok, brought back"
