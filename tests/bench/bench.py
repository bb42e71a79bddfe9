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

import large  # noqa: E402
import local  # noqa: E402
import processor  # noqa: E402

# Trackers and watches in each.
SHAPES = {"one": (1, 13000), "many": (100, 130)}
BATCH = 500
CHANGED = 0.01  # of the bugs, before each check
FRESH_S = 6  # so long after a change its comments are read once more
AIMS = {"one": 25, "many": 12}
PEER_AIM = 1 / 12
LATENCY_MS = 100
LATENCY_AIM = 1.25
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

    def __init__(self, folder, largest=False):
        self.program, self.farm, self.bare = folder / "bugwatch", folder / "farm", folder / "bare"
        self.peer = ROOT / "tests" / "bench" / "peer.py"
        self.parse, self.loop = folder / "parse", folder / "loop.so"
        self.largest = largest
        for program in (self.program, self.farm, self.bare, self.parse, self.loop):
            if not program.exists():
                raise local.Failure(f"{program} is missing: ninja -C {folder} {program.stem}")


class Watcher:
    """A service, asked over one kept connection so that asking costs it little."""

    def __init__(self, service):
        self.service = service
        where = urlsplit(service.url)
        self.connection = local.http.client.HTTPConnection(where.hostname, where.port, timeout=60)

    def ask(self, method, path, body=None):
        url = f"{self.service.url}/api/v1/{path}"
        try:
            status, said = local.ask(url, method, body, self.service.token, self.connection)
        except (local.http.client.RemoteDisconnected, ConnectionResetError):
            # The service hangs up on who is silent for long.
            self.connection.close()
            status, said = local.ask(url, method, body, self.service.token, self.connection)
        if status not in (200, 202):
            raise local.Failure(f"{method} {path}: {status} {said}")
        return said

    def begin(self, name):
        return self.ask("POST", f"trackers/{name}/check")["run"]["id"]

    def is_busy(self):
        """In the order in which a run goes on, so that none slips through between."""
        return any(self.ask("GET", f"runs?state={state}&limit=1")["items"] for state in ("queued", "running"))

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

    def watch(self, tracker, **settings):
        """
        Watches all of TRACKER's bugs and waits until all were read, and nothing is left to read in
        a second pass; seconds until the former.
        """
        began = time.monotonic()
        self.service.add_tracker(tracker)
        if settings:
            self.ask("PATCH", f"trackers/{tracker.name}", settings)
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


def change_some(tracker, flip):
    """Changes a part of TRACKER's bugs, the same ones each time; how many."""
    count = max(1, round(tracker.bugs * CHANGED))
    for i in range(count):
        tracker.control(bug=1 + i * tracker.bugs // count, severity=("minor", "major")[flip % 2])
    return count


def forced(watcher, trackers, wall):
    """
    Processor seconds of a forced check of all TRACKERS that takes about WALL seconds: looking whether
    it has ended costs as well, so we wait long enough first. And the runs.
    """
    settle(watcher.service)
    before = processor.spent(watcher.service.process.pid)
    runs = [watcher.begin(tracker.name) for tracker in trackers]
    time.sleep(wall)
    while watcher.is_busy():
        time.sleep(0.02)
    used = processor.spent(watcher.service.process.pid) - before
    return used, [watcher.end(run, 0.02) for run in runs]


def urls_asked(trackers):
    """What TRACKERS were really asked since they were told to forget."""
    return [
        tracker.base_url.rstrip("/") + uri
        for tracker in trackers
        for uri in tracker.control()["uris"]
        if uri.startswith("/rest/")
    ]


def bare(program, urls, *options):
    """Processor seconds that libcurl alone needs for URLS: the median of some rounds."""
    return processor_s([program, str(BARE_ROUNDS), *options], urls)


def processor_s(command, lines):
    done = subprocess.run(
        [str(word) for word in command], input="\n".join(lines) + "\n", capture_output=True, text=True
    )
    if done.returncode != 0:
        raise local.Failure(f"{command[0]}: {done.stderr}{done.stdout}")
    return statistics.median(json.loads(done.stdout)["processor_us"]) / 1e6


def one_sample(builds, watcher, trackers, flip, wall):
    """What a check of which a part has changed costs, and the others on the same bytes."""
    changed = sum(change_some(tracker, flip) for tracker in trackers)
    time.sleep(FRESH_S)
    for tracker in trackers:
        tracker.control(reset=True)
    ours, runs = forced(watcher, trackers, wall)
    found = sum(run["changed"] for run in runs), sum(run["checked"] for run in runs)
    if found != (changed, sum(tracker.bugs for tracker in trackers)):
        raise local.Failure(f"{found} bugs were changed and checked, not {changed} of all")
    urls = urls_asked(trackers)
    return {
        "requests": len(urls),
        "ours": ours,
        "plain": bare(builds.bare, urls),
        "target": bare(builds.bare, urls, "--target"),
        "peer": processor_s([builds.peer, 1, BATCH, trackers[0].bugs], [tracker.base_url for tracker in trackers]),
    }


def measure_shape(builds, count, watches):
    with (
        local.folder() as path,
        local.farm(builds.farm, [f"bugzilla:bench{i}:{watches}" for i in range(count)]) as trackers,
        local.service(builds.program, path) as service,
    ):
        watcher = Watcher(service)
        for tracker in trackers:
            watcher.watch(tracker, batch_size=BATCH)
        wall = wall_of(watcher, trackers)
        samples = [one_sample(builds, watcher, trackers, flip, wall) for flip in range(SAMPLES + 1)][1:]
    medians = {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}
    return {
        "trackers": count,
        "watches": count * watches,
        "requests": medians["requests"],
        "wall_ms": wall * 1000,
        **{f"{name}_ms": medians[name] * 1000 for name in ("ours", "plain", "target", "peer")},
        "ours_ms_samples": [round(sample["ours"] * 1000, 1) for sample in samples],
        "ratio": statistics.median(sample["ours"] / sample["plain"] for sample in samples),
        "ratio_target": statistics.median(sample["ours"] / sample["target"] for sample in samples),
        "ratio_peer": statistics.median(sample["ours"] / sample["peer"] for sample in samples),
    }


def measure_ratio(builds):
    """A forced check with few changes over libcurl alone and python-bugzilla, in turns."""
    return {name: measure_shape(builds, *shape) for name, shape in SHAPES.items()}


def measure_latency(builds):
    """A forced check of a far tracker over what its latency alone would take."""
    count, watches = SHAPES["one"]
    walls = []
    with (
        local.folder() as path,
        local.farm(builds.farm, [f"bugzilla:far:{watches}"]) as (tracker,),
        local.service(builds.program, path) as service,
    ):
        watcher = Watcher(service)
        watcher.watch(tracker, batch_size=BATCH)
        connections = service.get(f"trackers/{tracker.name}")["max_connections"]
        tracker.control(latency_ms=LATENCY_MS)
        wall_of(watcher, [tracker])
        tracker.control(reset=True)
        for _ in range(SAMPLES):
            settle(service)
            walls.append(wall_of(watcher, [tracker]))
        requests = tracker.control()["requests"] / SAMPLES
    floor = -(-requests // connections) * LATENCY_MS
    return {
        "watches": watches,
        "connections": connections,
        "requests": requests,
        "latency_ms": LATENCY_MS,
        "floor_ms": floor,
        "wall_ms": statistics.median(walls) * 1000,
        "ratio": statistics.median(walls) * 1000 / floor,
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


MEASURES = {"ratio": measure_ratio, "latency": measure_latency, "many": measure_many, "scale": measure_scale,
            **large.MEASURES}


def machine():
    model = "a processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    curl = subprocess.run(["curl-config", "--version"], capture_output=True, text=True).stdout.strip()
    return f"{os.cpu_count()} processors ({model}), Linux {platform.release()}, {curl or 'libcurl'}"


def ratio_lines(it):
    yield "## A forced check over libcurl alone, and over python-bugzilla\n"
    yield (
        f"13,000 bugs of Bugzillas on loopback, one in a hundred of them changed, asked {BATCH} at once. Processor "
        "time (user and system) of the service and all its PostgreSQL processes, from the request for the update on, "
        "against a program that only gets the same URLs with libcurl's multi interface over kept connections and "
        "throws the bytes away (`tests/bench/bare.c`), and against python-bugzilla, which asks for the same fields and "
        f"stores nothing (`tests/bench/peer.py`). Medians of {SAMPLES} samples in turns.\n"
    )
    yield "| | " + " | ".join(f"{one['trackers']} × {one['watches'] // one['trackers']:,}" for one in it.values()) + " |"
    yield "|---|" + "---:|" * len(it)
    for words, cell in (
        ("requests", lambda one: f"{one['requests']:.0f}"),
        ("check: processor ms", lambda one: f"{one['ours_ms']:.1f}"),
        ("us a bug", lambda one: f"{one['ours_ms'] * 1000 / one['watches']:.2f}"),
        ("libcurl, us a bug", lambda one: f"{one['plain_ms'] * 1000 / one['watches']:.2f}"),
        ("libcurl with CURLOPT_REQUEST_TARGET", lambda one: f"{one['target_ms'] * 1000 / one['watches']:.2f}"),
        ("python-bugzilla, us a bug", lambda one: f"{one['peer_ms'] * 1000 / one['watches']:.2f}"),
        ("check over libcurl", lambda one: f"{one['ratio']:.1f}"),
        ("check over libcurl with CURLOPT_REQUEST_TARGET", lambda one: f"{one['ratio_target']:.1f}"),
        ("check over python-bugzilla", lambda one: f"1/{1 / one['ratio_peer']:.1f}"),
        ("wall ms, unchanged", lambda one: f"{one['wall_ms']:.0f}"),
    ):
        yield f"| {words} | " + " | ".join(cell(one) for one in it.values()) + " |"
    aims = ", ".join(f"{aim} for {name}" for name, aim in AIMS.items())
    yield f"\nAims: over libcurl with CURLOPT_REQUEST_TARGET at most {aims}; over python-bugzilla 1/{1 / PEER_AIM:.0f}.\n"


def latency_lines(it):
    yield "## A far tracker\n"
    yield (
        f"{it['watches']:,} unchanged bugs, {it['latency_ms']} ms before each answer: {it['requests']:.0f} requests "
        f"over {it['connections']} connections take {it['floor_ms']:.0f} ms at least. The forced check took "
        f"{it['wall_ms']:.0f} ms, {it['ratio']:.2f} times that (aim: {LATENCY_AIM}).\n"
    )


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
    yield ""


LINES = {"ratio": ratio_lines, "latency": latency_lines, "many": many_lines, "scale": scale_lines,
         **large.LINES}


def page(results):
    head = [
        "# Benchmarks\n",
        f"Made by `./dev bench --write` on {results['machine']}. Ratios travel between machines, times do not.\n",
    ]
    body = [line for name, lines in LINES.items() if name in results for line in lines(results[name])]
    return "\n".join(head + body).rstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--only", choices=MEASURES, action="append", help="measure no more than this")
    parser.add_argument("--ten-million", action="store_true", help="\"sizes\" goes on to 10,000,000 watches (10 GB)")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where the programs are (build)")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("--write writes all measures, --only leaves some out")
    local.raise_on_term()
    results = {"machine": machine()}
    try:
        builds = Builds(arguments.build.resolve(), arguments.ten_million)
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
