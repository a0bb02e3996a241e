"""A server that speaks the version and cipher suite that it is told to, and says what came of it.

    python choosing_server.py CERT.pem KEY.pem 1.3 TLS_AES_256_GCM_SHA384 [PORT]        (pip install pyOpenSSL)

Suites of TLS 1.2 have OpenSSL's names: ECDHE-ECDSA-AES128-GCM-SHA256. The module ssl cannot choose those of TLS 1.3
before Python 3.15; pyOpenSSL can.

In Rust: ../choosing_server.rs
"""

import socket
import sys
import threading

from OpenSSL import SSL

VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}


def tell(tcp, address):
    tls = SSL.Connection(context, tcp)
    tls.set_accept_state()
    try:
        tls.do_handshake()
        tls.sendall(f"{tls.get_protocol_version_name()} {tls.get_cipher_name()}\n".encode())
        # Sends our close_notify, and does not wait for theirs.
        tls.shutdown()
        tls.sock_shutdown(socket.SHUT_WR)
    except SSL.Error as error:
        print(f"{address}: {error}", file=sys.stderr)
    finally:
        tls.close()


cert, key, version, suite, *port = sys.argv[1:]
context = SSL.Context(SSL.TLS_SERVER_METHOD)
context.use_certificate_chain_file(cert)
context.use_privatekey_file(key)
# Both ends: set_min_proto_version alone leaves what is newer.
context.set_min_proto_version(VERSIONS[version])
context.set_max_proto_version(VERSIONS[version])
# Two lists: set_cipher_list says nothing about TLS 1.3, which many believe.
if version == "1.3":
    context.set_tls13_ciphersuites(suite.encode())
else:
    context.set_cipher_list(suite.encode())
listener = socket.create_server(("127.0.0.1", int(port[0]) if port else 4433))
print("listening on %s:%d" % listener.getsockname(), flush=True)
while True:
    threading.Thread(target=tell, args=listener.accept(), daemon=True).start()
