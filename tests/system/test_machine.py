"""What the machine does to us: clocks that jump, and differ from the database's."""
import os
import time
from datetime import datetime

import pytest

from harness import BUILD, Farm, Folder, Service, wait_for

DAY_S = 86400


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.fixture
def shift(made, monkeypatch):
    """shift(SECONDS): the wall clock of the services that the test starts is ahead by so much."""
    folder = Folder("clock")
    name = folder.path / "shift"
    monkeypatch.setenv("LD_PRELOAD", str(BUILD / "shift_clock.so"))
    monkeypatch.setenv("SHIFT_CLOCK", str(name))
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")

    def shift(seconds):
        new = name.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(name)

    shift(0)
    yield shift
    folder.remove()


def test_clock_jumps(cluster, made, shift, monkeypatch):
    """What is due when is by the database's clock: ours may say what it likes."""
    database = cluster.database("jumps")
    farm = made(Farm(bugzilla=1, bugs=20))
    tracker = farm.all[0]
    service = made(Service(database=database, check_interval_s=2).start())
    api = service.api
    monkeypatch.delenv("LD_PRELOAD")
    watches = api.watch_many(tracker.url(i) for i in range(1, 21))
    api.settled()
    for turn, seconds in enumerate((DAY_S, -2 * DAY_S, 0, 40 * 365 * DAY_S, -30 * DAY_S)):
        shift(seconds)
        remote, ours = tracker.two_statuses[turn % 2]
        tracker.change(1, status=remote)
        tracker.comment(2, f"said in turn {turn}")
        wait_for(lambda: api.ok("GET", f"watches/{watches[0]['id']}")["status"] == ours, f"a change, {seconds} s off")
        wait_for(lambda: api.items(f"watches/{watches[1]['id']}/comments")[-1]["text"].endswith(f"turn {turn}"),
                 f"a comment, {seconds} s off")
        for watch in api.items("watches"):
            assert abs(moment(watch["last_checked_at"]) - time.time()) < 6 * 3600
            assert abs(moment(watch["next_check_at"]) - time.time()) < 6 * 3600
    told = [e["new"] for e in api.items(f"watches/{watches[1]['id']}/events") if e["kind"] == "comment"]
    assert len(told) == len(set(told)) == 5


@pytest.mark.parametrize("seconds", [DAY_S, -DAY_S])
def test_pause_by_another_clock(cluster, made, shift, monkeypatch, seconds):
    """A tracker's Retry-After of 2 s lasts about so long, though our clock differs from the database's."""
    farm = made(Farm(bugzilla=1, bugs=20))
    tracker = farm.all[0]
    shift(seconds)
    service = made(Service(database=cluster.database(f"pause{seconds}")).start())
    api = service.api
    monkeypatch.delenv("LD_PRELOAD")
    watch = api.watch(tracker.url(1))
    api.settled()
    tracker.fault("429", times=1)
    assert api.check(watch["tracker"])["error"]["kind"] == "rate-limited"
    shown = api.ok("GET", f"trackers/{watch['tracker']}")
    assert time.time() - 60 < moment(shown["error"]["retry_at"]) < time.time() + 3600
    wait_for(lambda: api.check(watch["tracker"])["state"] == "done", "the end of the pause")
