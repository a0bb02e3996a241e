"""Tests of the service behind the tunnels, without a tunnel."""

import socket
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

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


if __name__ == "__main__":
    unittest.main()
