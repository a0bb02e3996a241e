"""The tunnels that are compared: TLS in front of a plain service, with one worker or thread.

All get the same certificate, TLS 1.2 and 1.3 with AES-128-GCM (the suite that costs least here, and that
Ravelin chooses), session tickets where they have them, connections without a limit on their time, and no log.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from peers import MissingServer, Peer, last_word_with_digits, output_of
from process import LOAD_CORE, OPEN_FILES, settle

SUITE = "TLS_AES_128_GCM_SHA256"
CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256"


@dataclass
class Behind:
    """The plain service. Use as a context."""

    child: subprocess.Popen = None
    port: int = 0

    def __enter__(self):
        self.child = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("service.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: settle(LOAD_CORE),
        )
        self.port = int(self.child.stdout.readline())
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.stdout.close()
        try:
            self.child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Tunnel(Peer):
    """`behind` is the port of the plain service."""

    behind = 0

    def both(self):
        """Certificate and key in one file, as most want them."""
        path = self.out / "both.pem"
        path.touch(mode=0o600)
        path.write_text(self.content.certificate.read_text() + self.content.key.read_text())
        return path


class Ravelin(Tunnel):
    name = "ravelin"
    title = "`ravelin tunnel`"
    config_name = "tunnel.toml"

    def find(self):
        binary = self.out.parents[1] / "target/bench-run/ravelin"
        if not binary.exists():
            raise MissingServer(f"{binary} is not built")
        if "--config" not in output_of([binary, "tunnel", "--help"]):
            raise MissingServer(f"{binary} has no `tunnel --config`")
        return binary

    def version(self):
        return last_word_with_digits(output_of([self.binary, "--version"]))

    def config(self, port, hosts):
        return f"""\
workers = 1

[[tunnel]]
listen = "127.0.0.1:{port}"
to = "127.0.0.1:{self.behind}"
tls = "terminate"
certificate = {{ cert = "{self.content.certificate}", key = "{self.content.key}" }}
"""

    def command(self, config_path):
        return [self.binary, "tunnel", "--config", config_path]


class Stunnel(Tunnel):
    name = "stunnel4"
    title = "stunnel"
    config_name = "stunnel.conf"

    def version(self):
        return re.search(r"^stunnel (\d\S*)", output_of([self.binary, "-version"]), re.M).group(1)

    def config(self, port, hosts):
        # No finite-field Diffie-Hellman among the ciphers: its parameters would be made meanwhile.
        return f"""\
foreground = yes
pid =
debug = emerg
syslog = no

[tunnel]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{self.behind}
cert = {self.content.certificate}
key = {self.content.key}
ciphers = {CIPHERS}
ciphersuites = {SUITE}
sslVersionMin = TLSv1.2
TIMEOUTidle = 86400
"""

    def command(self, config_path):
        return [self.binary, config_path]


class Hitch(Tunnel):
    name = "hitch"
    title = "hitch"
    config_name = "hitch.conf"

    def version(self):
        return last_word_with_digits(output_of([self.binary, "--version"]))

    def config(self, port, hosts):
        # Its workers are nobody's that may do all.
        user = 'user = "nobody"\ngroup = "nogroup"\n' if os.geteuid() == 0 else ""
        return f"""\
{user}frontend = "[127.0.0.1]:{port}"
backend = "[127.0.0.1]:{self.behind}"
pem-file = "{self.both()}"
workers = 1
daemon = off
tls-protos = TLSv1.2 TLSv1.3
ciphers = "{CIPHERS}"
ciphersuites = "{SUITE}"
backlog = 4096
log-level = 1
"""

    def command(self, config_path):
        return [self.binary, f"--config={config_path}"]


class Haproxy(Tunnel):
    name = "haproxy"
    title = "HAProxy, TCP mode"
    config_name = "haproxy.cfg"

    def version(self):
        return output_of([self.binary, "-v"]).split()[2]

    def config(self, port, hosts):
        return f"""\
global
    nbthread 1
    maxconn {OPEN_FILES // 2 - 100}

defaults
    mode tcp
    timeout connect 10s
    timeout client 1d
    timeout server 1d

listen tunnel
    bind 127.0.0.1:{port} backlog 4096 ssl crt {self.both()} ssl-min-ver TLSv1.2 ciphers {CIPHERS} ciphersuites {SUITE}
    server service 127.0.0.1:{self.behind}
"""

    def command(self, config_path):
        return [self.binary, "-db", "-f", config_path]


TUNNELS = {tunnel.name: tunnel for tunnel in (Ravelin, Stunnel, Hitch, Haproxy)}
