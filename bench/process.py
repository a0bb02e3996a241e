"""A server as a process: started on its core, timed, weighed and ended.

CPU time is read from the kernel's process clock (clock_gettime on the id that
clock_getcpuclockid(3) gives for a pid): nanoseconds, all threads, those that have ended included.
/proc/PID/stat has the same sum in steps of 10 ms, and the schedstat files of /proc/PID/task lose
the threads that have ended.
"""

import os
import resource
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

SERVER_CORE = 0
LOAD_CORE = 1
OPEN_FILES = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A server that does not start, does not answer or has died."""


class Process:
    """A started server with all its descendants. Use as a context: it is ended on the way out."""

    def __init__(self, name, command, log_path, environment=None):
        self.name = name
        self.log_path = Path(log_path)
        with open(self.log_path, "wb") as log:
            self.started = time.monotonic()
            self.child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                preexec_fn=lambda: settle(SERVER_CORE),
                start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def wait_until_it_answers(self, port, host, seconds):
        """Ask until a 200 comes. Returns seconds from the start of the process to that answer."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        deadline = self.started + seconds
        problem = "no answer"
        while time.monotonic() < deadline:
            self.check()
            try:
                status = ask(context, port, host, deadline - time.monotonic())
            except OSError as error:
                problem = str(error)
                time.sleep(0.002)
                continue
            if status != 200:
                raise ServerError(f"{self.name} answered {status}\n{self.log_tail()}")
            return time.monotonic() - self.started
        raise ServerError(
            f"{self.name} did not answer within {seconds:.0f} s: {problem}\n{self.log_tail()}"
        )

    def check(self):
        """Raise if the server has ended."""
        if self.child.poll() is not None:
            raise ServerError(
                f"{self.name} ended with status {self.child.returncode}\n{self.log_tail()}"
            )

    def cpu_seconds(self):
        """CPU time used so far by the server, its threads and its children, reaped ones included."""
        self.check()
        return sum(
            process_clock(pid) + reaped_children_seconds(stat)
            for pid, stat in descendants(self.child.pid).items()
        )

    def memory_bytes(self):
        """Resident memory of all the server's processes, shared pages counted once (PSS)."""
        self.check()
        total = 0
        for pid in descendants(self.child.pid):
            total += proportional_set(Path(f"/proc/{pid}/smaps_rollup").read_text())
        return total

    def end(self):
        """Ask the server's process group to end, then make it."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.child.pid, sign)
            except ProcessLookupError:
                break
            try:
                self.child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
            if not group_is_alive(self.child.pid):
                break
        self.child.wait(timeout=5)

    def log_tail(self):
        lines = self.log_path.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(f"    {line}" for line in lines)


def settle(core):
    """Run by a child before its program: keep to one core, and allow many open files."""
    os.sched_setaffinity(0, {core})
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def free_port():
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(context, port, host, seconds):
    """The status of GET /1k over a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=max(seconds, 0.1)) as plain:
        with context.wrap_socket(plain, server_hostname=host) as tls:
            request = f"GET /1k HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
            tls.sendall(request.encode())
            answer = b""
            while b"\r\n" not in answer:
                piece = tls.recv(4096)
                if not piece:
                    raise ConnectionError("the connection was closed without an answer")
                answer += piece
    return int(answer.split()[1])


def descendants(root):
    """The pids of `root` and everything below it, each with its parsed /proc/PID/stat."""
    stats = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stats[int(entry)] = parse_stat(Path(f"/proc/{entry}/stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended between the listing and the reading
    family = {root}
    grown = True
    while grown:
        children = {pid for pid, stat in stats.items() if stat["ppid"] in family} - family
        family |= children
        grown = bool(children)
    return {pid: stats[pid] for pid in family if pid in stats}


def parse_stat(text):
    """The fields of /proc/PID/stat that matter here; times in clock ticks (see proc(5))."""
    # The command's name is in parentheses and may hold spaces and parentheses itself.
    fields = text[text.rindex(")") + 2 :].split()
    return {
        "state": fields[0],
        "ppid": int(fields[1]),
        "utime": int(fields[11]),
        "stime": int(fields[12]),
        "cutime": int(fields[13]),
        "cstime": int(fields[14]),
    }


def reaped_children_seconds(stat):
    return (stat["cutime"] + stat["cstime"]) / TICKS_A_SECOND


def process_clock(pid):
    """CPU seconds of a process, all its threads included."""
    scheduler_clock = 2  # CPUCLOCK_SCHED of the kernel's posix-timers
    return time.clock_gettime((~pid << 3) | scheduler_clock)


def proportional_set(smaps_rollup):
    """The bytes of the `Pss:` line of /proc/PID/smaps_rollup."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("smaps_rollup has no Pss line")


def group_is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
