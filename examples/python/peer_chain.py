"""Shows what TLS agreed on and the chain that a server shows, whoever it is.

    python peer_chain.py example.org 443        (pip install pyOpenSSL)

In Rust: ../peer_chain.rs
"""

import socket
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL


def title(certificate):
    for name in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
        return name.value
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return names.value.get_values_for_type(x509.DNSName)[0]


host, port = sys.argv[1:]
context = SSL.Context(SSL.TLS_CLIENT_METHOD)
# To look at a chain that may be wrong is what this is for; and so nothing is sent over this connection. Whoever copies
# it for more: VERIFY_PEER alone does not look at the name, with pyOpenSSL.
context.set_verify(SSL.VERIFY_NONE)
with socket.create_connection((host, int(port)), timeout=10) as tcp:
    # pyOpenSSL does not wait itself where the socket has a timeout.
    tcp.settimeout(None)
    tls = SSL.Connection(context, tcp)
    # Without it a server of many names shows another's certificate.
    tls.set_tlsext_host_name(host.encode())
    tls.set_connect_state()
    tls.do_handshake()
    print(tls.get_protocol_version_name().replace("TLSv", "TLS "))
    # As the server sent them, and not the path that OpenSSL made of them: that is get_verified_chain().
    for place, certificate in enumerate(tls.get_peer_cert_chain(as_cryptography=True)):
        print(f"{place}. {title(certificate)} sha256:{certificate.fingerprint(hashes.SHA256()).hex()}")
    tls.shutdown()
