"""What Python's ssl says of each chain in a folder, with the flags of Python 3.13: a handshake in
memory for each. A line is "name<TAB>ok", "name<TAB>reason", or "name<TAB>?" and why the server could
not even be set up."""

import pathlib
import ssl
import sys


def pump(source, sink):
    data = source.read()
    if data:
        sink.write(data)


def verify(folder, host):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    chain = folder / "chain.pem"
    chain.write_bytes((folder / "leaf.pem").read_bytes() + (folder / "intermediate.pem").read_bytes())
    try:
        server.load_cert_chain(chain, folder / "leaf.key")
    except (ssl.SSLError, FileNotFoundError) as error:
        return f"? {error}"
    try:
        client = ssl.create_default_context(cafile=folder / "root.pem")
    except ssl.SSLError as error:
        return f"root: {error}"
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client.wrap_bio(to_client, to_server, server_hostname=host)
    server = server.wrap_bio(to_server, to_client, server_side=True)
    server_error = None
    for _ in range(10):
        try:
            client.do_handshake()
            return "ok"
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except ssl.SSLError as error:
            return f"? {server_error or error}"
        try:
            server.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            server_error = error
    return f"? {server_error}"


for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    print(folder.name, verify(folder, sys.argv[2]), sep="\t")
