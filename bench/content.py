"""What every server gets alike: a certificate and the files of the site, made once in bench/out."""

import os
import subprocess
from pathlib import Path

FILES = {"1k": 1 << 10, "100k": 100 << 10, "1g": 1 << 30}


class Content:
    def __init__(self, out):
        self.root = out / "site"
        self.certificate = out / "certificate.pem"
        self.key = out / "key.pem"

    def make(self):
        """Make what is missing."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name, size in FILES.items():
            fill(self.root / name, size)
            read_through(self.root / name)
        if not (self.certificate.exists() and self.key.exists()):
            self.make_certificate()

    def make_certificate(self):
        """A self-signed P-256 certificate: one certificate in the chain, as short as it gets."""
        names = "subjectAltName=DNS:localhost,DNS:*.test,IP:127.0.0.1"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + ["-nodes", "-sha256", "-days", "365", "-subj", "/CN=localhost", "-addext", names]
            + ["-keyout", self.key, "-out", self.certificate],
            check=True,
            capture_output=True,
            timeout=30,
        )


def fill(path: Path, size):
    """A file of random bytes, which nothing can compress."""
    if path.exists() and path.stat().st_size == size:
        return
    piece = os.urandom(min(size, 1 << 20))
    with open(path, "wb") as file:
        for number in range(size // len(piece)):
            # Turned a little each time, so that no two pieces are the same.
            file.write(piece[number:] + piece[:number])


def read_through(path: Path):
    """Into the page cache, so that no server is the first to wait for the disk."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass
