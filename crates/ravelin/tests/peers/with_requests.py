"""Asks with requests, and with httpx over HTTP/2.

    with_requests.py PORT ROOT
"""

import ssl
import sys

import httpx
import requests

port, root = sys.argv[1:3]
base = f"https://localhost:{port}"

with requests.Session() as session:
    session.verify = root
    response = session.get(base + "/", timeout=30)
    assert (response.status_code, response.text) == (200, "hello\n")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    etag = response.headers["ETag"]
    assert session.head(base + "/", timeout=30).headers["Content-Length"] == "6"
    known = session.get(base + "/", headers={"If-None-Match": etag}, timeout=30)
    assert (known.status_code, known.content) == (304, b"")
    part = session.get(base + "/", headers={"Range": "bytes=1-2"}, timeout=30)
    assert (part.status_code, part.text) == (206, "el")
    long = session.get(base + "/long.txt", timeout=30)
    # Brotli where another package has brought that along.
    assert long.headers["Content-Encoding"] in ("gzip", "br"), long.headers
    assert long.text == "many words " * 1000
    streamed = session.get(base + "/long.txt", stream=True, timeout=30)
    assert b"".join(streamed.iter_content(1000)) == long.content
    missing = session.get(base + "/missing", timeout=30)
    assert missing.status_code == 404

try:
    requests.get(base, timeout=30)
except requests.exceptions.SSLError:
    pass
else:
    sys.exit("requests took a certificate that nobody it knows has signed")

context = ssl.create_default_context(cafile=root)
with httpx.Client(http2=True, verify=context, timeout=30) as client:
    for path in ["/", "/long.txt", "/missing"]:
        response = client.get(base + path)
        assert response.http_version == "HTTP/2"
    assert client.get(base + "/long.txt").text == "many words " * 1000
