"""What bench/get makes of its figures: python3 -m unittest discover -s bench"""

import sys
import unittest

sys.dont_write_bytecode = True

import requesting


def figures(*seconds):
    return [{"first_s": one / 10, "wall_s": one, "cpu_s": one / 2, "resident_mib": 1} for one in seconds]


def results(curl, ravelin):
    names = {name for name, *_ in requesting.ROWS}
    rounds = {f"curl {name}": figures(*curl) for name in names}
    rounds |= {f"ravelin {name}": figures(*ravelin) for name in names}
    machine = {"cpu": "CPU", "cores": 2, "date": "now", "commit": "abc", "load_average": "0.10"}
    return {
        "machine": machine,
        "curl": "8",
        "nginx": "1",
        "octets": 1 << 30,
        "count": 1000,
        "parallel": 50,
        "roots": 145,
        "rounds": rounds,
    }


class Markdown(unittest.TestCase):
    def test_medians_are_held_against_those_of_curl(self):
        text = requesting.markdown(results([2, 9, 4], [1, 1, 2]))
        self.assertIn("| 1 GiB over HTTP/2, CPU | 2.00 s | 0.50 s | 0.25 |", text)
        self.assertIn("| start to first octet, 145 roots | 400.0 ms | 100.0 ms | 0.25 |", text)
        self.assertIn("| 1,000 files of 1 KiB over HTTP/1.1, 50 at a time, by the clock | 4000.0 ms |", text)
        self.assertIn("Medians of 3", text)

    def test_each_measurement_is_in_the_table(self):
        one = results([1], [1])
        del one["rounds"]["ravelin many 2"]
        with self.assertRaises(KeyError):
            requesting.markdown(one)


class CurlConfig(unittest.TestCase):
    def test_each_address_has_its_output(self):
        text = requesting.curl_config(["https://a/1", "https://a/2"])
        self.assertEqual(text.count("output = "), 2)
        self.assertTrue(text.startswith('url = "https://a/1"\noutput = "/dev/null"\nurl'))


if __name__ == "__main__":
    unittest.main()
