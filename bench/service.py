#!/usr/bin/env python3
"""The plain service behind the tunnels: as much of HTTP/1.1 as the loads ask for.

    bench/service.py        writes its port, and serves until standard input ends

    GET /1k                 1 KiB
    GET /down/N             N octets
    POST /up/N              takes N octets, and answers then

It is on the load's core, and its CPU time is nobody's figure.
"""

import selectors
import socket
import sys
import threading

BODY = b"x" * 1024
PIECE = bytes(1 << 18)


def main():
    service = Service()
    print(service.port, flush=True)
    service.serve(until=sys.stdin)


class Service:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.ready = selectors.DefaultSelector()

    def serve(self, until):
        self.ready.register(until, selectors.EVENT_READ, None)
        self.ready.register(self.listener, selectors.EVENT_READ, self.accept)
        while True:
            for key, _ in self.ready.select():
                if key.data is None:
                    return
                key.data(key.fileobj)

    def accept(self, listener):
        try:
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                self.ready.register(connection, selectors.EVENT_READ, self.answer)
        except BlockingIOError:
            return

    def answer(self, connection):
        """Answers one request, which came in one piece: they are short, and nothing follows them."""
        try:
            request = connection.recv(4096)
        except ConnectionError:
            request = b""
        head, _, body = request.partition(b"\r\n\r\n")
        word, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0]
        if word == b"GET" and path == b"/1k":
            try:
                connection.sendall(answered(BODY))
            except OSError:
                pass
            if b"\r\nConnection: close" not in head:
                return
        self.ready.unregister(connection)
        kind, _, count = path.strip(b"/").partition(b"/")
        if kind in (b"down", b"up") and count.isdigit():
            connection.setblocking(True)
            many = {b"down": send_many, b"up": take_many}[kind]
            threading.Thread(target=many, args=(connection, int(count), body), daemon=True).start()
            return
        connection.close()


def answered(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def send_many(connection, count, _):
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % count)
        while count:
            piece = PIECE[:count]
            connection.sendall(piece)
            count -= len(piece)


def take_many(connection, count, begun):
    with connection:
        count -= len(begun)
        unused = bytearray(1 << 20)
        while count > 0:
            # What came is thrown away by the kernel: copying it would keep the load from more.
            taken = connection.recv_into(unused, 0, socket.MSG_TRUNC)
            if not taken:
                return
            count -= taken
        connection.sendall(answered(b""))


if __name__ == "__main__":
    main()
