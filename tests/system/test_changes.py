"""Asking a tracker what changed: one question instead of one for each bug, and nothing is lost."""
import math
import time
from datetime import datetime

import pytest

from harness import Farm, Service, wait_for

BUGS = 900
WATCHED = 40


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, roundup=1, trac=1, trac_plain=1, bugs=BUGS)
    yield farm
    farm.close()


@pytest.fixture(scope="module")
def service():
    """By itself it would look at a bug again in a month."""
    service = Service(check_interval_s=2_592_000).start()
    yield service
    service.close()


@pytest.fixture(params=["bugzilla", "roundup"])
def tracker(request, farm):
    """Watched for some bugs, and asked each second what changed."""
    tracker = farm.trackers[request.param][0]
    yield tracker
    tracker.calm()
    tracker.skew(0)


@pytest.fixture
def name(api, tracker):
    watches = api.watch_many(tracker.url(i) for i in range(1, WATCHED + 1))
    name = watches[0]["tracker"]
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": 1})
    api.check(name)
    yield name
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": None, "sync_comments": "all"})


def watched(api, tracker, number):
    return api.items("watches", url=tracker.url(number))[0]


def events(api, watch):
    return [(e["kind"], e["old"], e["new"]) for e in api.items(f"watches/{watch['id']}/events")]


def runs_after(api, name, last):
    """The runs after LAST that are over, the oldest first."""
    found = api.items("runs", tracker=name, limit=100)
    return [r for r in reversed(found) if int(r["id"]) > last and r["state"] not in ("queued", "running")]


def newest_run(api, name):
    return int(api.ok("GET", f"runs?tracker={name}&limit=1")["items"][0]["id"])


def quiet(api, name):
    """Waits until what changed is read and told, and returns the newest run."""

    def look():
        last = api.ok("GET", f"runs?tracker={name}&limit=1")["items"][0]
        return last if last["state"] == "done" and last["reason"] == "changes" and last["due"] == 0 else None

    return int(wait_for(look, "a run without work")["id"])


def has_status(api, tracker, number, status):
    return lambda: watched(api, tracker, number)["status"] == status


def test_a_change_arrives(api, tracker, name):
    """Without being forced, in a run that reads that bug alone."""
    old, new = tracker.two_statuses
    tracker.change(5, status=old[0])
    wait_for(has_status(api, tracker, 5, old[1]), "the first change")
    last = quiet(api, name)
    before = len(events(api, watched(api, tracker, 5)))
    tracker.change(5, status=new[0])
    wait_for(has_status(api, tracker, 5, new[1]), "the change")
    quiet(api, name)
    assert events(api, watched(api, tracker, 5))[before:] == [("status", old[1], new[1])], "told once"
    runs = runs_after(api, name, last)
    assert {r["reason"] for r in runs} == {"changes"}
    assert sum(r["changed"] for r in runs) == 1 and all(r["due"] <= 1 and r["errors"] == 0 for r in runs)
    assert all(r["requests"] <= 3 for r in runs)


@pytest.mark.parametrize("flavour", ["trac", "trac-plain"])
def test_answers_without_times(api, farm, flavour):
    """Trac does not say when a ticket changed: it is read again for a while, and told of once."""
    tracker = farm.trackers[flavour][0]
    watch = api.watch_many(tracker.url(i) for i in range(1, WATCHED + 1))[4]
    old, new = tracker.two_statuses
    tracker.change(5, status=old[0])
    api.ok("PATCH", f"trackers/{watch['tracker']}", {"changes_interval_s": 1})
    api.check(watch["tracker"])
    before = len(events(api, watch))
    tracker.change(5, status=new[0])
    wait_for(has_status(api, tracker, 5, new[1]), "the change")
    last = newest_run(api, watch["tracker"])
    wait_for(lambda: len(runs_after(api, watch["tracker"], last)) > 1, "more runs")
    api.ok("PATCH", f"trackers/{watch['tracker']}", {"changes_interval_s": None})
    assert events(api, watch)[before:] == [("status", old[1], new[1])], "told once"
    assert all(r["errors"] == 0 and r["due"] <= 1 for r in runs_after(api, watch["tracker"], last))


def test_a_comment_arrives(api, tracker, name):
    quiet(api, name)
    count = watched(api, tracker, 6)["comments"]
    tracker.comment(6, "noticed by itself")
    wait_for(lambda: watched(api, tracker, 6)["comments"] == count + 1, "the comment")
    assert [k for k, _, _ in events(api, watched(api, tracker, 6))] == ["comment"]


def test_nothing_changed(api, tracker, name):
    """One request, of a few bytes, and no bug is read."""
    last = quiet(api, name)
    tracker.forget()
    runs = wait_for(lambda: (lambda r: r if len(r) >= 3 else None)(runs_after(api, name, last)), "three more runs")
    for run in runs:
        assert (run["reason"], run["due"], run["checked"], run["requests"]) == ("changes", 0, 0, 1), run
        assert run["bytes"] < 2000
    paths = tracker.seen()["paths"]
    assert set(paths) == {"rest/bug" if tracker.kind == "bugzilla" else "rest/data/issue"}


def test_not_sooner_than_asked(api, tracker, name):
    quiet(api, name)
    tracker.forget()
    wait_for(lambda: tracker.seen()["requests"] >= 4, "four polls")
    starts = tracker.seen()["starts"]
    assert all(b - a > 0.9 for a, b in zip(starts, starts[1:])), starts


def test_twice_in_one_second(api, tracker, name):
    """The second change moves nothing that whole seconds could show."""
    old, new = tracker.two_statuses
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": 3})
    watch = watched(api, tracker, 7)
    for attempt in range(10):
        tracker.change(7, status=old[0])
        api.check(name)
        quiet(api, name)
        wait_for(lambda: time.time() % 1 < 0.1, "the beginning of a second")
        tracker.change(7, status=new[0], title=f"first {attempt}")
        first = math.floor(tracker.bug(7)["changed"])
        api.ended(api.ok("POST", f"watches/{watch['id']}/check", status=202)["run"])
        seen = watched(api, tracker, 7)["title"]
        tracker.change(7, status=old[0], title=f"second {attempt}")
        if seen == f"first {attempt}" and math.floor(tracker.bug(7)["changed"]) == first:
            break
    else:
        pytest.skip("this machine is too slow for a check within one second")
    wait_for(lambda: watched(api, tracker, 7)["title"] == f"second {attempt}", "the second change", 20)
    assert watched(api, tracker, 7)["status"] == old[1]


@pytest.mark.parametrize("skew", [-7200, 86400])
@pytest.mark.parametrize("kind", ["bugzilla", "roundup"])
def test_skewed_clock(api, made, kind, skew):
    """Whatever the server believes the time to be, from the first question on."""
    tracker = made(Farm(bugs=10, **{kind: 1})).trackers[kind][0]
    tracker.skew(skew)
    name = api.watch_many(tracker.url(i) for i in range(1, 11))[0]["tracker"]
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": 1})
    api.check(name)
    for old, new in (tracker.two_statuses, tracker.two_statuses[::-1]):
        tracker.change(3, status=new[0])
        wait_for(has_status(api, tracker, 3, new[1]), "the change", 20)
    last = quiet(api, name)
    run = wait_for(lambda: runs_after(api, name, last), "another run")[0]
    assert run["requests"] == 1
    api.ok("DELETE", f"trackers/{name}")


def test_clock_that_is_set(api, tracker, name):
    """Forward and back again, while it is watched."""
    old, new = tracker.two_statuses
    for skew, word in ((7200, old), (0, new), (-7200, old), (0, new)):
        tracker.skew(skew)
        tracker.change(8, status=word[0])
        wait_for(has_status(api, tracker, 8, word[1]), f"a change at {skew} s", 20)


def test_failures_lose_nothing(api, tracker, name):
    """What changed while the tracker failed is read when it answers again."""
    old, new = tracker.two_statuses
    tracker.change(9, status=old[0])
    wait_for(has_status(api, tracker, 9, old[1]), "the first change")
    quiet(api, name)
    tracker.fault("500")
    failed = wait_for(lambda: [r for r in api.items("runs", tracker=name, limit=5) if r["state"] == "failed"],
                      "a run that fails")[0]
    assert failed["reason"] == "changes" and failed["error"]["kind"] == "http"
    tracker.change(9, status=new[0])
    tracker.calm()
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": 1})
    api.ended(api.ok("POST", f"watches/{watched(api, tracker, 10)['id']}/check", status=202)["run"])
    wait_for(has_status(api, tracker, 9, new[1]), "the change")


def test_switched_off(api, tracker, name):
    """Set back to automatic, a tracker with few bugs is due again when its first bug is."""
    quiet(api, name)
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": None})

    def far_off():
        due = api.ok("GET", f"trackers/{name}")["next_check_at"]
        return due and datetime.fromisoformat(due.replace("Z", "+00:00")).timestamp() > time.time() + 1800

    wait_for(far_off, "a next check that is a long way off", 20)
    api.ok("PATCH", f"trackers/{name}", {"changes_interval_s": 1})
    tracker.change(11, title="On again")
    wait_for(lambda: watched(api, tracker, 11)["title"] == "On again", "a change after it was switched on again")


def test_many_bugs(api, tracker, name):
    """More than a question names: all that changed are asked for, page by page, and read."""
    api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))
    api.settled()
    last = quiet(api, name)
    for number in range(1, BUGS + 1):
        tracker.change(number, title=f"Renamed {number}")

    def all_renamed():
        shown = api.items("watches", tracker=name, limit=1000)
        return len(shown) == BUGS and all(w["title"] == f"Renamed {w['remote_id']}" for w in shown)

    wait_for(all_renamed, "all changes")
    shown = api.items("watches", tracker=name, limit=1000)
    assert all(w["error"] is None for w in shown)
    assert {r["reason"] for r in runs_after(api, name, last)} == {"changes"}
