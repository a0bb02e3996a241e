"""The load: h2load for requests on kept connections, our own `load` for everything about handshakes.

Both write one line an operation: start in microseconds since the epoch, status, microseconds taken.
"""

import json
import re
import select
import subprocess
from dataclasses import dataclass

from process import LOAD_CORE, settle


class LoadFailed(Exception):
    """Operations of a load failed, so that its figures mean nothing."""


@dataclass
class Operation:
    """One line of a log; times in seconds, the start since the epoch."""

    start: float
    seconds: float

    @property
    def end(self):
        return self.start + self.seconds


class Client:
    """A load on its core, running from when it is made. Use as a context: it is ended at the exit."""

    def __init__(self, command, log_path, seconds_at_most):
        self.command = [str(word) for word in command]
        self.log_path = log_path
        self.seconds_at_most = seconds_at_most
        log_path.unlink(missing_ok=True)
        self.child = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: settle(LOAD_CORE),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.communicate()

    def wait_for_line(self):
        """Wait for the load's next line of output. Raises LoadFailed."""
        ready, _, _ = select.select([self.child.stdout], [], [], self.seconds_at_most)
        line = self.child.stdout.readline() if ready else ""
        if not line:
            raise LoadFailed(f"no word from {' '.join(self.command)}\n{self.finish()}")
        return line

    def finish(self):
        """Wait for the end and return standard output. Raises LoadFailed."""
        try:
            output, errors = self.child.communicate(timeout=self.seconds_at_most)
        except subprocess.TimeoutExpired:
            raise LoadFailed(
                f"no end after {self.seconds_at_most:.0f} s: {' '.join(self.command)}"
            ) from None
        if self.child.returncode != 0:
            raise LoadFailed(f"{' '.join(self.command)}\n{output}{errors}")
        return output

    def check(self, output):
        """Raise LoadFailed if the output tells of operations that failed."""
        raise NotImplementedError

    def operations(self):
        return parse_log(self.log_path.read_text())


class H2load(Client):
    """Requests on kept connections. `streams` is requests in flight on each."""

    def __init__(
        self, out, port, path, protocol, connections, streams=1, seconds=None, requests=None
    ):
        self.protocol = protocol
        log = out / "operations.log"
        command = ["h2load", "-t", 1, "-c", connections, "-m", streams, "--log-file", log]
        command += ["--connect-to", f"127.0.0.1:{port}"]
        command += ["--h1"] if protocol == "http/1.1" else ["--npn-list", "h2"]
        command += ["-D", f"{seconds * 1000:.0f}ms"] if seconds else ["-n", requests]
        command += [f"https://localhost:{port}{path}"]
        super().__init__(command, log, 30 if requests is None else 60)

    def check(self, output):
        check_h2load(output, self.protocol)


class Load(Client):
    """Our own load: `handshake`, `resume` or `idle`."""

    def __init__(self, binary, out, port, kind, *options):
        log = out / "operations.log"
        command = [binary, kind, "--connect", f"127.0.0.1:{port}", "--log", log, *options]
        super().__init__(command, log, 60)

    def check(self, output):
        # The exit status has told already of operations that failed.
        if json.loads(output.splitlines()[-1])["operations"] == 0:
            raise LoadFailed("no operation was done")


def check_h2load(output, protocol):
    """Raise LoadFailed unless every request of h2load's summary was answered 2xx over `protocol`."""
    counts = re.search(
        r"^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output, re.M
    )
    codes = re.search(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output, re.M)
    spoken = re.search(r"^Application protocol: (\S+)", output, re.M)
    if not (counts and codes and spoken):
        raise LoadFailed(f"h2load's output has no summary:\n{output}")
    succeeded, *lost = map(int, counts.groups())
    if succeeded == 0 or any(lost) or any(map(int, codes.groups()[1:])):
        raise LoadFailed(f"requests failed: {counts.group(0)}; {codes.group(0)}")
    if spoken.group(1) != protocol:
        raise LoadFailed(f"the protocol was {spoken.group(1)}, not {protocol}")


def parse_log(text):
    """The operations of a log. Raises LoadFailed for one that did not end in a 2xx."""
    operations = []
    for line in text.splitlines():
        start, status, taken = line.split("\t")[:3]
        if not status.startswith("2"):
            raise LoadFailed(f"an operation ended with status {status}")
        operations.append(Operation(int(start) / 1e6, int(taken) / 1e6))
    return operations
