"""What `bench/certificates` reads of the programs it runs, and the Markdown of its figures."""

import re
from statistics import median

LISTINGS = {
    "first": ["--expiring", "30d"],
    "all": ["--expiring", "30d", "--limit", "0"],
    "json": ["--expiring", "30d", "--limit", "0", "--json"],
    "part": ["host-99a"],
}

def said_yes(text):
    """How many certificates `ravelin cert verify` or `openssl verify` said yes to."""
    return sum(
        1 for line in text.splitlines() if line.startswith("yes ") or line.endswith(": OK")
    )


def inventory_figures(text):
    """The figures of crates/certs/benches/inventory.rs. Raises ValueError."""

    def seconds(what):
        found = re.findall(rf"^{re.escape(what)}: ([0-9.]+) ms ", text, re.MULTILINE)
        if not found:
            raise ValueError(f"the inventory's figures have no \"{what}\"")
        return median(map(float, found)) / 1e3

    def appended(what, figure="median"):
        between = r".*?, " if figure == "median" else " and "
        pattern = rf"^{what}: (?:.*; )?{figure} (\d+)(?: µs)?{between}(\d+) µs"
        found = re.findall(pattern, text, re.MULTILINE)
        if len(found) != 1:
            raise ValueError(f"the inventory's figures have no {figure} of \"{what}\"")
        return [float(figure) for figure in found[0]]

    cold = ", nothing of it in memory"
    return {
        "open": {"memory": seconds("open"), "disk": seconds(f"open{cold}")},
        "list": {"memory": seconds("list what expires in 30 days"), "disk": seconds(f"list{cold}")},
        "part": {
            "memory": seconds("first 100 with a part of a name"),
            "disk": seconds(f"part of a name{cold}"),
        },
        "anew_s": seconds("make the inventory anew"),
        **{
            f"{what}_us": {
                size: {
                    "memory": appended(f"{what} {size}"),
                    "disk": appended(f"{what} {size}{cold}"),
                    "mean": appended(f"{what} {size}", "mean"),
                }
                for size in ["1", "100"]
            }
            for what in ["append", "issue"]
        },
        "issue_100_longest_us": appended("issue 100", "longest"),
    }


def markdown(results):
    """The whole text between the markers of docs/performance.md."""
    return "\n\n".join(part for part in parts(results) if part) + "\n"


def parts(results):
    about = results["machine"]
    yield (
        f"Commit {about['commit']}: {about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB,"
        f" Linux {about['kernel']}; {about['rustc'].split(' (')[0]}, {about['openssl'].split(' (')[0]};"
        f" load average before the run: {about['load_average']}."
    )
    if "issue" in results:
        yield issue_table(results["issue"])
    if "verify" in results:
        yield verify_table(results["verify"])
    if "inventory" in results:
        yield inventory_table(results["inventory"])


def issue_table(rounds):
    def one(key):
        return median(figures[key] for figures in rounds)

    def spread(key):
        values = [figures[key] for figures in rounds]
        return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"

    count = rounds[0]["certificates"]
    return "\n".join(
        [
            f"**Issuing** {count:,} P-256 certificates, median of {len(rounds)}:",
            "",
            "|  | CPU each | beside bare aws-lc |",
            "|---|---:|---:|",
            f"| aws-lc, bare: a key and a signature | {one('bare_us'):.1f} µs |  |",
            f"| a key and a certificate | {one('issue_us'):.1f} µs | {spread('issue_ratio')} |",
            f"| the same, with its values, its chain and its key in PKCS#8 | {one('leaf_us'):.1f} µs"
            f" | {spread('leaf_ratio')} |",
            f"| aws-lc, bare: a signature | {one('bare_signature_us'):.1f} µs |  |",
            f"| a certificate for a key that is there | {one('certify_us'):.1f} µs"
            f" | {spread('certify_ratio')} |",
        ]
    )


def verify_table(verify):
    titles = {
        "ravelin": "`ravelin cert verify`, one call",
        "openssl_loop": "`openssl verify`, a loop",
        "openssl_at_once": "`openssl verify`, one call",
    }
    medians = {
        name: {key: median(one[key] for one in rounds) for key in rounds[0]}
        for name, rounds in verify["rounds"].items()
    }
    own = medians["ravelin"]
    lines = [
        f"**Judging** {verify['chains']:,} chains of three certificates, median of"
        f" {len(verify['rounds']['ravelin'])}:",
        "",
        "|  | CPU each | time each | Ravelin judges more by |",
        "|---|---:|---:|---:|",
    ]
    for name, title in titles.items():
        one = medians[name]
        rate = "" if name == "ravelin" else f"{one['cpu_us'] / own['cpu_us']:.1f} times"
        lines.append(f"| {title} | {one['cpu_us']:,.0f} µs | {one['wall_us']:,.0f} µs | {rate} |")
    return "\n".join(lines)


def inventory_table(inventory):
    def line(what, figures, show):
        return f"| {what} | {show(figures['memory'])} | {show(figures['disk'])} |"

    def milliseconds(seconds):
        return f"{seconds * 1e3:,.1f} ms" if seconds < 0.02 else f"{seconds * 1e3:,.0f} ms"

    def ratio(figures):
        empty, full = figures
        return f"{full / empty:.2f} ({full / 1e3:.2f} against {empty / 1e3:.2f} ms)"

    def issued(what, kind, size):
        figures = inventory[kind][size]
        return [line(what, figures, ratio), f"| the same, the mean | {ratio(figures['mean'])} |  |"]

    listings = []
    for name, figures in inventory["commands"].items():
        words = " ".join(LISTINGS[name])
        rows = f"{figures['memory']['lines']:,} lines, {figures['memory']['kib'] / 1024:.0f} MiB"
        seconds = {where: one["seconds"] for where, one in figures.items()}
        listings.append(line(f"`ravelin ca list {words}`: {rows}", seconds, milliseconds))
    new = inventory["new_s"]
    return "\n".join(
        [
            f"**An inventory** of {inventory['certificates']:,} certificates, issued over a year for 90, 180"
            " or 365 days, by the clock:",
            "",
            "|  | in memory | nothing of it in memory |",
            "|---|---:|---:|",
            line("open", inventory["open"], milliseconds),
            line("list what expires in 30 days", inventory["list"], milliseconds),
            line("the first 100 with a part of a name", inventory["part"], milliseconds),
            *issued("issue 1, beside an empty one", "issue_us", "1"),
            *issued("issue 100, beside an empty one", "issue_us", "100"),
            f"| the longest of them: the index catches up | {ratio(inventory['issue_100_longest_us'])} |  |",
            *issued("of it, writing 1 down", "append_us", "1"),
            *issued("of it, writing 100 down", "append_us", "100"),
            f"| make it anew from the journal | {inventory['anew_s']:.1f} s |  |",
            *listings,
            f"| `ravelin cert new`, beside an empty one | {new['full'] / new['empty']:.2f}"
            f" ({new['full'] * 1e3:.0f} against {new['empty'] * 1e3:.0f} ms) |  |",
        ]
    )
