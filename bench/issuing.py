"""What `bench/certificates` reads of the programs it runs, and the Markdown of its figures."""

import re
from statistics import median



def said_yes(text):
    """How many certificates `ravelin cert verify` or `openssl verify` said yes to."""
    return sum(
        1 for line in text.splitlines() if line.startswith("yes ") or line.endswith(": OK")
    )


def inventory_figures(text):
    """The figures of crates/certs/benches/inventory.rs. Raises ValueError."""

    def seconds(what):
        found = re.findall(rf"^ *{re.escape(what)}: ([0-9.]+) ms$", text, re.MULTILINE)
        if not found:
            raise ValueError(f"the inventory's figures have no \"{what}\"")
        return median(map(float, found)) / 1e3

    appended = re.findall(r"^append (\d+): .*?\(ratio ([0-9.]+)\)", text, re.MULTILINE)
    if not appended:
        raise ValueError("the inventory's figures have no \"append\"")
    return {
        "open_cold_s": seconds("open, nothing of it in memory"),
        "open_s": seconds("open"),
        "list_cold_s": seconds("first list of what expires in 30 days"),
        "list_s": seconds("list what expires in 30 days"),
        "append_ratio": {size: float(ratio) for size, ratio in appended},
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
    appended = ", ".join(
        f"{ratio:.2f} ({size} at a time)" for size, ratio in inventory["append_ratio"].items()
    )
    return "\n".join(
        [
            f"**An inventory** of {inventory['certificates']:,} certificates:",
            "",
            "|  | in memory | nothing of it in memory |",
            "|---|---:|---:|",
            f"| open | {inventory['open_s'] * 1e3:,.0f} ms | {inventory['open_cold_s'] * 1e3:,.0f} ms |",
            f"| list what expires in 30 days | {inventory['list_s'] * 1e3:,.0f} ms"
            f" | {inventory['list_cold_s'] * 1e3:,.0f} ms |",
            f"| issuing into it, beside an empty one | {appended} |  |",
        ]
    )
