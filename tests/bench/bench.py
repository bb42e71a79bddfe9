#!/usr/bin/env python3
"""What a check costs: `./dev bench [--write] [--json] [--only NAME]`."""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "farm"))

import local  # noqa: E402
import processor  # noqa: E402

WATCHES = 13000
CLIENTS = 8  # that ask for forced updates at once
SCALES = [1300, 13000, 130000]
SAMPLES = 5
CHECKS_A_SAMPLE = 5  # one check is too short to be measured well
BARE_ROUNDS = 10
MANY = 50
MANY_WATCHES = 100
MANY_LATENCY_MS = 200
PATIENCE_S = 900
DAY_S = 86400  # nothing falls due by itself while we measure


class Builds:
    """The programs that are measured and measure."""

    def __init__(self, folder):
        self.program, self.farm, self.bare = folder / "bugwatch", folder / "farm", folder / "bare"
        for program in (self.program, self.farm, self.bare):
            if not program.exists():
                raise local.Failure(f"{program} is missing: ninja -C {folder} {program.name}")


class Watcher:
    """A service, asked over one kept connection so that asking costs it little."""

    def __init__(self, service):
        self.service = service
        where = urlsplit(service.url)
        self.connection = local.http.client.HTTPConnection(where.hostname, where.port, timeout=60)

    def ask(self, method, path):
        status, said = local.ask(
            f"{self.service.url}/api/v1/{path}", method, token=self.service.token, connection=self.connection
        )
        if status not in (200, 202):
            raise local.Failure(f"{method} {path}: {status} {said}")
        return said

    def begin(self, name):
        return self.ask("POST", f"trackers/{name}/check")["run"]["id"]

    def is_busy(self):
        return any(self.ask("GET", f"runs?state={state}&limit=1")["items"] for state in ("running", "queued"))

    def end(self, run, every_s, first_s=0.0):
        """Waits for the run, looking every EVERY_S after FIRST_S; it has to go well."""
        end = time.monotonic() + PATIENCE_S
        time.sleep(first_s)
        while True:
            now = self.ask("GET", f"runs/{run}")
            if now["state"] not in ("queued", "running"):
                break
            if time.monotonic() > end:
                raise local.Failure(f"run {run} did not end in {PATIENCE_S} s: {now}")
            time.sleep(every_s)
        if now["state"] != "done" or now["errors"]:
            raise local.Failure(f"run {run} went wrong: {now}")
        return now

    def watch(self, tracker):
        """
        Watches all of TRACKER's bugs and waits until all were read, and nothing is left to read in
        a second pass; seconds until the former.
        """
        began = time.monotonic()
        self.service.add_tracker(tracker)
        self.service.add_watches([tracker.url(number) for number in range(1, tracker.bugs + 1)])
        while self.unread(tracker) > 0:
            if time.monotonic() > began + PATIENCE_S:
                raise local.Failure(f"{tracker.name}: not all bugs were read:\n{self.service.words()}")
            time.sleep(0.1)
        first = time.monotonic() - began
        while not self.is_quiet(self.end(self.begin(tracker.name), 0.1), tracker):
            pass
        return first

    def is_quiet(self, run, tracker):
        return run["checked"] == tracker.bugs and not run["changed"] and not run["comments"]

    def unread(self, tracker):
        """How many bugs no run has read; runs under way count as not."""
        runs = list(self.service.items("runs", tracker=tracker.name))
        if any(run["state"] == "failed" for run in runs):
            raise local.Failure(f"a first reading failed:\n{self.service.words()}")
        return tracker.bugs - sum(run["checked"] for run in runs if run["state"] == "done")


def settle(service):
    """Waits until the service and its database do nothing of their own, such as vacuuming."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        before = processor.spent(service.process.pid)
        time.sleep(0.5)
        if processor.spent(service.process.pid) - before < 0.005:
            return


def wall_of(watcher, trackers):
    """Seconds from the first forced update of TRACKERS until the last of their runs has ended."""
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        runs = list(clients.map(lambda tracker: Watcher(watcher.service).begin(tracker.name), trackers))
    while watcher.is_busy():
        time.sleep(0.005)
    wall = time.monotonic() - began
    for run in runs:
        watcher.end(run, 0.005)
    return wall


def cost(watcher, tracker, checks):
    """
    Processor seconds and wall seconds of one forced check of TRACKER; the former over CHECKS in a
    row. Looking whether a run has ended costs the service as well: there we wait long enough first.
    """
    service = watcher.service
    wall = wall_of(watcher, [tracker])
    settle(service)
    before = processor.spent(service.process.pid)
    for _ in range(checks):
        run = watcher.end(watcher.begin(tracker.name), 0.02, wall)
        if not watcher.is_quiet(run, tracker):
            raise local.Failure(f"not all {tracker.bugs} bugs were there unchanged: {run}")
    return (processor.spent(service.process.pid) - before) / checks, wall


def urls_of_check(watcher, tracker):
    """What a check really asks for."""
    tracker.control(reset=True)
    watcher.end(watcher.begin(tracker.name), 0.02)
    origin = tracker.base_url.rstrip("/")
    uris = [uri for uri in tracker.control()["uris"] if "?id=" in uri]
    if sum(uri.split("id=")[1].split("&")[0].count(",") + 1 for uri in uris) != tracker.bugs:
        raise local.Failure("the farm does not remember every question of a check")
    return [origin + uri for uri in uris]


def bare(program, urls, *options):
    """Processor seconds that libcurl alone needs for URLS: the median of some rounds."""
    done = subprocess.run(
        [program, str(BARE_ROUNDS), *options], input="\n".join(urls) + "\n", capture_output=True, text=True
    )
    if done.returncode != 0:
        raise local.Failure(f"bare: {done.stderr}{done.stdout}")
    return statistics.median(json.loads(done.stdout)["processor_us"]) / 1e6


def measure_ratio(builds):
    """A forced check of 13,000 unchanged bugs over libcurl alone, in turns."""
    plain, target, ours, walls = [], [], [], []
    with (
        local.folder() as path,
        local.farm(builds.farm, [f"bugzilla:big:{WATCHES}"]) as (tracker,),
        local.service(builds.program, path, check_interval_s=DAY_S) as service,
    ):
        watcher = Watcher(service)
        watcher.watch(tracker)
        urls = urls_of_check(watcher, tracker)
        for _ in range(SAMPLES):
            plain.append(bare(builds.bare, urls))
            target.append(bare(builds.bare, urls, "--target"))
            used, wall = cost(watcher, tracker, CHECKS_A_SAMPLE)
            ours.append(used)
            walls.append(wall)
    ours_s, plain_s, target_s = map(statistics.median, (ours, plain, target))
    return {
        "watches": WATCHES,
        "requests": len(urls),
        "check_ms": ours_s * 1000,
        "check_ms_samples": [round(one * 1000, 1) for one in ours],
        "check_us_a_bug": ours_s / WATCHES * 1e6,
        "wall_ms": statistics.median(walls) * 1000,
        "bare_ms": plain_s * 1000,
        "bare_target_ms": target_s * 1000,
        "ratio": ours_s / plain_s,
        "ratio_target": ours_s / target_s,
    }


def measure_many(builds):
    """Fifty slow trackers at once over one alone."""
    kinds = [f"bugzilla:slow{i}:{MANY_WATCHES}" for i in range(MANY)]
    alone, together = [], []
    with (
        local.folder() as path,
        local.farm(builds.farm, kinds, latency=MANY_LATENCY_MS) as trackers,
        local.service(builds.program, path, check_interval_s=DAY_S) as service,
    ):
        watcher = Watcher(service)
        for tracker in trackers:
            watcher.watch(tracker)
        for _ in range(SAMPLES):
            settle(service)
            alone.append(wall_of(watcher, trackers[:1]))
            settle(service)
            together.append(wall_of(watcher, trackers))
    return {
        "trackers": MANY,
        "watches_each": MANY_WATCHES,
        "latency_ms": MANY_LATENCY_MS,
        "alone_ms": statistics.median(alone) * 1000,
        "together_ms": statistics.median(together) * 1000,
        "ratio": statistics.median(together) / statistics.median(alone),
    }


def measure_scale(builds):
    """The same check of ten and a hundred times as many bugs."""
    rows = []
    for watches in SCALES:
        with (
            local.folder() as path,
            local.farm(builds.farm, [f"bugzilla:scale:{watches}"]) as (tracker,),
            local.service(builds.program, path, check_interval_s=DAY_S) as service,
        ):
            watcher = Watcher(service)
            first = watcher.watch(tracker)
            checks = max(2, 26000 // watches)
            measured = [cost(watcher, tracker, checks) for _ in range(3)]
            used, wall = (statistics.median(column) for column in zip(*measured))
            rows.append({
                "watches": watches,
                "first_s": first,
                "wall_ms": wall * 1000,
                "us_a_bug": used / watches * 1e6,
                "bugs_a_second": watches / wall,
                "memory_mib": processor.memory_peak(service.process.pid),
            })
    return rows


MEASURES = {"ratio": measure_ratio, "many": measure_many, "scale": measure_scale}


def machine():
    model = "a processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    curl = subprocess.run(["curl-config", "--version"], capture_output=True, text=True).stdout.strip()
    return f"{os.cpu_count()} processors ({model}), Linux {platform.release()}, {curl or 'libcurl'}"


def ratio_lines(it):
    yield "## A forced check over libcurl alone\n"
    yield (
        f"{it['watches']:,} unchanged bugs of one Bugzilla on loopback, asked in {it['requests']} requests over "
        "two connections. Processor time (user and system) of the service and all its PostgreSQL processes, "
        "against a program that only gets the same URLs with libcurl's multi interface and throws the bytes "
        f"away (`tests/bench/bare.c`). Medians of {SAMPLES} samples in turns, each of {CHECKS_A_SAMPLE} "
        f"checks or {BARE_ROUNDS} rounds.\n"
    )
    yield "| | processor ms | us a bug | check over it |"
    yield "|---|---:|---:|---:|"
    yield f"| forced check | {it['check_ms']:.1f} | {it['check_us_a_bug']:.1f} | |"
    for name, key in (("libcurl alone", ""), ("the same with CURLOPT_REQUEST_TARGET", "_target")):
        used = it[f"bare{key}_ms"]
        yield f"| {name} | {used:.2f} | {used * 1000 / it['watches']:.2f} | {it[f'ratio{key}']:.1f} |"
    yield f"\nOne check takes {it['wall_ms']:.0f} ms of wall time.\n"


def many_lines(it):
    yield "## Many slow trackers at once\n"
    yield (
        f"{it['trackers']} trackers that each wait {it['latency_ms']} ms before an answer, {it['watches_each']} "
        f"watches each, from the first forced update (asked for by {CLIENTS} clients at once) until the last run has "
        "ended.\n"
    )
    yield "| | wall ms |"
    yield "|---|---:|"
    yield f"| one alone | {it['alone_ms']:.0f} |"
    yield f"| all {it['trackers']} at once | {it['together_ms']:.0f} |"
    yield f"| ratio | {it['ratio']:.2f} |\n"


def scale_lines(rows):
    yield "## Ten and a hundred times as many\n"
    yield (
        "One tracker without latency. First: from the first `bugwatch add` until all bugs were read. Then "
        "forced checks of unchanged bugs; memory is the most that the service itself ever had.\n"
    )
    yield "| watches | first, s | check, ms | us of processor a bug | bugs/s | memory, MiB |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['watches']:,} | {row['first_s']:.1f} | {row['wall_ms']:.0f} | {row['us_a_bug']:.1f} "
            f"| {row['bugs_a_second']:,.0f} | {row['memory_mib']:.0f} |"
        )


LINES = {"ratio": ratio_lines, "many": many_lines, "scale": scale_lines}


def page(results):
    head = [
        "# Benchmarks\n",
        f"Made by `./dev bench --write` on {results['machine']}. Ratios travel between machines, times do not.\n",
    ]
    body = [line for name, lines in LINES.items() if name in results for line in lines(results[name])]
    return "\n".join(head + body) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--only", choices=MEASURES, action="append", help="measure no more than this")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where the programs are (build)")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("--write writes all measures, --only leaves some out")
    local.raise_on_term()
    results = {"machine": machine()}
    try:
        builds = Builds(arguments.build)
        for name in arguments.only or MEASURES:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            results[name] = MEASURES[name](builds)
    except local.Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    print(json.dumps(results, indent=2) if arguments.json else page(results), end="\n" if arguments.json else "")
    if arguments.write:
        (ROOT / "docs" / "benchmarks.md").write_text(page(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
