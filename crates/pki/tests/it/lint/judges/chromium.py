"""What Chromium says of each chain in a folder, the root of the chain "good" being trusted by its
user: a page that fetches from a port for each. Lines are as judge.py's; a chain with another root is
not asked about."""

import asyncio
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile

corpus, host = pathlib.Path(sys.argv[1]), sys.argv[2]

PAGE = """<!doctype html><script>
(async () => {
  const said = {};
  for (const [name, port] of %s) {
    said[name] = await fetch("https://%s:" + port + "/", {mode: "no-cors"}).then(() => "ok", String);
  }
  await fetch("/said", {method: "POST", body: JSON.stringify(said)});
})();
</script>"""


def context(folder):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    chain = folder / "chromium.pem"
    chain.write_bytes((folder / "leaf.pem").read_bytes() + (folder / "intermediate.pem").read_bytes())
    server.load_cert_chain(chain, folder / "leaf.key")
    return server


async def answer(reader, writer):
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        pass


async def main():
    ports, said, done = [], {}, asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    trusted = (corpus / "good/root.pem").read_bytes()
    for folder in sorted(corpus.iterdir()):
        if (folder / "root.pem").read_bytes() != trusted:
            said[folder.name] = "? another root"
            continue
        try:
            server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context(folder))
            ports.append((folder.name, server.sockets[0].getsockname()[1]))
        except (OSError, ssl.SSLError) as error:
            said[folder.name] = f"? {error}"

    async def page(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            length = next(l for l in head.lower().splitlines() if l.startswith(b"content-length"))
            body = await reader.readexactly(int(length.split(b":")[1]))
            done.set_result(json.loads(body))
        body = (PAGE % (json.dumps(ports), host)).encode() if head.startswith(b"GET / ") else b""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # The browser's own children write for a moment longer than it lives.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        store = pathlib.Path(home, ".pki/nssdb")
        store.mkdir(parents=True)
        for more in [["-N", "--empty-password"], ["-A", "-n", "root", "-t", "C,,", "-i", corpus / "good/root.pem"]]:
            subprocess.run(["certutil", "-d", f"sql:{store}", *more], check=True)
        browser = await asyncio.create_subprocess_exec(
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", f"--user-data-dir={home}/profile",
            f"--host-resolver-rules=MAP {host} 127.0.0.1", f"http://127.0.0.1:{port}/",
            env={**os.environ, "HOME": home}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )
        try:
            said |= await asyncio.wait_for(done, 100)
        finally:
            browser.kill()
            await browser.wait()
    for name, verdict in sorted(said.items()):
        print(name, verdict, sep="\t")


asyncio.run(main())
