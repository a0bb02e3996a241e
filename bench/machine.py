"""The machine and the programs of a run, as the table's heading says them."""

import datetime
import os
import platform
from pathlib import Path

from peers import output_of


def describe(root, peers):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_model(Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)),
        "kernel": platform.release(),
        "load_average": f"{os.getloadavg()[0]:.2f}",
        "rustc": output_of(["rustc", "--version"]),
        "commit": commit(root),
        "h2load": output_of(["h2load", "--version"]).split("/")[-1],
        "openssl": output_of(["openssl", "version"]),
        "versions": {peer.title: peer.version() for peer in peers},
    }


def cpu_model(cpuinfo):
    for line in cpuinfo.splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def commit(root):
    name = output_of(["git", "-C", root, "rev-parse", "--short=12", "HEAD"])
    changed = output_of(["git", "-C", root, "status", "--porcelain", "--untracked-files=no"])
    return f"{name} with changes" if changed else name
