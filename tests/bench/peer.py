#!/usr/bin/python3
"""
What python-bugzilla needs for the same bugs: `peer.py ROUNDS BATCH BUGS` reads the base URLs of trackers
and prints the processor time of each round as JSON. It stores nothing.
"""
import json
import resource
import sys

import bugzilla

FIELDS = ["id", "summary", "product", "status", "resolution", "severity", "priority", "last_change_time"]


def processor_us():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return round((used.ru_utime + used.ru_stime) * 1e6)


def read(tracker, batch, bugs):
    found = 0
    for first in range(1, bugs + 1, batch):
        ids = list(range(first, min(first + batch, bugs + 1)))
        found += sum(bug is not None and bool(bug.status) for bug in tracker.getbugs(ids, include_fields=FIELDS))
    return found


def main():
    rounds, batch, bugs = map(int, sys.argv[1:])
    urls = sys.stdin.read().split()
    trackers = [bugzilla.Bugzilla(url + "rest", use_creds=False, force_rest=True) for url in urls]
    figures = []
    for _ in range(rounds):
        before = processor_us()
        found = sum(read(tracker, batch, bugs) for tracker in trackers)
        figures.append(processor_us() - before)
        if found != bugs * len(trackers):
            sys.exit(f"{found} bugs were read, not {bugs * len(trackers)}")
    print(json.dumps({"processor_us": figures}))


if __name__ == "__main__":
    main()
