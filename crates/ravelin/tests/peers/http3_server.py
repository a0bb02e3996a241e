"""Answers HTTP/3 requests as their paths say, well and badly, and prints its port first.

    http3_server.py CHAIN KEY [retry] [version] [quiet] [no-h3] [staple=FILE]

What it was asked, and how connections end, it writes to standard output too: a line each.
"""

import asyncio
import sys

from aioquic import tls
from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, FrameType, H3Connection, encode_frame
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, StreamReset
from aioquic.quic.packet import QuicProtocolVersion

NO_ERROR = 0x100
REQUEST_REJECTED = 0x10B
INTERNAL_ERROR = 0x102
CERTIFICATE_REQUIRED = 0x100 + 116


def tell(*words):
    print(*words, flush=True)


class Answering(QuicConnectionProtocol):
    """One connection."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.http = None
        self.paths = {}
        self.received = {}
        self.answered = 0

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
            tell("connection", event.alpn_protocol)
        if isinstance(event, ConnectionTerminated):
            tell("ended", hex(event.error_code), event.reason_phrase)
        if isinstance(event, StreamReset):
            tell("reset", hex(event.error_code))
        if self.http is not None:
            for came in self.http.handle_event(event):
                self.take(came)

    def take(self, came):
        stream = came.stream_id
        if isinstance(came, HeadersReceived):
            fields = dict(came.headers)
            self.paths[stream] = fields[b":path"].decode()
            tell(fields[b":method"].decode(), self.paths[stream], stream)
            self.received[stream] = 0
            if "/early" in self.paths[stream]:
                self.answer(stream)
                return
        elif isinstance(came, DataReceived):
            self.received[stream] += len(came.data)
        if came.stream_ended and "/early" not in self.paths[stream]:
            self.answer(stream)

    def head(self, stream, *fields, status=200, end=False):
        head = [(b":status", str(status).encode()), *fields]
        self.http.send_headers(stream, head, end_stream=end)

    def raw(self, stream, octets, end=False):
        self._quic.send_stream_data(stream, octets, end)

    def whole(self, stream, body, *fields):
        length = (b"content-length", str(len(body)).encode())
        self.head(stream, length, *fields)
        self.http.send_data(stream, body, end_stream=True)

    def answer(self, stream):
        name = self.paths[stream].strip("/").split("?")[0].replace("-", "_")
        getattr(self, "answer_" + name, self.answer_good)(stream)
        self.answered += 1
        self.transmit()

    # Good ones.

    def answer_good(self, stream):
        self.whole(stream, b"good\n")

    def answer_count(self, stream):
        self.whole(stream, b"%d octets\n" % self.received[stream])

    def answer_early(self, stream):
        """Says no before the body has come, and wants no more of it."""
        self.whole(stream, b"enough\n")
        self._quic.stop_stream(stream, NO_ERROR)

    def answer_trailers(self, stream):
        """Behind heads that come before, with frames that nobody knows between, and fields at the end."""
        self.head(stream, (b"link", b"</x>"), status=103)
        self.raw(stream, encode_frame(0x21 + 0x1F * 7, b"?" * 5000))
        self.head(stream)
        for piece in (b"in ", b"", b"pieces\n"):
            self.raw(stream, encode_frame(0x21, b"") + encode_frame(FrameType.DATA, piece))
        self.http.send_headers(stream, [(b"x-sum", b"1")], end_stream=True)

    def answer_gzip(self, stream):
        import gzip

        self.whole(stream, gzip.compress(b"unpacked\n"), (b"content-encoding", b"gzip"))

    def answer_large(self, stream):
        """In small frames, which whoever reads slowly must not gather."""
        self.head(stream)
        for _ in range(2000):
            self.raw(stream, encode_frame(FrameType.DATA, b"0123456789abcde\n" * 64))
        self.raw(stream, b"", end=True)

    def answer_bye(self, stream):
        """Answers, and closes the connection behind it."""
        self.whole(stream, b"bye\n")
        self.transmit()
        self._quic.close(NO_ERROR, None, "")

    # Bad ones.

    def answer_never(self, stream):
        pass

    def answer_half(self, stream):
        """Stops, and says nothing."""
        self.head(stream, (b"content-length", b"9"))
        self.http.send_data(stream, b"half", end_stream=False)

    def answer_short(self, stream):
        self.head(stream, (b"content-length", b"9"))
        self.http.send_data(stream, b"half", end_stream=True)

    def answer_long(self, stream):
        self.head(stream, (b"content-length", b"2"))
        self.http.send_data(stream, b"half", end_stream=True)

    def answer_within(self, stream):
        """Ends within a frame, with no length said."""
        self.head(stream)
        self.raw(stream, b"\x00\x09half", end=True)

    def answer_reset(self, stream):
        self.head(stream)
        self.raw(stream, encode_frame(FrameType.DATA, b"half"))
        self.transmit()
        self._quic.reset_stream(stream, INTERNAL_ERROR)

    def answer_closed(self, stream):
        self.head(stream)
        self.raw(stream, encode_frame(FrameType.DATA, b"half"))
        self.transmit()
        self._quic.close(INTERNAL_ERROR, None, "no more")

    def answer_nothing(self, stream):
        self.raw(stream, b"", end=True)

    def answer_headless(self, stream):
        self.raw(stream, encode_frame(FrameType.DATA, b"body"), end=True)

    def answer_nonsense(self, stream):
        self.raw(stream, encode_frame(FrameType.HEADERS, b"\xff" * 30), end=True)

    def answer_statusless(self, stream):
        """Behind a head that is only a beginning, in one piece with it."""
        self.head(stream, status=103)
        self.http.send_headers(stream, [(b":path", b"/")], end_stream=True)

    def answer_huge(self, stream):
        """A head that says that it has a gigabyte, and begins."""
        self.raw(stream, b"\x01\x80\x10\x00\x00" + b"x" * 1000)

    def answer_fields(self, stream):
        """A small head, as long as it is not unpacked."""
        self.head(stream, *[(b"x-%d" % n, b"1") for n in range(300)], end=True)

    def answer_heads(self, stream):
        """Heads that come before, and never the one that counts."""
        for _ in range(2000):
            self.head(stream, (b"link", b"<%s>" % (b"x" * 200)), status=103)

    def answer_reject(self, stream):
        """Says to the first that it has not looked at it, if there was one before."""
        if self.answered == 1:
            self._quic.reset_stream(stream, REQUEST_REJECTED)
            self._quic.stop_stream(stream, REQUEST_REJECTED)
        else:
            self.whole(stream, b"good\n")

    def answer_goaway(self, stream):
        """Takes one, and no more: the next is left where it is."""
        if self.answered == 0:
            self.whole(stream, b"last\n")
        else:
            control = self.http._local_control_stream_id
            self.raw(control, encode_frame(FrameType.GOAWAY, bytes([stream])))

    def answer_alert(self, stream):
        """Takes the handshake back, as over the certificate that it wanted."""
        self._quic.close(CERTIFICATE_REQUIRED, 0, "")


def staple(response):
    """Sends an OCSP response with the certificate (RFC 8446, section 4.4.2.1), which aioquic itself never does."""
    status = b"\x01" + len(response).to_bytes(3, "big") + response
    extension = b"\x00\x05" + len(status).to_bytes(2, "big") + status
    push = tls.push_certificate

    def stapled(buf, message):
        (own, _), *others = message.certificates
        message.certificates = [(own, extension), *others]
        push(buf, message)

    tls.push_certificate = stapled


async def main():
    options = sys.argv[3:]
    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=["h0"] if "no-h3" in options else H3_ALPN,
        max_datagram_size=1280,
    )
    configuration.load_cert_chain(sys.argv[1], sys.argv[2])
    for option in options:
        if option.startswith("staple="):
            with open(option.removeprefix("staple="), "rb") as file:
                staple(file.read())
    if "version" in options:
        configuration.supported_versions = [QuicProtocolVersion.VERSION_2]
    server = await serve(
        "127.0.0.1",
        0,
        configuration=configuration,
        create_protocol=Answering,
        retry="retry" in options,
    )
    port = server._transport.get_extra_info("sockname")[1]
    if "quiet" in options:
        server.datagram_received = lambda data, addr: None
        server._transport._protocol = server
    tell(port)
    await asyncio.Event().wait()


asyncio.run(main())
