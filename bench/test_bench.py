"""The parts of bench/run that read what others write: python3 -m unittest discover -s bench"""

import os
import subprocess
import sys
import time
import unittest

from clients import LoadFailed, check_h2load, parse_log
from measure import figures, percentile
from process import descendants, parse_stat, process_clock, proportional_set
from table import MARK, idle_mark, markdown, replace_between
from workloads import WORKLOADS

H2LOAD = """\
starting benchmark...
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Application protocol: h2

finished in 1.50s, 70720.67 req/s, 85.25MB/s
requests: 106081 total, 106113 started, 106081 done, 106081 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 106081 2xx, 0 3xx, 0 4xx, 0 5xx
"""


class H2loadOutput(unittest.TestCase):
    def test_a_good_run_passes(self):
        check_h2load(H2LOAD, "h2")

    def test_each_kind_of_failure_is_seen(self):
        for good, bad in [
            ("0 failed", "3 failed"),
            ("0 errored", "1 errored"),
            ("0 timeout", "1 timeout"),
            ("0 4xx", "106081 4xx"),
            ("106081 succeeded", "0 succeeded"),
            ("protocol: h2", "protocol: http/1.1"),
            ("status codes:", "no codes:"),
        ]:
            with self.subTest(bad), self.assertRaises(LoadFailed):
                check_h2load(H2LOAD.replace(good, bad), "h2")


class Log(unittest.TestCase):
    def test_lines_become_seconds(self):
        first, second = parse_log("1795317616578358\t200\t24081\n1795317616579105\t206\t500\n")
        self.assertAlmostEqual(first.seconds, 0.024081)
        self.assertAlmostEqual(first.end - first.start, 0.024081, places=6)
        self.assertAlmostEqual(second.start, 1795317616.579105, places=6)

    def test_a_failed_stream_is_not_passed_over(self):
        for status in ("-1", "404"):
            with self.subTest(status), self.assertRaises(LoadFailed):
                parse_log(f"1795317616578358\t{status}\t24081\n")


class Accounting(unittest.TestCase):
    def test_a_name_with_spaces_and_parentheses_does_not_shift_the_fields(self):
        numbers = " ".join(str(number) for number in range(4, 53))
        stat = parse_stat(f"123 (a (b) c) S {numbers}")
        self.assertEqual((stat["state"], stat["ppid"]), ("S", 4))
        # proc(5) counts from 1: utime is field 14, cstime field 17.
        self.assertEqual([stat[key] for key in ("utime", "stime", "cutime", "cstime")], [14, 15, 16, 17])

    def test_the_clock_counts_threads_that_have_ended(self):
        program = (
            "import sys, threading, time\n"
            "def burn():\n"
            "    while time.thread_time() < 0.1: pass\n"
            "thread = threading.Thread(target=burn)\n"
            "thread.start(); thread.join()\n"
            "print('done', flush=True); sys.stdin.read()\n"
        )
        with running(program) as child:
            child.stdout.readline()
            self.assertGreaterEqual(process_clock(child.pid), 0.1)

    def test_children_are_found(self):
        program = (
            "import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=sys.stdin)\n"
            "print(child.pid, flush=True); child.wait()\n"
        )
        with running(program) as child:
            grandchild = int(child.stdout.readline())
            self.assertEqual(set(descendants(child.pid)), {child.pid, grandchild})

    def test_an_idle_process_uses_no_time(self):
        with running("import sys; print('ready', flush=True); sys.stdin.read()") as child:
            child.stdout.readline()
            before = process_clock(child.pid)
            time.sleep(0.05)
            self.assertLess(process_clock(child.pid) - before, 0.02)

    def test_shared_pages_are_counted_once(self):
        text = "00400000-7ff rollup\nRss:  9000 kB\nPss:  4321 kB\nPss_Anon: 1 kB\n"
        self.assertEqual(proportional_set(text), 4321 * 1024)


class Figures(unittest.TestCase):
    def test_cost_is_cpu_time_for_each_operation(self):
        result = figures([0.001] * 99 + [0.1], 2.0, 1.0, 3 << 20)
        self.assertAlmostEqual(result["cpu_us"], 10_000)
        self.assertAlmostEqual(result["per_second"], 50)
        self.assertAlmostEqual(result["p50_us"], 1000)
        self.assertAlmostEqual(result["memory_mib"], 3)
        self.assertAlmostEqual(result["busy"], 0.5)

    def test_percentiles_are_values_that_occurred(self):
        self.assertEqual(percentile([1], 0.99), 1)
        self.assertEqual(percentile(list(range(101)), 0.99), 99)


class Table(unittest.TestCase):
    def test_ratios_are_of_medians_and_idle_rounds_are_marked(self):
        def rounds(*costs, busy=1.0):
            return [{**figures([0.001], 1, cost / 1e6, 1 << 20), "busy": busy} for cost in costs]

        text = markdown(
            {
                "machine": {
                    key: ""
                    for key in "date cpu cores memory_gib kernel load_average rustc commit".split()
                    + ["h2load", "openssl"]
                }
                | {"versions": {}},
                "servers": ["ravelin", "nginx"],
                "titles": {"ravelin": "Ravelin", "nginx": "nginx"},
                "done_rounds": 3,
                "seconds": 2,
                "quick": False,
                "rounds": {
                    "handshake": {
                        "ravelin": rounds(50, 40, 900, busy=0.5),
                        "nginx": rounds(100, 99, 101),
                    }
                },
            },
            WORKLOADS,
        )
        self.assertIn("| Full handshake | 0.50 |", text)
        self.assertIn(f"| Ravelin | 50.0 µs {MARK}3 |", text)
        self.assertIn("| nginx | 100 µs | 0.50 |", text)

    def test_a_busy_server_has_no_mark(self):
        self.assertEqual(idle_mark([{"busy": 0.81}, {}]), "")

    def test_only_what_is_between_the_markers_is_replaced(self):
        page = "before\n<begin>\nold\n<end>\nafter\n"
        self.assertEqual(
            replace_between(page, "<begin>", "<end>", "new\n"),
            "before\n<begin>\n\nnew\n\n<end>\nafter\n",
        )
        with self.assertRaises(ValueError):
            replace_between("no markers", "<begin>", "<end>", "new")


class running:
    """A Python program in a process of its own, ended at the exit."""

    def __init__(self, program):
        self.child = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def __enter__(self):
        return self.child

    def __exit__(self, *_):
        try:
            self.child.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.communicate()


if __name__ == "__main__":
    unittest.main()
