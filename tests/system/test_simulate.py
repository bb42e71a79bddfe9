"""`simulate`: the engine's own schedule over histories of bugs."""
import gzip
import json
import subprocess

import pytest

from harness import BUILD, ROOT

OWN = ROOT / "tests" / "data" / "histories.tsv"
SAMPLE = ROOT.parent / "shared" / "data" / "histories-sample.tsv.gz"
HEADER = OWN.read_text().split("\n", 1)[0] + "\n"


def simulate(path, *options):
    done = subprocess.run([BUILD / "simulate", path, *options], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def figures(path, *options):
    status, out, err = simulate(path, "--json", *options)
    assert status == 0, err
    return json.loads(out)


def one(path, *options):
    (row,) = figures(path, *options)
    return row


def within(row, requests, *delays):
    assert row["requests_per_day"] <= requests, row
    names = ("mean_h", "median_h", "p95_h")
    assert all(row["status"][name] <= most for name, most in zip(names, delays)), row


def test_all_modes_are_shown_as_a_table_and_as_json():
    rows = figures(OWN)
    assert {row["mode"] for row in rows} == {"single", "batch", "changes"}
    keys = {"tracker", "mode", "policy", "watches", "requests_per_day", "checks_per_watch_day", "status", "comments"}
    assert all(keys <= row.keys() and row["tracker"] == "made" for row in rows)
    status, out, err = simulate(OWN)
    assert status == 0 and all(word in out for word in ("single", "batch", "changes", "requests/day")), err


def test_the_square_root_beats_a_daily_round_and_the_ladder():
    daily, ladder, root = (one(OWN, "--mode", "single", "--policy", p) for p in ("daily", "ladder", "sqrt"))
    assert daily["checks_per_watch_day"] == pytest.approx(1, rel=0.02)
    assert 11 < daily["status"]["mean_h"] < 15
    assert root["requests_per_day"] < daily["requests_per_day"] / 4
    assert root["status"]["median_h"] < daily["status"]["median_h"] / 4
    assert root["status"]["median_h"] < ladder["status"]["median_h"] / 4
    assert root["status"]["mean_h"] < ladder["status"]["mean_h"] / 2


def test_a_question_what_changed_beats_all():
    row = one(OWN, "--mode", "changes", "--every", "1800")
    within(row, 50, 0.3, 0.3, 0.5)
    assert row["comments"]["p95_h"] <= 0.5


def test_batches_ask_as_many_bugs_as_they_may():
    row = one(OWN, "--mode", "batch", "--batch", "10", "--every", "3600")
    assert row["checks_per_watch_day"] * row["watches"] == pytest.approx(240, rel=0.02)
    assert one(OWN, "--mode", "batch", "--batch", "20", "--every", "3600")["status"]["mean_h"] < row["status"]["mean_h"]


def test_the_same_gzipped(tmp_path):
    packed = tmp_path / "histories.tsv.gz"
    packed.write_bytes(gzip.compress(OWN.read_bytes()))
    assert figures(packed, "--mode", "single") == figures(OWN, "--mode", "single")


def test_knobs_are_those_of_the_service():
    rare = one(OWN, "--mode", "single", "--unit_interval_s", "97200")
    assert rare["requests_per_day"] < one(OWN, "--mode", "single")["requests_per_day"] / 4


LINE = "t\tp\tB-1\t1000000000\t1000000000\topen\te\t-\t"


@pytest.mark.parametrize(
    "text, line",
    [
        ("tracker\tbug\n", 1),
        (HEADER + "t\tp\tB-1\n", 2),
        (HEADER + LINE + "z5\n", 2),
        (HEADER + LINE + "m\n", 2),
        (HEADER + LINE + "m-5\n", 2),
        (HEADER + LINE + "m50 m40\n", 2),
        (HEADER + LINE + "m50\n" + LINE + "m50\textra\n", 3),
        (HEADER + LINE.replace("1000000000\topen", "999999999\topen") + "m50\n", 2),
    ],
)
def test_a_broken_file_is_refused_by_its_line(tmp_path, text, line):
    path = tmp_path / "broken.tsv"
    path.write_text(text)
    status, out, err = simulate(path)
    assert status == 2 and out == "" and f"line {line}" in err


def test_wrong_usage():
    for options in (["--mode", "often"], ["--policy", "x"], ["--batch", "0"], ["--bogus"], ["--tracker", "none"]):
        status, out, err = simulate(OWN, *options)
        assert status == 2 and out == "" and err, options
    assert simulate("/nowhere/at/all")[0] == 2


@pytest.mark.skipif(not SAMPLE.exists(), reason="the histories are not there")
def test_the_figures_to_reach():
    apache = ("--tracker", "apache-jira")
    within(one(SAMPLE, *apache, "--mode", "changes", "--every", "1800", "--batch", "100"), 53, 0.3, 0.26, 0.5)
    within(one(SAMPLE, *apache, "--mode", "batch", "--batch", "500"), 12.5, 3.3, 1.25, 15.5)
    within(one(SAMPLE, *apache, "--mode", "batch", "--batch", "500", "--every", "7200"), 12.5, 3.3, 1.25, 15.5)
    within(one(SAMPLE, *apache, "--mode", "batch", "--batch", "100"), 23, 8.0, 1.2, 43)
    within(one(SAMPLE, *apache, "--mode", "single"), 2730, 6.6, 1.2, 35)
    daily = one(SAMPLE, *apache, "--mode", "single", "--policy", "daily")
    assert daily["status"]["mean_h"] == pytest.approx(13.8, rel=0.03)
    ladder = one(SAMPLE, *apache, "--mode", "single", "--policy", "ladder")
    assert ladder["requests_per_day"] == pytest.approx(825, rel=0.03)
    assert ladder["status"]["mean_h"] == pytest.approx(34.7, rel=0.03)
