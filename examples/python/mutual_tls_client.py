"""A client that shows who it is, and prints what the server says to that.

    python mutual_tls_client.py localhost 4433 ROOT.pem CERT.pem KEY.pem

In Rust: ../mutual_tls_client.rs
"""

import socket
import ssl
import sys

host, port, root, *own = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
if own:
    cert, key = own
    context.load_cert_chain(cert, key)
with socket.create_connection((host, int(port)), timeout=10) as tcp:
    with context.wrap_socket(tcp, server_hostname=host, suppress_ragged_eofs=False) as tls:
        # In TLS 1.3 the handshake is over for us before the server has seen our certificate: that it does not like it
        # is an exception here, and not in wrap_socket().
        while octets := tls.recv(16384):
            sys.stdout.buffer.write(octets)
