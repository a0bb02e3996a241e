"""Tests of the service behind the tunnels and of the load before them, without a tunnel."""

import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bulk import Bulk
from tunnels import Behind


def ask(port, request):
    """What the service says to a request until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.sendall(request)
        answer = b""
        while piece := plain.recv(1 << 16):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.splitlines(), len(body)


class Service(unittest.TestCase):
    def test_it_sends_and_takes_what_is_asked_for_and_closes(self):
        with Behind() as behind:
            small = b"GET /1k HTTP/1.1\r\nConnection: close\r\n\r\n"
            for request, length in [
                (small, 1024),
                (b"GET /down/700000 HTTP/1.1\r\n\r\n", 700_000),
                (b"POST /up/300000 HTTP/1.1\r\n\r\n" + bytes(300_000), 0),
            ]:
                head, sent = ask(behind.port, request)
                self.assertEqual(head[0], b"HTTP/1.1 200 OK")
                self.assertIn(b"Content-Length: %d" % length, head)
                self.assertEqual(sent, length)

    def test_a_connection_that_is_kept_is_answered_again(self):
        with Behind() as behind, socket.create_connection(("127.0.0.1", behind.port), 10) as plain:
            for _ in range(3):
                plain.sendall(b"GET /1k HTTP/1.1\r\nConnection: keep-alive\r\n\r\n")
                answer = b""
                while len(answer) < 1024 + 38:
                    answer += plain.recv(4096)
                self.assertTrue(answer.endswith(b"x" * 1024))


class OfMuch(unittest.TestCase):
    def test_what_is_sent_comes_back_whole_and_then_the_end(self):
        with tempfile.TemporaryDirectory() as folder:
            context = served(Path(folder))
        listener = socket.create_server(("127.0.0.1", 0))
        echo = threading.Thread(target=echo_once, args=(listener, context, 700_000))
        echo.start()
        sent = bytes(range(250)) * 2800
        came = b""
        with Bulk(listener.getsockname()[1]) as tls:
            tls.send(sent)
            while more := tls.read():
                came += more
        echo.join()
        listener.close()
        self.assertTrue(came == sent, f"{len(came):,} octets came")


def served(folder):
    """The context of a server, with a certificate of its own making."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        + ["-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def echo_once(listener, context, octets):
    """Says back so many octets, and that this was all."""
    plain, _ = listener.accept()
    with context.wrap_socket(plain, server_side=True) as tls:
        heard = b""
        while len(heard) < octets:
            heard += tls.recv(1 << 16)
        tls.sendall(heard)
        try:
            tls.unwrap()
        except ssl.SSLEOFError:
            pass  # The other end goes without a word, as loads do.


if __name__ == "__main__":
    unittest.main()
