"""A server that is known by its key alone: no CA is asked, so none can be talked into vouching for somebody else.

    python pinned.py localhost 4433 PIN        (pip install cryptography)

The pin is the SHA-256 of the server's SubjectPublicKeyInfo, as 64 hexadecimal digits: it outlives a certificate that
is renewed with the same key, where a pin of the whole certificate, which tutorials have, does not.

In Rust: ../pinned.rs
"""

import hashlib
import socket
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

host, port, *pins = sys.argv[1:]
context = ssl.create_default_context()
# No CA is asked: from here to the comparison anybody may be there.
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
with socket.create_connection((host, int(port)), timeout=10) as tcp:
    with context.wrap_socket(tcp, server_hostname=host) as tls:
        # getpeercert() without binary_form is empty with CERT_NONE.
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        shown = hashlib.sha256(public).hexdigest()
        # Before anything is sent, a password above all.
        if shown not in pins:
            sys.exit(f"{host} is not believed: its key, {shown}, is none of those that are pinned")
        print(f"{host} has the key {shown}")
        tls.unwrap()
