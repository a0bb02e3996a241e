"""An echo server over TLS: each client gets back what it sends.

    python echo_server.py CERT.pem KEY.pem [PORT]

In Rust: ../echo_server.rs
"""

import socket
import ssl
import sys
import threading


def echo(tcp, address):
    # The handshake is done here, in a thread of its own. Many tutorials wrap the listening socket instead: then
    # accept() does it, and one client that connects and says nothing keeps all others waiting.
    try:
        # Without this a connection that was cut off looks like one that ended.
        with context.wrap_socket(tcp, server_side=True, suppress_ragged_eofs=False) as tls:
            while octets := tls.recv(16384):
                tls.sendall(octets)
            # Says that this was all (close_notify): close() alone does not.
            tls.unwrap()
    except OSError as error:  # ssl.SSLError is one.
        print(f"{address}: {error}", file=sys.stderr)


cert, key, *port = sys.argv[1:]
# Not SSLContext() alone, nor ssl.wrap_socket(), which older tutorials have: those spoke what was broken.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
listener = socket.create_server(("127.0.0.1", int(port[0]) if port else 4433))
print("listening on %s:%d" % listener.getsockname(), flush=True)
while True:
    # A client that says nothing has 10 seconds for it.
    tcp, address = listener.accept()
    tcp.settimeout(10)
    threading.Thread(target=echo, args=(tcp, address), daemon=True).start()
