"""The workloads: what is asked of each server, and what one operation is."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable

from clients import H2load, Load
from measure import SETTLE_SECONDS, over_a_whole, over_a_window

HANDSHAKES_AT_A_TIME = 16
LOAD_BEGINS_AND_ENDS = 1.2  # seconds that a load runs longer than its window


@dataclass(frozen=True)
class Setting:
    """How much of each: the ordinary run, or `--quick`."""

    out: Path
    load: Path
    seconds: float
    big_files: int
    idle_connections: int
    many_sites: int


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    operation: str
    measure: Callable  # (peer, setting) -> figures of one round


def full_handshake(peer, setting):
    with peer.start() as running:
        return handshakes(running, setting)


def resumed_handshake(peer, setting):
    with peer.start() as running:
        # h2o sends two tickets with a full handshake and none with a resumed one: these last for
        # 8,000 resumed handshakes a second.
        full = int(4000 * (setting.seconds + SETTLE_SECONDS))
        options = ["--full", full, *repeated(setting)]
        with Load(setting.load, setting.out, running.port, "resume", *options) as client:
            client.wait_for_line()  # the tickets are there
            return over_a_window(running, client, setting.seconds)


def kept_small(protocol, connections, streams, peer, setting):
    """Requests for 1 KiB on connections that are kept, by our own load: h2load takes more CPU time
    for these than a fast server does, which then waits for its load."""
    with peer.start() as running:
        options = ["--protocol", protocol, "--concurrency", connections, "--streams", streams]
        options += ["--seconds", setting.seconds + LOAD_BEGINS_AND_ENDS]
        with Load(setting.load, setting.out, running.port, "requests", *options) as client:
            return over_a_window(running, client, setting.seconds)


def kept(protocol, path, connections, streams, peer, setting):
    """Requests for one file on connections that are kept, by h2load."""
    with peer.start() as running:
        seconds = setting.seconds + LOAD_BEGINS_AND_ENDS
        with H2load(
            setting.out, running.port, path, protocol, connections, streams, seconds=seconds
        ) as client:
            return over_a_window(running, client, setting.seconds)


def big_file(protocol, peer, setting):
    """The 1 GiB file, one download after the other on one connection."""
    with peer.start() as running:
        with H2load(
            setting.out, running.port, "/1g", protocol, 1, requests=setting.big_files
        ) as client:
            return over_a_whole(running, client)


def idle_memory(peer, setting):
    """What memory grows by with connections that asked once, for each of them."""
    with peer.start() as running:
        with Load(
            setting.load, setting.out, running.port, "handshake", "--seconds", 0.3
        ) as warming:
            warming.finish()
        before, cpu_before = running.process.memory_bytes(), running.process.cpu_seconds()
        count = setting.idle_connections
        with Load(
            setting.load, setting.out, running.port, "idle", "--connections", count
        ) as client:
            client.wait_for_line()  # all are open, and each has had its answer
            after, cpu_after = running.process.memory_bytes(), running.process.cpu_seconds()
            client.finish()  # fails if one was closed meanwhile
    return {
        "operations": count,
        "idle_kib": (after - before) / count / 1024,
        "memory_mib": after / (1 << 20),
        "cpu_us": (cpu_after - cpu_before) / count * 1e6,
    }


def sites(count, peer, setting):
    """Start-up with many sites, and full handshakes for their names in random order."""
    count = count or setting.many_sites
    hosts = [(f"site{number}.test",) for number in range(count)]
    with peer.start(hosts, patience=120) as running:
        names = ["--name", "site{}.test", "--names", count]
        return {
            **handshakes(running, setting, *names),
            "start_ms": running.start_seconds * 1e3,
            "start_cpu_ms": running.start_cpu_seconds * 1e3,
        }


def handshakes(running, setting, *names):
    options = [*repeated(setting), *names]
    with Load(setting.load, setting.out, running.port, "handshake", *options) as client:
        return over_a_window(running, client, setting.seconds)


def repeated(setting):
    seconds = setting.seconds + LOAD_BEGINS_AND_ENDS
    return ["--seconds", seconds, "--concurrency", HANDSHAKES_AT_A_TIME]


HANDSHAKE = "connect, TLS 1.3 (X25519, ECDSA P-256), GET of 1 KiB, close; 16 at a time"
RESUMED = "the same with a session ticket (psk_dhe_ke)"
IDLE = "memory for each connection that is open and has nothing to do, after one GET"

WORKLOADS = [
    Workload("handshake", "Full handshake", HANDSHAKE, full_handshake),
    Workload("resume", "Resumed handshake", RESUMED, resumed_handshake),
    Workload(
        "h1-1k",
        "1 KiB, HTTP/1.1",
        "GET of 1 KiB; 32 kept connections, one request at a time on each",
        partial(kept_small, "http/1.1", 32, 1),
    ),
    Workload(
        "h2-1k",
        "1 KiB, HTTP/2",
        "GET of 1 KiB; 4 kept connections, 32 streams on each",
        partial(kept_small, "h2", 4, 32),
    ),
    Workload(
        "h1-100k",
        "100 KiB, HTTP/1.1",
        "GET of 100 KiB; 8 kept connections, one request at a time on each",
        partial(kept, "http/1.1", "/100k", 8, 1),
    ),
    Workload(
        "h2-100k",
        "100 KiB, HTTP/2",
        "GET of 100 KiB; 4 kept connections, 8 streams on each",
        partial(kept, "h2", "/100k", 4, 8),
    ),
    Workload(
        "h1-1g",
        "1 GiB, HTTP/1.1",
        "GET of 1 GiB; one after the other on one connection",
        partial(big_file, "http/1.1"),
    ),
    Workload(
        "h2-1g",
        "1 GiB, HTTP/2",
        "GET of 1 GiB; one after the other on one connection",
        partial(big_file, "h2"),
    ),
    Workload("idle", "Idle connections", IDLE, idle_memory),
    Workload(
        "sites-1",
        "One site: start-up and handshake",
        "full handshake as above, for the one name",
        partial(sites, 1),
    ),
    Workload(
        "sites-many",
        "10,000 sites: start-up and handshake",
        "full handshake as above, for a name picked at random",
        partial(sites, None),
    ),
]
