"""Prints the samples that Prometheus' own client reads at an address: NAME TUNNEL VALUE."""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

with urllib.request.urlopen(sys.argv[1], timeout=20) as answer:
    text = answer.read().decode()
for family in text_string_to_metric_families(text):
    assert family.type in ("counter", "gauge") and family.documentation, family
    for sample in family.samples:
        print(sample.name, sample.labels["tunnel"], int(sample.value))
