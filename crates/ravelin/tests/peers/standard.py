"""Asks with what comes with Python: ssl and http.client.

    standard.py PORT ROOT
"""

import http.client
import socket
import ssl
import sys

port, root = int(sys.argv[1]), sys.argv[2]

# What create_default_context checks, it checks: the chain, the name, the time.
context = ssl.create_default_context(cafile=root)
# As strict about the form of certificates as Python can be.
context.verify_flags |= ssl.VERIFY_X509_STRICT

connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=30)
for turn in range(3):
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.version) == (200, 11), response.status
    assert response.read() == b"hello\n"
assert connection.sock.version() == "TLSv1.3"
names = {value for kind, value in connection.sock.getpeercert()["subjectAltName"]}
assert "localhost" in names, names
connection.close()

context.set_alpn_protocols(["h2", "http/1.1"])
with socket.create_connection(("127.0.0.1", port), timeout=30) as tcp:
    with context.wrap_socket(tcp, server_hostname="127.0.0.1") as tls:
        assert tls.selected_alpn_protocol() == "h2"

# A session of one connection is resumed on the next.
context = ssl.create_default_context(cafile=root)
session = None
for turn in range(3):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as tcp:
        with context.wrap_socket(tcp, server_hostname="localhost", session=session) as tls:
            assert tls.session_reused == (turn > 0), turn
            tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := tls.recv(65536):
                answer += chunk
            # recv has seen close_notify, not just the end of TCP: else it would have raised.
            assert answer.endswith(b"hello\n"), answer
            session = tls.session

for host, context, why in [
    ("localhost", ssl.create_default_context(), "unable to get"),
    ("other.localhost", ssl.create_default_context(cafile=root), "Hostname mismatch"),
]:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as tcp:
            context.wrap_socket(tcp, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        assert why in str(error), error
    else:
        sys.exit(f"no error for {host}")
