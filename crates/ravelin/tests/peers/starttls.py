"""Servers of others that begin in clear: aiosmtpd, pyftpdlib and mysql-mimic.

Arguments: the protocol and the port. The certificate is c.pem, its key k.pem.
"""

import asyncio
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

    server = MysqlServer(ssl=context())
    await server.start_server(host="127.0.0.1", port=port)
    await server.serve_forever()


port = int(sys.argv[2])
match sys.argv[1]:
    case "smtp":
        asyncio.run(smtp())
    case "ftp":
        ftp()
    case "mysql":
        asyncio.run(mysql())
