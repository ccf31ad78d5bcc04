import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.drill
def test_the_bench_measures_and_prints_its_table():
    words = [sys.executable, "-m", "tests.bench", "--quick", "--only", "accept"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].startswith("calibration: RSA-2048 sign ")
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert table[0] == ["what", "count", "rate/s", "CPU µs each", "p50 ms", "p99 ms", "target", "reached"]
    assert [row[0].partition(" (")[0] for row in table[1:]] == [
        "inbox, accepted by serve",
        "inbox, accepted by the door alone",
    ]
    assert all(row[1] == "1,000" and row[3] for row in table[1:])


@pytest.mark.drill
def test_the_bench_prints_a_table_of_networks():
    words = [sys.executable, "-m", "tests.bench", "--quick", "--only", "members"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if "| " in line]
    assert table[0][:3] == ["members", "years", "acts"] and table[0][-1] == "bound by"
    assert table[1][:2] == ["12", "1"] and len(table) == 2
