"""An HTTPS client that does one thing at a time, as it is told on standard input.

    client.py PORT ROOT [1|2]           the version of HTTP; without one: 1

Each command is a line, and so is the answer. All of them use one connection as long as it holds;
each answer about a response tells by which of the client's ports it came, 0 where the connection
was closed after it.

    get PATH            -> STATUS PORT BYTES SHA256
    open PATH           -> STATUS PORT, with the body still to be read
    read N              -> N, once at least so many more bytes of it are here
    rest                -> BYTES SHA256 of the whole body, or "cut" and why
    post PATH N         -> half, once the header and N bytes of a body of twice N are on their way
    finish              -> STATUS PORT BYTES SHA256, once the other half was sent
    text PATH           -> the body of PATH in JSON
"""

import hashlib
import json
import ssl
import sys
import threading

import httpx


def main():
    port, root = sys.argv[1:3]
    version = sys.argv[3] if len(sys.argv) > 3 else "1"
    context = ssl.create_default_context(cafile=root)
    http = httpx.Client(
        base_url=f"https://localhost:{port}",
        verify=context,
        http1=version == "1",
        http2=version == "2",
        timeout=60,
    )
    Client(http).run()


class Client:
    def __init__(self, http):
        self.http = http

    def run(self):
        for line in sys.stdin:
            command, *arguments = line.split()
            try:
                answer = getattr(self, command)(*arguments)
            except httpx.HTTPError as error:
                answer = f"failed {type(error).__name__} {error}"
            print(answer, flush=True)

    def get(self, path):
        return told(self.http.get(path))

    def text(self, path):
        return json.dumps(self.http.get(path).raise_for_status().text)

    def open(self, path):
        request = self.http.build_request("GET", path)
        self.response = self.http.send(request, stream=True)
        self.chunks = self.response.iter_raw()
        self.hash, self.length = hashlib.sha256(), 0
        return f"{self.response.status_code} {port_of(self.response)}"

    def read(self, count):
        until = self.length + int(count)
        while self.length < until:
            self.take(next(self.chunks))
        return count

    def rest(self):
        try:
            for chunk in self.chunks:
                self.take(chunk)
        except httpx.HTTPError as error:
            return f"cut {type(error).__name__} {error}"
        return f"{self.length} {self.hash.hexdigest()}"

    def take(self, chunk):
        self.hash.update(chunk)
        self.length += len(chunk)

    def post(self, path, half):
        """The request runs in a thread of its own, which waits in the middle of the body."""
        sent, self.go_on = threading.Event(), threading.Event()
        part = b"x" * int(half)

        def body():
            yield part
            sent.set()
            self.go_on.wait(60)
            yield part

        def post():
            headers = {"Content-Length": str(2 * len(part))}
            try:
                self.posted = told(self.http.post(path, content=body(), headers=headers))
            except httpx.HTTPError as error:
                self.posted = f"failed {type(error).__name__} {error}"

        self.thread = threading.Thread(target=post)
        self.thread.start()
        return "half" if sent.wait(60) else "failed"

    def finish(self):
        self.go_on.set()
        self.thread.join(60)
        return self.posted


def told(response):
    body = response.content
    digest = hashlib.sha256(body).hexdigest()
    return f"{response.status_code} {port_of(response)} {len(body)} {digest}"


def port_of(response):
    try:
        return response.extensions["network_stream"].get_extra_info("client_addr")[1]
    except OSError:
        return 0  # The server has closed the connection behind the response.


main()
