"""Answers HTTPS requests with what comes with Python, and prints its port first.

    tls_server.py CHAIN KEY [CLIENT_CA]
"""

import os
import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
# The point is what clients think of weak keys.
context.set_ciphers("ALL:@SECLEVEL=0")
context.load_cert_chain(sys.argv[1], sys.argv[2])
if len(sys.argv) > 3:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(sys.argv[3])

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    tcp, _ = listener.accept()
    try:
        with context.wrap_socket(tcp, server_side=True) as tls:
            request = b""
            while b"\r\n\r\n" not in request and (some := tls.recv(4096)):
                request += some
            peer = dict(pair[0] for pair in (tls.getpeercert() or {}).get("subject", ()))
            body = peer.get("commonName", "believed").encode()
            if b" /cut " in request:
                # Neither a length nor close_notify: who reads it cannot know whether that was all.
                tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)
                os.close(tls.detach())
                continue
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            tls.unwrap()
    except (ssl.SSLError, OSError):
        tcp.close()
