"""A client that offers one version and one cipher suite, and prints what was agreed on and what the server says.

    python choosing_client.py localhost 4433 ROOT.pem 1.2 ECDHE-ECDSA-AES128-GCM-SHA256

In Rust: ../choosing_client.rs
"""

import socket
import ssl
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

host, port, root, version, *suite = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
# Both ends: minimum_version alone leaves what is newer. Tutorials that set OP_NO_TLSv1 and its like forget some.
context.minimum_version = context.maximum_version = VERSIONS[version]
# It says nothing about TLS 1.3, whose suites are all good: set_ciphers() with one of those is an error.
if suite:
    context.set_ciphers(suite[0])
with socket.create_connection((host, int(port)), timeout=10) as tcp:
    with context.wrap_socket(tcp, server_hostname=host, suppress_ragged_eofs=False) as tls:
        print(tls.version(), tls.cipher()[0], flush=True)
        while octets := tls.recv(16384):
            sys.stdout.buffer.write(octets)
