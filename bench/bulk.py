"""A connection with TLS for much at once, whose own cost is small.

Python's sockets with TLS read and write each record by calls of their own to the system: they take longer for a GB
than what is measured, which then waits for them. Here the records of 256 KiB go through memory, and by one call each way.
"""

import socket
import ssl

ONCE = 1 << 18


class Bulk:
    """Shakes hands on a connection to this port of loopback. The server is not verified."""

    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.come, self.gone = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.come, self.gone, server_hostname="localhost")
        self.buffer = bytearray(ONCE)
        self._until_done(self.tls.do_handshake)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.plain.close()

    def cipher(self):
        return self.tls.cipher()

    def send(self, octets):
        """Sends all of them."""
        left = memoryview(octets)
        while left:
            left = left[self._until_done(self.tls.write, left) :]

    def read(self):
        """What has come, of one record at most. Nothing, where the other end has said that this was all."""
        return self._until_done(self.tls.read, ONCE)

    def _until_done(self, step, *what):
        while True:
            try:
                done = step(*what)
            except ssl.SSLWantReadError:
                self._flush()
                taken = self.plain.recv_into(self.buffer)
                if taken:
                    self.come.write(memoryview(self.buffer)[:taken])
                else:
                    self.come.write_eof()
            else:
                self._flush()
                return done

    def _flush(self):
        if self.gone.pending:
            self.plain.sendall(self.gone.read())
