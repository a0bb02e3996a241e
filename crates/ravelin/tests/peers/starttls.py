"""Servers of others that begin in clear: aiosmtpd, pyftpdlib and mysql-mimic.

Arguments: the protocol and the port. The certificate is c.pem, its key k.pem.
"""

import asyncio
import socket
import ssl
import sys


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain("c.pem", "k.pem")
    return made


async def smtp():
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    make = lambda: SMTP(None, hostname="localhost", tls_context=context(), loop=loop)
    server = await loop.create_server(make, "127.0.0.1", port)
    await server.serve_forever()


def ftp():
    from pyftpdlib.handlers import TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    TLS_FTPHandler.certfile = "c.pem"
    TLS_FTPHandler.keyfile = "k.pem"
    FTPServer(("127.0.0.1", port), TLS_FTPHandler).serve_forever()


async def mysql():
    from mysql_mimic import MysqlServer

    with socket.create_server(("127.0.0.1", 0)) as free:
        inner = free.getsockname()[1]
    server = MysqlServer(ssl=context())
    await server.start_server(host="127.0.0.1", port=inner)

    async def relay(reader, writer):
        """Lets a client's request for TLS come by itself: mysql-mimic loses what comes together with it."""
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", inner)

        async def up():
            to_writer.write(await reader.readexactly(SSL_REQUEST))
            await asyncio.sleep(0.3)
            await pump(reader, to_writer)

        await asyncio.gather(up(), pump(to_reader, writer), return_exceptions=True)

    async def pump(reader, writer):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
        writer.close()

    front = await asyncio.start_server(relay, "127.0.0.1", port)
    await asyncio.gather(server.serve_forever(), front.serve_forever())


# How many octets a client's request for TLS has.
SSL_REQUEST = 36

port = int(sys.argv[2])
match sys.argv[1]:
    case "smtp":
        asyncio.run(smtp())
    case "ftp":
        ftp()
    case "mysql":
        asyncio.run(mysql())
