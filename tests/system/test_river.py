"""The main river: what remote trackers say becomes what bugwatch shows, once and whole."""
import pytest

from harness import Farm, Service


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, roundup=1, trac=1, trac_plain=1, debbugs=1, bugs=400)
    yield farm
    farm.close()


@pytest.fixture(params=["bugzilla", "roundup", "trac", "trac-plain", "debbugs"])
def tracker(request, farm):
    return farm.trackers[request.param][0]


def named(api, base_url):
    return next(t["name"] for t in api.items("trackers") if t["base_url"] == base_url)


def watched(api, tracker, *ids):
    """Watches on these bugs, read once."""
    watches = api.watch_many(tracker.url(i) for i in ids)
    api.check(watches[0]["tracker"])
    return [api.ok("GET", f"watches/{w['id']}") for w in watches]


def events(api, watch):
    return [(e["kind"], e["old"], e["new"]) for e in api.items(f"watches/{watch['id']}/events")]


def test_first_reading(api, tracker):
    """Remote words as they are, ours beside them; the first reading is no event."""
    for watch in watched(api, tracker, *range(1, 31)):
        shown = tracker.bug(watch["remote_id"])
        assert watch["title"] == shown["title"]
        assert watch["remote_status"] == shown["status"]
        assert watch["status"] != "unknown" and watch["importance"] != "unknown"
        assert watch["last_checked_at"] and watch["next_check_at"] and watch["next_check_reason"]
        assert watch["error"] is None and watch["last_changed_at"] is None
        assert watch["remote_importance"] == (watch["remote_severity"] or watch["remote_priority"])
        assert events(api, watch) == []


def test_what_the_tracker_is(api, tracker):
    watch = watched(api, tracker, 31)[0]
    shown = api.ok("GET", f"trackers/{watch['tracker']}")
    assert shown["type"] == tracker.kind and shown["health"] == "ok" and shown["error"] is None
    assert shown["last_run"]["state"] == "done"
    if tracker.kind == "bugzilla":
        assert shown["version"]
    more = set() if tracker.kind == "debbugs" else {"changes", "why"}
    assert set(shown["abilities"]) == {"comments", *more}


def test_one_change_one_event(api, tracker):
    watch = watched(api, tracker, 40)[0]
    for old, new in (tracker.two_statuses, tracker.two_statuses[::-1]):
        tracker.change(40, status=old[0])
        api.check(watch["tracker"])
        before = len(events(api, watch))
        tracker.change(40, status=new[0])
        run = api.check(watch["tracker"])
        assert run["state"] == "done" and run["changed"] == 1 and run["errors"] == 0
        assert events(api, watch)[before:] == [("status", old[1], new[1])]
        now = api.ok("GET", f"watches/{watch['id']}")
        assert (now["remote_status"], now["status"]) == new and now["last_changed_at"]
        run = api.check(watch["tracker"])
        assert run["changed"] == 0 and run["checked"] == run["due"]
        assert len(events(api, watch)) == before + 1, "unchanged is no news"


def test_every_kind_of_event(api, tracker):
    watch = watched(api, tracker, 41)[0]
    tracker.change(41, status=tracker.two_statuses[0][0])
    api.check(watch["tracker"])
    before = len(events(api, watch))
    tracker.change(41, **tracker.resolved)
    api.check(watch["tracker"])
    told = events(api, watch)[before:]
    assert [k for k, _, _ in told] == ["status", "resolved"]
    assert told[0][1:] == told[1][1:] == (tracker.two_statuses[0][1], "fix-released")
    tracker.change(41, status=tracker.two_statuses[0][0])
    api.check(watch["tracker"])
    assert [k for k, _, _ in events(api, watch)[before + 2 :]] == ["status", "reopened"]
    old = api.ok("GET", f"watches/{watch['id']}")["title"]
    tracker.change(41, title="A new <i>title</i> \u202e\u00e9")
    api.check(watch["tracker"])
    assert events(api, watch)[before + 4 :] == [("title", old, "A new <i>title</i> \u202e\u00e9")]


def test_same_bug_other_ref(api, tracker):
    """One remote bug, two watches, one question, an event for each."""
    one = watched(api, tracker, 42)[0]
    two = api.ok("POST", "watches", {"url": tracker.url(42), "ref": "mine too"}, 201)
    tracker.change(42, status=tracker.two_statuses[0][0])
    first = api.check(one["tracker"])
    tracker.change(42, status=tracker.two_statuses[1][0])
    run = api.check(one["tracker"])
    assert run["due"] == first["due"] and run["changed"] == 1
    for watch in (one, two):
        assert events(api, watch)[-1] == ("status", tracker.two_statuses[0][1], tracker.two_statuses[1][1])
    assert api.ok("GET", f"watches/{two['id']}")["title"] == tracker.bug(42)["title"]


def test_feed(api, tracker):
    watch = watched(api, tracker, 43)[0]
    tracker.change(43, status=tracker.two_statuses[0][0])
    api.check(watch["tracker"])
    page = api.items("events", limit=1000)
    last = page[-1]["id"] if page else 0
    tracker.change(43, status=tracker.two_statuses[1][0])
    api.check(watch["tracker"])
    told = api.ok("GET", f"events?after={last}")["items"]
    assert [e["watch"] for e in told] == [watch["id"]]
    event = told[0]
    assert event["id"] > last and event["tracker"] == watch["tracker"] and event["url"] == watch["url"]
    assert set(event) == {"id", "at", "kind", "watch", "tracker", "remote_id", "url", "ref", "old", "new"}


def test_ids_that_are_missing_or_private(api, tracker):
    """Their own failure; their neighbours are read; the last state stays. Debbugs has nothing private."""
    hidden = "bug-not-found" if tracker.kind == "debbugs" else "private-bug"
    good = watched(api, tracker, *range(50, 60))
    tracker.change(55, presence="private")
    tracker.change(57, presence="missing")
    gone = api.watch(tracker.url(999_999_999 if tracker.kind == "roundup" else 999_999))
    run = api.check(good[0]["tracker"])
    assert run["state"] == "done" and run["errors"] >= 3
    for before in good:
        now = api.ok("GET", f"watches/{before['id']}")
        number = int(before["remote_id"])
        if number in (55, 57):
            assert now["error"]["kind"] == (hidden if number == 55 else "bug-not-found")
            assert now["error"]["message"] and now["error"]["count"] >= 1
            assert (now["status"], now["title"]) == (before["status"], before["title"]), "the last state stays"
            assert events(api, before)[-1] == ("error", None, now["error"]["kind"])
        else:
            assert now["error"] is None
    assert api.ok("GET", f"watches/{gone['id']}")["error"]["kind"] == "bug-not-found"
    failed = {e["remote_id"]: e for e in api.items(f"runs/{run['id']}/errors")}
    assert {"55", "57"} <= set(failed) and set(failed["55"]) == {"watch", "remote_id", "kind", "message", "at"}

    again = api.check(good[0]["tracker"])
    assert again["errors"] == run["errors"]
    assert sum(k == "error" for k, _, _ in events(api, good[5])) == 1, "the same kind again is no news"
    tracker.change(55, presence="there")
    tracker.change(57, presence="there")
    api.check(good[0]["tracker"])
    assert events(api, good[5])[-1] == ("recovered", hidden, None)
    assert api.ok("GET", f"watches/{good[5]['id']}")["error"] is None


def test_large_batches(api, tracker):
    """More than one batch; every one of them read, each asked about once."""
    watches = api.watch_many(tracker.url(i) for i in range(1, 401))
    name = watches[0]["tracker"]
    run = api.check(name)
    assert run["state"] == "done" and run["due"] == run["checked"] + run["errors"] or run["checked"] >= 400
    if tracker.flavour == "trac-plain":
        # Nothing there says whether a ticket has new comments: every feed is read at every check.
        api.ok("PATCH", f"trackers/{name}", {"sync_comments": "none"})
    again = api.check(name)
    assert again["changed"] == 0
    assert again["requests"] <= 20, "batches, not single questions"
    assert all(w["last_checked_at"] for w in api.items("watches", tracker=name, limit=1000))


def test_list_shows_it(service, tracker):
    api = service.api
    watch = watched(api, tracker, 44)[0]
    tracker.change(44, status=tracker.two_statuses[0][0], title="Plain words")
    api.check(watch["tracker"])
    out = service.cli("list", "--tracker", watch["tracker"]).out
    line = next(line for line in out.splitlines() if "Plain words" in line)
    assert tracker.two_statuses[0][1] in line
    shown = service.cli("show", watch["id"]).out
    assert "Plain words" in shown and tracker.two_statuses[0][1] in shown


def test_auto(service, farm, tracker):
    """A tracker of unknown type is recognised by asking it."""
    api = service.api
    name = f"auto-{tracker.flavour}"
    service.cli("tracker", "add", name, tracker.base_url.replace("127.0.0.1", "localhost"))
    run = api.check(name)
    assert run["state"] == "done", run
    shown = api.ok("GET", f"trackers/{name}")
    assert shown["type"] == tracker.kind and shown["health"] == "ok"
    service.cli("tracker", "remove", name)


def test_check_waits_and_tells(service, tracker):
    watch = watched(service.api, tracker, 45)[0]
    done = service.cli("check", watch["tracker"], "--wait", "--json")
    assert done.lines[-1]["state"] == "done" or done.json["run"]["state"] == "done"
    done = service.cli("check", watch["id"], "--wait")
    assert done.status == 0 and done.out


def test_politeness(farm, made):
    """Who asks is told; not more at once than allowed; gzip is taken; nothing about who sent us."""
    service = made(Service(contact="https://example.net/bugwatch").start())
    tracker = farm.trackers["bugzilla"][0]
    service.api.watch_many(tracker.url(i) for i in range(1, 401))
    name = named(service.api, tracker.base_url)
    service.api.ok("PATCH", f"trackers/{name}", {"batch_size": 10})
    tracker.forget()
    assert service.api.check(name)["state"] == "done"
    seen = tracker.seen()
    assert seen["most_under_way"] <= 2
    assert seen["user_agent"].startswith("bugwatch/") and "(+https://example.net/bugwatch)" in seen["user_agent"]
