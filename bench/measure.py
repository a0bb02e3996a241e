"""One measurement: a load on a server for a while, with the server's CPU time read at both ends."""

import time

from clients import LoadFailed

BUSY = 0.80  # below this share of its core the server was not the busy part
SETTLE_SECONDS = 0.5  # connections are made and caches filled before the window opens


def over_a_window(running, client, seconds):
    """Figures of the time between two readings in the middle of a load.

    Only operations that ended between the readings count, and only CPU time between them: what
    the load does to begin (connections, in h2load's case) and to end is outside.
    """
    time.sleep(SETTLE_SECONDS)
    opened, cpu_opened = time.time(), running.process.cpu_seconds()
    time.sleep(seconds)
    closed, cpu_closed = time.time(), running.process.cpu_seconds()
    memory = running.process.memory_bytes()
    client.check(client.finish())
    operations = client.operations()
    if max(operation.end for operation in operations) < closed:
        raise LoadFailed(f"the load ended before the measurement: {' '.join(client.command)}")
    inside = [one.seconds for one in operations if opened <= one.end < closed]
    return figures(inside, closed - opened, cpu_closed - cpu_opened, memory)


def over_a_whole(running, client):
    """Figures of a load from its start to its end: for operations that take long themselves."""
    opened, cpu_opened = time.time(), running.process.cpu_seconds()
    output = client.finish()
    closed, cpu_closed = time.time(), running.process.cpu_seconds()
    memory = running.process.memory_bytes()
    client.check(output)
    inside = [one.seconds for one in client.operations()]
    return figures(inside, closed - opened, cpu_closed - cpu_opened, memory)


def figures(seconds_each, seconds, cpu_seconds, memory_bytes):
    if not seconds_each:
        raise LoadFailed("no operation ended within the measurement")
    ordered = sorted(seconds_each)
    return {
        "operations": len(ordered),
        "cpu_us": cpu_seconds / len(ordered) * 1e6,
        "per_second": len(ordered) / seconds,
        "p50_us": percentile(ordered, 0.50) * 1e6,
        "p99_us": percentile(ordered, 0.99) * 1e6,
        "memory_mib": memory_bytes / (1 << 20),
        "busy": cpu_seconds / seconds,
    }


def percentile(ordered, share):
    """The value that `share` of the ordered values do not exceed (nearest rank)."""
    return ordered[round(share * (len(ordered) - 1))]
