"""The parts of bench/certificates that read what others write."""

import unittest

from issuing import inventory_figures, markdown, said_yes

INVENTORY = """\
open, nothing of it in memory: 12.500 ms (1.000 ms of CPU)
list, nothing of it in memory: 250.000 ms (70.000 ms of CPU)
part of a name, nothing of it in memory: 120.000 ms (50.000 ms of CPU)
open: 9.250 ms (9.000 ms of CPU)
list what expires in 30 days: 80.000 ms (80.000 ms of CPU)
  82192 of 1000000
list what expires in 30 days: 60.000 ms (60.000 ms of CPU)
list what expires in 30 days: 70.000 ms (70.000 ms of CPU)
first 100 with a part of a name: 45.000 ms (45.000 ms of CPU)
append 1: median 400 µs into an empty one, 402 µs into this (ratio 1.00); mean 430 and 420 µs (ratio 0.97); longest 9000 and 8000 µs
append 100: median 4000 µs into an empty one, 4200 µs into this (ratio 1.05); mean 4300 and 4400 µs (ratio 1.02); longest 250000 and 400000 µs
append 1, nothing of it in memory: median 400 µs into an empty one, 600 µs into this (ratio 1.50); mean 430 and 420 µs (ratio 0.97)
append 100, nothing of it in memory: median 4000 µs into an empty one, 8000 µs into this (ratio 2.00); mean 1 and 2 µs (ratio 2.00)
issue 1: median 400 µs into an empty one, 402 µs into this (ratio 1.00); mean 430 and 420 µs (ratio 0.97); longest 9000 and 8000 µs
issue 100: median 4000 µs into an empty one, 4200 µs into this (ratio 1.05); mean 4300 and 4400 µs (ratio 1.02); longest 250000 and 400000 µs
issue 1, nothing of it in memory: median 400 µs into an empty one, 600 µs into this (ratio 1.50); mean 430 and 420 µs (ratio 0.97)
issue 100, nothing of it in memory: median 4000 µs into an empty one, 8000 µs into this (ratio 2.00); mean 1 and 2 µs (ratio 2.00)
make the inventory anew: 20500.000 ms (15000.000 ms of CPU)
"""

COMMANDS = {
    "commands": {
        "first": {
            "memory": {"seconds": 0.0125, "kib": 20480, "lines": 1001},
            "disk": {"seconds": 0.05, "kib": 20480, "lines": 1001},
        }
    },
    "new_s": {"empty": 0.030, "full": 0.033},
}

MACHINE = {
    "commit": "abc",
    "cpu": "a CPU",
    "cores": 2,
    "memory_gib": 24,
    "kernel": "6.1",
    "rustc": "rustc 1.95.0 (abc)",
    "openssl": "OpenSSL 3.0.19",
    "load_average": "0.10",
}


class Answers(unittest.TestCase):
    def test_only_yes_is_counted(self):
        self.assertEqual(said_yes("yes          a.pem: good, until 2027\nno           b.pem: not\n"), 1)
        self.assertEqual(said_yes("a.pem: OK\nerror b.pem: verification failed\n"), 1)


class Inventory(unittest.TestCase):
    def test_its_lines_become_seconds_and_microseconds(self):
        figures = inventory_figures(INVENTORY)
        self.assertEqual(figures["open"], {"memory": 0.00925, "disk": 0.0125})
        self.assertEqual(figures["list"], {"memory": 0.07, "disk": 0.25})
        self.assertEqual(figures["part"], {"memory": 0.045, "disk": 0.12})
        one = {"memory": [400, 402], "disk": [400, 600], "mean": [430, 420]}
        many = {"memory": [4000, 4200], "disk": [4000, 8000], "mean": [4300, 4400]}
        for what in ["append_us", "issue_us"]:
            self.assertEqual(figures[what], {"1": one, "100": many})
        self.assertEqual(figures["issue_100_longest_us"], [250_000, 400_000])
        self.assertEqual(figures["anew_s"], 20.5)

    def test_a_line_that_is_missing_is_an_error(self):
        for what in sorted({line.split(":")[0] for line in INVENTORY.splitlines() if line[0] != " "}):
            rest = [line for line in INVENTORY.splitlines(keepends=True) if not line.startswith(f"{what}:")]
            with self.subTest(what), self.assertRaises(ValueError):
                inventory_figures("".join(rest))


class Tables(unittest.TestCase):
    def test_ratios_are_of_medians_and_tell_their_spread(self):
        one = {
            "certificates": 10_000,
            "bare_us": 10.0,
            "issue_us": 11.0,
            "issue_ratio": 1.1,
            "leaf_us": 12.0,
            "leaf_ratio": 1.2,
            "bare_signature_us": 5.0,
            "certify_us": 6.0,
            "certify_ratio": 1.2,
        }
        verify = {"ravelin": 10, "openssl_loop": 90, "openssl_at_once": 20}
        text = markdown(
            {
                "machine": MACHINE,
                "issue": [one, {**one, "leaf_ratio": 1.4}, {**one, "leaf_ratio": 1.25}],
                "verify": {
                    "chains": 1000,
                    "rounds": {
                        name: [{"cpu_us": cpu, "wall_us": cpu}] for name, cpu in verify.items()
                    },
                },
                "inventory": {**inventory_figures(INVENTORY), **COMMANDS, "certificates": 1_000_000},
            }
        )
        self.assertIn("12.0 µs | 1.25 (1.20 to 1.40) |", text)
        self.assertIn("| `openssl verify`, a loop | 90 µs | 90 µs | 9.0 times |", text)
        self.assertIn("| list what expires in 30 days | 70 ms | 250 ms |", text)
        self.assertIn("an empty one | 1.05 (4.20 against 4.00 ms) | 2.00 (8.00 against 4.00 ms) |", text)
        self.assertIn("| the same, the mean | 1.02 (4.40 against 4.30 ms) |  |", text)
        self.assertIn("1.60 (400.00 against 250.00 ms) |  |", text)
        self.assertIn("30d`: 1,001 lines, 20 MiB | 12.5 ms | 50 ms |", text)
        self.assertIn("`ravelin cert new`, beside an empty one | 1.10 (33 against 30 ms) |", text)

    def test_what_was_not_measured_is_left_out(self):
        self.assertNotIn("**", markdown({"machine": MACHINE}))


if __name__ == "__main__":
    unittest.main()
