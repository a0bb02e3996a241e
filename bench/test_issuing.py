"""The parts of bench/certificates that read what others write."""

import unittest

from issuing import inventory_figures, markdown, said_yes

INVENTORY = """\
open, nothing of it in memory: 812.500 ms
  first list of what expires in 30 days: 250.000 ms
open: 9.250 ms
list what expires in 30 days: 80.000 ms
  82192 of 1000000
list what expires in 30 days: 60.000 ms
list what expires in 30 days: 70.000 ms
append 1: median 410 µs into an empty one, 402 µs into this (ratio 0.98); mean 430 and 420 µs (ratio 0.97)
append 100: median 4100 µs into an empty one, 4305 µs into this (ratio 1.05); mean 4200 and 4400 µs (ratio 1.05)
"""

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
    def test_its_lines_become_seconds_and_ratios(self):
        figures = inventory_figures(INVENTORY)
        self.assertEqual(figures["open_cold_s"], 0.8125)
        self.assertEqual(figures["open_s"], 0.00925)
        self.assertEqual(figures["list_s"], 0.07)
        self.assertEqual(figures["append_ratio"], {"1": 0.98, "100": 1.05})

    def test_a_line_that_is_missing_is_an_error(self):
        for line in INVENTORY.splitlines(keepends=True):
            if line.startswith(("open", "  first")):
                with self.subTest(line), self.assertRaises(ValueError):
                    inventory_figures(INVENTORY.replace(line, ""))
        with self.assertRaises(ValueError):
            inventory_figures(INVENTORY.replace("append", "other"))


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
                "inventory": {**inventory_figures(INVENTORY), "certificates": 1_000_000},
            }
        )
        self.assertIn("12.0 µs | 1.25 (1.20 to 1.40) |", text)
        self.assertIn("| `openssl verify`, a loop | 90 µs | 90 µs | 9.0 times |", text)
        self.assertIn("| list what expires in 30 days | 70 ms | 250 ms |", text)

    def test_what_was_not_measured_is_left_out(self):
        self.assertNotIn("**", markdown({"machine": MACHINE}))


if __name__ == "__main__":
    unittest.main()
