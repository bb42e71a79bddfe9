"""Comments of remote bugs: read once, told once, stored beside what else is known of the bug."""
import math
import time
from datetime import datetime
from urllib.parse import quote

import pytest

from harness import Farm, wait_for

BUGS = 400


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, roundup=1, trac=1, trac_plain=1, debbugs=1, bugs=BUGS)
    yield farm
    farm.close()


@pytest.fixture(params=["bugzilla", "roundup", "trac", "trac-plain", "debbugs"])
def tracker(request, farm):
    tracker = farm.trackers[request.param][0]
    yield tracker
    tracker.calm()


@pytest.fixture
def bug(api, tracker):
    """A bug of the test's own that was read once: its number and its watch."""
    number = bug.next = getattr(bug, "next", 0) + 1
    watch = api.watch(tracker.url(number))
    api.check(watch["tracker"])
    return number, now(api, watch)


def now(api, watch):
    return api.ok("GET", f"watches/{watch['id']}")


def comments(api, watch):
    return api.items(f"watches/{watch['id']}/comments")


def events(api, watch):
    return [(e["kind"], e["old"], e["new"]) for e in api.items(f"watches/{watch['id']}/events")]


def sync(api, watch, setting):
    api.ok("PATCH", f"trackers/{watch['tracker']}", {"sync_comments": setting})


def asked(tracker):
    """The questions about comments."""
    words = {"bugzilla": "comment", "roundup": "messages", "trac": "ticket.changeLog",
             "trac-plain": "format=rss", "debbugs": "get_bug_log"}
    return [u for u in tracker.seen()["uris"] if words[tracker.flavour] in u]


def second_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_first_reading(api, tracker, bug):
    """All that was ever said, in order, without an event."""
    number, watch = bug
    found = comments(api, watch)
    assert watch["error"] is None and watch["comments"] == len(found) == tracker.bug(number)["comments"]
    assert [c["number"] for c in found] == sorted({c["number"] for c in found})
    if tracker.kind != "trac":
        assert found[0]["text"].startswith("Steps to reproduce:\n1. Start it\n"), "the description"
    assert all(c["author"] and c["text"] and second_of(c["posted_at"]) for c in found)
    assert [c["posted_at"] for c in found] == sorted(c["posted_at"] for c in found)
    if tracker.kind == "bugzilla":
        assert [c["number"] for c in found] == list(range(len(found))), "0 is the description"
    assert events(api, watch) == []


def test_new_comment(api, tracker, bug):
    """One event for one comment, which is there once however often it is read."""
    number, watch = bug
    before = comments(api, watch)
    text = "Line one\n\n\t<b>two</b> & \"three\" \\ \u202e\u00e9 \u2603"
    tracker.comment(number, text, author="J\u00f6rg <joerg@example.net>")
    run = api.check(watch["tracker"])
    assert run["comments"] == 1 and run["errors"] == 0
    found = comments(api, watch)
    assert found[:-1] == before
    assert (found[-1]["author"], found[-1]["text"]) == ("J\u00f6rg <joerg@example.net>", text)
    assert second_of(found[-1]["posted_at"]) == math.floor(tracker.bug(number)["changed"])
    assert events(api, watch) == [("comment", None, str(found[-1]["number"]))]
    assert api.check(watch["tracker"])["comments"] == 0
    tracker.change(number, title="Something else changed")
    assert api.check(watch["tracker"])["comments"] == 0
    assert comments(api, watch) == found and now(api, watch)["comments"] == len(found)
    assert [e for e in events(api, watch) if e[0] == "comment"] == [("comment", None, str(found[-1]["number"]))]


def test_several_new_comments(api, tracker, bug):
    """Also with a change of status; an event each, in their order, for each watch of the bug."""
    number, watch = bug
    other = api.watch(tracker.url(number), ref="mine too")
    count = watch["comments"]
    for i in range(5):
        tracker.comment(number, f"comment {i}")
    tracker.change(number, **tracker.resolved)
    api.check(watch["tracker"])
    found = comments(api, watch)
    assert [c["text"] for c in found[count:]] == [f"comment {i}" for i in range(5)]
    for seen in (watch, other):
        told = [e for e in events(api, seen) if e[0] == "comment"]
        assert told == [("comment", None, str(c["number"])) for c in found[count:]]


def test_unchanged_bugs_are_not_asked(api, tracker, bug):
    """Comments cost the server dear: those of bugs that did not change are left alone."""
    if tracker.flavour == "trac-plain":
        pytest.skip("nothing there says whether a ticket changed")
    _, watch = bug

    def asked_none():
        tracker.forget()
        api.check(watch["tracker"])
        return asked(tracker) == []

    wait_for(asked_none, "a check without a question about comments", 15)


def test_long_comment(api, tracker, bug):
    number, watch = bug
    text = "\u2603" * 60_000 + "\nthe end"
    tracker.comment(number, text)
    api.check(watch["tracker"])
    assert comments(api, watch)[-1]["text"] == text


def test_comments_in_one_second(api, tracker, bug):
    """What is said in the second of a check is not missed."""
    number, watch = bug
    for attempt in range(10):
        wait_for(lambda: time.time() % 1 < 0.1, "the beginning of a second")
        tracker.comment(number, f"before {attempt}")
        first = tracker.bug(number)["changed"]
        api.check(watch["tracker"])
        between = now(api, watch)["comments"]
        tracker.comment(number, f"after {attempt}")
        if math.floor(first) == math.floor(tracker.bug(number)["changed"]):
            break
    else:
        pytest.skip("this machine is too slow for a check within one second")
    api.check(watch["tracker"])
    found = comments(api, watch)
    assert [c["text"] for c in found][-2:] == [f"before {attempt}", f"after {attempt}"]
    assert len(found) == between + 1
    assert events(api, watch)[-1] == ("comment", None, str(found[-1]["number"]))


def test_one_bug_fails(api, tracker, bug):
    """Its status is stored all the same, its neighbours are whole, and it is tried again."""
    number, watch = bug
    neighbour = api.watch(tracker.url(BUGS))
    api.check(watch["tracker"])
    tracker.change(number, status=tracker.two_statuses[0][0], bad="comments")
    tracker.comment(BUGS, "heard")
    run = api.check(watch["tracker"])
    assert run["state"] == "done" and run["errors"] == 1
    shown = now(api, watch)
    assert shown["status"] == tracker.two_statuses[0][1]
    assert shown["error"]["kind"] == "comments-failed" and shown["error"]["message"]
    assert shown["comments"] == watch["comments"]
    assert now(api, neighbour)["error"] is None and comments(api, neighbour)[-1]["text"] == "heard"
    assert [e["remote_id"] for e in api.items(f"runs/{run['id']}/errors")] == [str(number)]
    tracker.comment(number, "said meanwhile")
    tracker.change(number, bad="not")
    api.check(watch["tracker"])
    assert now(api, watch)["error"] is None and comments(api, watch)[-1]["text"] == "said meanwhile"
    assert events(api, watch)[-2:] == [("recovered", "comments-failed", None),
                                       ("comment", None, str(comments(api, watch)[-1]["number"]))]


def test_all_comments_fail(api, tracker, bug):
    """Statuses come through, and nothing is lost."""
    number, watch = bug
    tracker.change(number, status=tracker.two_statuses[0][0])
    api.check(watch["tracker"])
    tracker.fault("comments")
    tracker.change(number, status=tracker.two_statuses[1][0])
    tracker.comment(number, "unheard")
    run = api.check(watch["tracker"])
    shown = now(api, watch)
    assert run["state"] == "done" and shown["status"] == tracker.two_statuses[1][1]
    assert shown["error"]["kind"] == "comments-failed" and shown["comments"] == watch["comments"]
    api.check(watch["tracker"])
    assert now(api, watch)["error"]["count"] == 2
    assert [e for e in events(api, watch) if e[0] == "error"] == [("error", None, "comments-failed")]
    tracker.calm()
    run = api.check(watch["tracker"])
    assert (run["comments"], run["errors"]) == (1, 0)
    assert comments(api, watch)[-1]["text"] == "unheard" and now(api, watch)["error"] is None
    assert [k for k, _, _ in events(api, watch)].count("comment") == 1


def test_none_are_kept(api, tracker, bug):
    """Switched off nothing is asked; switched on again what was said meanwhile arrives."""
    number, watch = bug
    sync(api, watch, "none")
    try:
        tracker.forget()
        tracker.comment(number, "said while nobody listened")
        api.check(watch["tracker"])
        assert now(api, watch)["comments"] == watch["comments"]
        if tracker.flavour != "trac-plain":
            assert now(api, watch)["last_changed_at"], "the change itself is seen"
        assert asked(tracker) == []
    finally:
        sync(api, watch, "all")
    api.check(watch["tracker"])
    assert comments(api, watch)[-1]["text"] == "said while nobody listened"


def test_products(api, tracker, bug):
    """A product that is switched on later gets its comments at the next check, without a change."""
    number, watch = bug
    name = f"{tracker.kind} product / of one bug"
    tracker.change(BUGS - 1, product=name)
    sync(api, watch, "products")
    try:
        fresh = api.watch(tracker.url(BUGS - 1))
        api.check(watch["tracker"])
        assert now(api, fresh)["comments"] == 0 and now(api, fresh)["error"] is None
        assert now(api, fresh)["product"] == name
        api.ok("PUT", f"trackers/{watch['tracker']}/products/{quote(name, safe='')}", {"sync_comments": True}, 201)
        run = api.check(watch["tracker"])
        assert run["changed"] == 0, "nothing changed there"
        assert now(api, fresh)["comments"] == len(comments(api, fresh)) == tracker.bug(BUGS - 1)["comments"]
        assert events(api, fresh) == [], "the first reading of comments is no news"
        tracker.comment(BUGS - 1, "and now?")
        api.check(watch["tracker"])
        assert [k for k, _, _ in events(api, fresh)] == ["comment"]
        api.ok("PUT", f"trackers/{watch['tracker']}/products/{quote(name, safe='')}", {"sync_comments": False})
        tracker.comment(BUGS - 1, "nobody listens")
        api.check(watch["tracker"])
        assert [k for k, _, _ in events(api, fresh)] == ["comment"]
    finally:
        sync(api, watch, "all")


def test_many(api, tracker):
    """More than one question holds; every comment of every bug, once."""
    watches = api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))
    api.check(watches[0]["tracker"])
    shown = {w["remote_id"]: w for w in api.items("watches", tracker=watches[0]["tracker"], limit=1000)}
    for number in range(1, BUGS + 1, 13):
        assert shown[str(number)]["comments"] == tracker.bug(number)["comments"], number
    least = 0 if tracker.kind == "trac" else 1
    assert all(w["comments"] >= least for w in shown.values()) and any(w["comments"] > 1 for w in shown.values())


def test_shown(service, tracker, bug):
    number, watch = bug
    tracker.comment(number, "to be seen on a terminal", author="zoe")
    service.api.check(watch["tracker"])
    out = service.cli("show", watch["id"]).out
    assert "to be seen on a terminal" in out and "zoe" in out
    assert f"comments        {watch['comments'] + 1}" in out
