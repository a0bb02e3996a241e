"""The tables of bench/get, and what curl reads."""

from statistics import median

# So many of a thousand at a time: what curl does where nothing is said.
PARALLEL = 50

# (name of the way, what it is, the figure, how it is written)
ROWS = [
    ("whole 1.1", "{size} over HTTP/1.1, CPU", "cpu_s", "s"),
    ("whole 2", "{size} over HTTP/2, CPU", "cpu_s", "s"),
    ("whole 1.1", "the same over HTTP/1.1, by the clock", "wall_s", "s"),
    ("whole 2", "the same over HTTP/2, by the clock", "wall_s", "s"),
    ("sent 1.1", "{size} sent over HTTP/1.1, CPU", "cpu_s", "s"),
    ("sent 2", "{size} sent over HTTP/2, CPU", "cpu_s", "s"),
    ("many 1.1", "{count:,} files of 1 KiB over HTTP/1.1, {parallel} at a time, by the clock", "wall_s", "ms"),
    ("many 2", "the same over HTTP/2, by the clock", "wall_s", "ms"),
    ("many 1.1", "the same over HTTP/1.1, CPU", "cpu_s", "ms"),
    ("many 2", "the same over HTTP/2, CPU", "cpu_s", "ms"),
    ("start one", "start to first octet, one root", "first_s", "ms"),
    ("start all", "start to first octet, {roots} roots", "first_s", "ms"),
]


def markdown(results):
    host = results["machine"]
    size = results["octets"]
    words = {
        "size": "1 GiB" if size == 1 << 30 else f"{size >> 20} MiB",
        "count": results["count"],
        "parallel": results["parallel"],
        "roots": results["roots"],
    }
    rows = ["| | curl | Ravelin | Ravelin / curl |", "|---|---:|---:|---:|"]
    for name, title, figure, unit in ROWS:
        curl, ravelin = (middle(results, f"{who} {name}", figure) for who in ("curl", "ravelin"))
        cells = [title.format(**words), written(curl, unit), written(ravelin, unit)]
        rows.append("| " + " | ".join([*cells, f"{ravelin / curl:.2f}"]) + " |")
    return "\n".join(
        [
            f"curl {results['curl']}, nginx {results['nginx']}; {host['cpu']}, {host['cores']} cores, "
            f"{host['date']}, commit {host['commit']}; load average before the run: {host['load_average']}. "
            f"Medians of {len(results['rounds']['curl whole 2'])}, of start-up of "
            f"{len(results['rounds']['curl start one'])}.",
            "",
            *rows,
        ]
    )


def middle(results, name, figure):
    return median(one[figure] for one in results["rounds"][name])


def written(seconds, unit):
    return f"{seconds:.2f} s" if unit == "s" else f"{seconds * 1000:.1f} ms"


def curl_config(urls):
    """A config file of curl: each address with a file of its own to go to."""
    return "".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls)
