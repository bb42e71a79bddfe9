#!/usr/bin/env python3
"""bugwatch beside a farm of trackers whose bugs keep changing: `./dev demo [--once]`."""
import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

import local

TRACKERS = [
    "bugzilla:gnome:500",
    "bugzilla:kernel:400",
    "bugzilla:office:350",
    "roundup:mercurial:250",
    "roundup:tryton:250",
    "roundup-python:python:250",
    "trac:twisted:200",
    "trac-plain:wiki:50",
    "debbugs:debian:100",
]
TEMPO_S = 6  # from change to change in each tracker
LATENCY_MS = 150
PRIVATE = 2  # bugs of each tracker that need a login
MISSING = 1  # watched bugs of each tracker that it does not have
CHECK_INTERVAL_S = 10
PATIENCE_S = 90


def is_checked(watch):
    """It was read, or is known not to be readable."""
    return watch["last_checked_at"] is not None or watch["error"] is not None


def table(head, rows):
    """HEAD and ROWS as lines; columns of numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    numbers = [all(isinstance(row[i], (int, float)) for row in rows) for i in range(len(head))]
    for row in cells:
        padded = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numbers)]
        yield "  ".join(padded).rstrip()


class Progress:
    """How far the first checks are: one line that changes on a terminal, else a line now and then."""

    def __init__(self, trackers, total):
        self.trackers, self.total = trackers, total
        self.live = sys.stdout.isatty()
        self.said_at, self.said = 0.0, None

    def show(self, checked, force=False):
        done = sum(checked.values())
        each = "  ".join(f"{t.name} {checked[t.name]}" for t in self.trackers)
        filled = 20 * done // self.total
        line = f"[{'#' * filled}{'.' * (20 - filled)}] {done} of {self.total} watches checked: {each}"
        now = time.monotonic()
        if line == self.said or (not self.live and not force and now < self.said_at + 1):
            return
        self.said_at, self.said = now, line
        if not self.live:
            print(line, flush=True)
            return
        print(f"\r\033[K{line[:os.get_terminal_size().columns - 1]}", end="", flush=True)

    def end(self):
        if self.live:
            print()


def wait_for_first_checks(service, trackers, totals, began):
    """
    Shows progress until every watch was checked once; returns the watches, and how many seconds
    after BEGAN each tracker's last one was.
    """
    total = sum(totals.values())
    progress = Progress(trackers, total)
    seconds = {}
    while True:
        watches = list(service.items("watches"))
        spent = time.monotonic() - began
        checked = Counter(watch["tracker"] for watch in watches if is_checked(watch))
        for name in totals:
            if checked[name] == totals[name]:
                seconds.setdefault(name, spent)
        done = sum(checked.values())
        progress.show(checked, force=done == total)
        if done == total:
            progress.end()
            return watches, seconds
        if service.process.poll() is not None:
            raise local.Failure(f"bugwatch ended:\n{service.words()}")
        if spent > PATIENCE_S:
            progress.end()
            raise local.Failure(
                f"{total - done} of {total} watches were not checked within {PATIENCE_S} s; "
                f"the log ends:\n{service.words()}"
            )
        time.sleep(0.1)


def tracker_rows(service, trackers, watches, seconds):
    for tracker in trackers:
        own = [watch for watch in watches if watch["tracker"] == tracker.name]
        runs = list(service.items("runs", tracker=tracker.name))
        yield [
            tracker.name,
            tracker.type,
            len(own),
            sum(is_checked(watch) for watch in own),
            sum(watch["error"] is not None for watch in own),
            sum(run["requests"] for run in runs),
            round(len(own) / seconds[tracker.name]),
        ]


def print_tables(service, trackers, watches, seconds):
    head = ["tracker", "type", "watches", "checked", "errors", "requests", "bugs/s"]
    print("\n".join(table(head, list(tracker_rows(service, trackers, watches, seconds)))))
    print()
    counts = Counter((watch["status"], watch["tracker"]) for watch in watches)
    statuses = sorted({watch["status"] for watch in watches})
    rows = [[status, *(counts[status, tracker.name] for tracker in trackers)] for status in statuses]
    print("\n".join(table(["status", *(tracker.name for tracker in trackers)], rows)))
    print()
    errors = Counter(watch["error"]["kind"] for watch in watches if watch["error"])
    print("errors:", ", ".join(f"{kind} {count}" for kind, count in sorted(errors.items())) or "none")


def explain(service):
    """Where things are, for whoever wants to look around."""
    program = os.path.relpath(service.program)
    print(f"""
The API is at  {service.url}/api/v1/  (token: {service.state}/admin-token)
In another terminal:

  export BUGWATCH_STATE_DIR={service.state}
  {program} tracker list
  {program} list --tracker gnome --status confirmed
  {program} list --errors
  {program} check python --wait

Changes as they are seen, until Ctrl-C:
""", flush=True)


def follow(service):
    """Shows events until interrupted."""
    command = [service.program, "events", "--follow"]
    environment = {**os.environ, "BUGWATCH_STATE_DIR": str(service.state)}
    with local.child(command, env=environment) as events:
        while events.poll() is None and service.process.poll() is None:
            time.sleep(0.2)
    if service.process.poll() is not None:
        raise local.Failure(f"bugwatch ended:\n{service.words()}")
    raise local.Failure("bugwatch events ended")


def add_all(service, trackers):
    """Watches every bug of every tracker, and some that are not there; how many that is of each."""
    urls = []
    for tracker in trackers:
        service.add_tracker(tracker)
        urls += [tracker.url(number) for number in range(1, tracker.bugs + MISSING + 1)]
    print(service.add_watches(urls).strip(), flush=True)
    return {tracker.name: tracker.bugs + MISSING for tracker in trackers}


def show(arguments):
    with (
        local.folder() as path,
        local.farm(
            arguments.farm, TRACKERS, tempo=TEMPO_S, latency=LATENCY_MS, private=PRIVATE
        ) as trackers,
        local.service(
            arguments.program, path, check_interval_s=CHECK_INTERVAL_S, contact="demo@localhost"
        ) as service,
    ):
        began = time.monotonic()
        totals = add_all(service, trackers)
        watches, seconds = wait_for_first_checks(service, trackers, totals, began)
        print()
        print_tables(service, trackers, watches, seconds)
        if not arguments.once:
            explain(service)
            follow(service)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the first check of every watch")
    parser.add_argument("--program", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--farm", type=Path, required=True, help=argparse.SUPPRESS)
    local.raise_on_term()
    try:
        show(parser.parse_args())
    except KeyboardInterrupt:
        print("\nended")
    except local.Failure as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
