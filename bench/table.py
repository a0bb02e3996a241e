"""From the rounds to the figures (medians) and from those to Markdown."""

from statistics import median

from measure import BUSY

MARK = "°"

# (key of the figures, heading, how it is written); a workload shows those that it has.
COLUMNS = [
    ("cpu_us", "CPU an operation", lambda value: microseconds(value)),
    ("idle_kib", "memory a connection", lambda value: f"{value:.1f} KiB"),
    ("per_second", "operations/s", lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.2f}"),
    ("p50_us", "p50", lambda value: microseconds(value)),
    ("p99_us", "p99", lambda value: microseconds(value)),
    ("memory_mib", "resident", lambda value: f"{value:.1f} MiB"),
    ("start_ms", "start-up", lambda value: f"{value:,.0f} ms"),
    ("start_cpu_ms", "start-up CPU", lambda value: f"{value:,.0f} ms"),
]


def markdown(results, workloads):
    """The whole text between the markers of docs/performance.md."""
    shown = [one for one in workloads if one.name in results["rounds"]]
    parts = [heading(results), summary(results, shown)]
    parts += [workload_table(results, one) for one in shown]
    return "\n\n".join(part for part in parts if part) + "\n"


def heading(results):
    machine = results["machine"]
    versions = ", ".join(f"{title} {version}" for title, version in machine["versions"].items())
    count = results["done_rounds"]
    quick = "A quick run: 1,000 idle connections, and 1,000 sites for 10,000.\n\n"
    return (quick if results["quick"] else "") + (
        f"{machine['date']}, commit {machine['commit']}: {machine['cpu']}, {machine['cores']} cores,"
        f" {machine['memory_gib']} GiB, Linux {machine['kernel']}. {versions};"
        f" {machine['rustc'].split(' (')[0]}, h2load {machine['h2load']}, {machine['openssl'].split(' (')[0]}."
        f" Median of {count} {'round' if count == 1 else 'rounds'} of {results['seconds']:g} s each;"
        f" load average before the run: {machine['load_average']}.\n\n"
        f"{MARK}2: in two of the rounds the server used less than {BUSY:.0%} of its core. It waited for"
        " the load, so operations/s and latencies are the load's; the CPU time is the server's own."
    )


def summary(results, workloads):
    """Ravelin's cost as a share of each peer's, a line for each workload."""
    peers = [name for name in results["servers"] if name != "ravelin"]
    if "ravelin" not in results["servers"] or not peers:
        return ""
    titles = results["titles"]
    lines = [
        "| Ravelin's cost against | " + " | ".join(titles[peer] for peer in peers) + " |",
        "|---" * (len(peers) + 1) + "|",
    ]
    for workload in workloads:
        medians = medians_of(results["rounds"][workload.name])
        cells = [ratio(medians, peer, main_key(medians)) for peer in peers]
        lines.append(f"| {workload.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def workload_table(results, workload):
    rounds = results["rounds"][workload.name]
    medians = medians_of(rounds)
    columns = [
        column for column in COLUMNS if any(column[0] in figures for figures in medians.values())
    ]
    ratios = "ravelin" in medians and len(medians) > 1
    head = ["", *(title for _, title, _ in columns)]
    if ratios:
        head.insert(2, "Ravelin / this")
    lines = [
        f"### {workload.title}",
        "",
        f"One operation: {workload.operation}.",
        "",
        "| " + " | ".join(head) + " |",
        "|---|" + "---:|" * (len(head) - 1),
    ]
    for server in results["servers"]:
        if server not in medians:
            continue
        cells = [
            written(medians[server][key]) if key in medians[server] else ""
            for key, _, written in columns
        ]
        if columns[0][0] == "cpu_us":
            cells[0] += idle_mark(rounds[server])
        if ratios:
            own = server == "ravelin"
            cells.insert(1, "" if own else ratio(medians, server, main_key(medians)))
        lines.append(f"| {results['titles'][server]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def medians_of(rounds):
    """{server: {key: median over its rounds}}"""
    return {
        server: {key: median(one[key] for one in several) for key in several[0]}
        for server, several in rounds.items()
        if several
    }


def main_key(medians):
    """What a workload is about: memory where it is measured for itself, else CPU."""
    return "idle_kib" if any("idle_kib" in one for one in medians.values()) else "cpu_us"


def ratio(medians, peer, key):
    if "ravelin" not in medians or peer not in medians or not medians[peer][key]:
        return ""
    return f"{medians['ravelin'][key] / medians[peer][key]:.2f}"


def idle_mark(several):
    """How often the server was not the busy part, if ever."""
    count = sum(1 for one in several if one.get("busy", 1) < BUSY)
    return f" {MARK}{count}" if count else ""


def microseconds(value):
    if value >= 1e5:
        return f"{value / 1e3:,.0f} ms"
    if value >= 100:
        return f"{value:,.0f} µs"
    return f"{value:.1f} µs"


def replace_between(text, begin, end, new):
    """`text` with what is between the lines `begin` and `end` replaced. Raises ValueError."""
    before, found_begin, rest = text.partition(begin + "\n")
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"the markers {begin} and {end} are not there")
    return f"{before}{begin}\n\n{new}\n{end}{after}"
