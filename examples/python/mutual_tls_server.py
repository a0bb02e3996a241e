"""A server that lets in clients with a certificate of one CA alone, and greets them by name.

    python mutual_tls_server.py CERT.pem KEY.pem CLIENT_CA.pem [PORT]

In Rust: ../mutual_tls_server.rs
"""

import socket
import ssl
import sys
import threading


def greet(tcp, address):
    try:
        with context.wrap_socket(tcp, server_side=True) as tls:
            # Empty where the client showed none, with CERT_OPTIONAL; and always, with CERT_NONE.
            subject = dict(pair[0] for pair in tls.getpeercert()["subject"])
            tls.sendall(f"hello, {subject['commonName']}\n".encode())
            tls.unwrap()
    except OSError as error:
        print(f"{address}: {error}", file=sys.stderr)


cert, key, client_ca, *port = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
# The CA that made the clients' certificates, and not load_default_certs(): anybody gets a certificate of those.
context.load_verify_locations(client_ca)
# Left out in many tutorials, and then no client is asked for anything.
context.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(("127.0.0.1", int(port[0]) if port else 4433))
print("listening on %s:%d" % listener.getsockname(), flush=True)
while True:
    tcp, address = listener.accept()
    tcp.settimeout(10)
    threading.Thread(target=greet, args=(tcp, address), daemon=True).start()
