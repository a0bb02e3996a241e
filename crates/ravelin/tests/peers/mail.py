"""A client of mail that begins TLS and leaves: smtp, imap or pop3, a port, and the root to believe."""

import imaplib
import poplib
import smtplib
import ssl
import sys

protocol, port, root = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=root)
if protocol == "smtp":
    with smtplib.SMTP("localhost", port, timeout=20) as smtp:
        smtp.starttls(context=context)
        assert smtp.ehlo()[0] == 250
        assert not smtp.has_extn("starttls"), "TLS in TLS"
elif protocol == "imap":
    imap = imaplib.IMAP4("localhost", port, timeout=20)
    imap.starttls(ssl_context=context)
    assert imap.noop()[0] == "OK"
    imap.logout()
else:
    pop3 = poplib.POP3("localhost", port, timeout=20)
    pop3.stls(context=context)
    pop3.quit()
print("well")
