"""A client over TLS: sends each line of standard input, and prints the line that comes back.

    echo hello | python echo_client.py localhost 4433 ROOT.pem

In Rust: ../echo_client.rs
"""

import socket
import ssl
import sys

host, port, root = sys.argv[1:]
# Verifies the chain and, with the name below, the host. SSLContext(PROTOCOL_TLS_CLIENT) does too; a bare SSLContext()
# verifies nothing, and CERT_REQUIRED without check_hostname takes anybody's certificate for anybody.
context = ssl.create_default_context(cafile=root)
with socket.create_connection((host, int(port)), timeout=10) as tcp:
    with context.wrap_socket(tcp, server_hostname=host, suppress_ragged_eofs=False) as tls:
        print(tls.version(), tls.cipher()[0], file=sys.stderr)
        answers = tls.makefile("rb")
        for line in sys.stdin.buffer:
            tls.sendall(line)
            answer = answers.readline()
            if not answer:
                sys.exit("the server ended before it had answered")
            sys.stdout.buffer.write(answer)
        # Says that this was all (close_notify): close() alone does not.
        tls.unwrap()
