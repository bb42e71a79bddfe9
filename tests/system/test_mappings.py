"""What words mean in one tracker: an administrator's rows, and what becomes of the bugs."""
from urllib.parse import quote

import pytest

from harness import Farm, wait_for
from test_api import problem
from test_cli import on_terminal

HOSTILE = ["a/b", "../x", ".", "..", "100%", "Ünï ☃", "a?b=c&d#e", "\u202eevil", "x" * 500, "☃" * 500,
           "line\nbreak", "'; DROP TABLE mapping; --", "!%_!", "*" * 500]


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, roundup=1, bugs=60)
    yield farm
    farm.close()


@pytest.fixture
def bug(api, farm):
    """bug(words): a bug of a Bugzilla that was read once, with these WORDS: its number and its watch."""
    tracker = farm.trackers["bugzilla"][0]

    def make(**words):
        number = bug.next = getattr(bug, "next", 0) + 1
        tracker.change(number, **words)
        watch = make.watch = api.watch(tracker.url(number))
        api.check(watch["tracker"])
        return number, now(api, watch)

    yield make
    for row in api.items(f"trackers/{make.watch['tracker']}/mappings"):
        forget(api, make.watch["tracker"], row["field"], row["value"])
    api.settled()


def now(api, watch):
    return api.ok("GET", f"watches/{watch['id']}")


def path_of(tracker, field, value):
    value = quote(value, safe="").replace(".", "%2E")
    return f"trackers/{tracker}/mappings/{field}/{value}"


def set_word(api, tracker, field, value, means, status=(200, 201)):
    return api.ok("PUT", path_of(tracker, field, value), {"means": means}, status)


def forget(api, tracker, field, value, status=204):
    return api.ok("DELETE", path_of(tracker, field, value), status=status)


def becomes(api, watch, field, word):
    wait_for(lambda: now(api, watch)[field] == word, f"{field} {word}")


def events(api, watch):
    return [(e["kind"], e["old"], e["new"]) for e in api.items(f"watches/{watch['id']}/events")]


def test_a_row_changes_what_is_known(api, bug):
    """Nothing changed remotely, and nobody asked for a check."""
    _, watch = bug(status="SLEEPING", resolution="")
    assert (watch["remote_status"], watch["status"]) == ("SLEEPING", "unknown")
    row = set_word(api, watch["tracker"], "status", "sleeping", "incomplete", 201)
    assert row == {"field": "status", "value": "sleeping", "means": "incomplete"}
    becomes(api, watch, "status", "incomplete")
    assert set_word(api, watch["tracker"], "status", "sleeping", "fix-released", 200)["means"] == "fix-released"
    becomes(api, watch, "status", "fix-released")
    forget(api, watch["tracker"], "status", "sleeping")
    becomes(api, watch, "status", "unknown")
    assert events(api, watch) == [("status", "unknown", "incomplete"),
                                  ("status", "incomplete", "fix-released"),
                                  ("resolved", "incomplete", "fix-released"),
                                  ("status", "fix-released", "unknown"),
                                  ("reopened", "fix-released", "unknown")]
    assert now(api, watch)["remote_status"] == "SLEEPING"


def test_a_resolution_is_named_with_its_status(api, bug):
    _, watch = bug(status="RESOLVED", resolution="SHIPPED_NEVER")
    _, other = bug(status="RESOLVED", resolution="FIXED")
    assert (watch["status"], other["status"]) == ("unknown", "fix-released")
    set_word(api, watch["tracker"], "status", "RESOLVED SHIPPED_NEVER", "wont-fix")
    becomes(api, watch, "status", "wont-fix")
    api.check(watch["tracker"])
    assert now(api, other)["status"] == "fix-released" and events(api, other) == []


def test_rows_win_over_what_is_built_in_and_exact_ones_over_stars(api, bug):
    _, watch = bug(status="VERIFIED", resolution="FIXED", severity="major", priority="P1")
    _, other = bug(status="VERIFIED", resolution="INVALID", severity="minor", priority="P1")
    set_word(api, watch["tracker"], "status", "VERIFIED *", "triaged")
    set_word(api, watch["tracker"], "status", "verified fixed", "deferred")
    set_word(api, watch["tracker"], "importance", "*", "wishlist")
    set_word(api, watch["tracker"], "importance", "MAJOR", "low")
    becomes(api, watch, "status", "deferred")
    becomes(api, watch, "importance", "low")
    becomes(api, other, "status", "triaged")
    becomes(api, other, "importance", "wishlist")


def test_a_priority_that_decides(api, bug):
    """Where the severity leaves it undecided, the priority is the word that counts."""
    _, watch = bug(severity="--", priority="Most odd")
    assert (watch["remote_importance"], watch["importance"]) == ("--", "unknown")
    set_word(api, watch["tracker"], "importance", "most_odd", "high")
    becomes(api, watch, "importance", "high")
    set_word(api, watch["tracker"], "importance", "--", "low")
    becomes(api, watch, "importance", "low")


def test_only_a_row_that_some_bug_may_be_about_asks(api, farm, bug):
    tracker = farm.trackers["bugzilla"][0]
    _, watch = bug(status="ODDEST", resolution="")
    bug(status="NEW", resolution="")
    before = len(api.items("runs", tracker=watch["tracker"]))
    set_word(api, watch["tracker"], "status", "ODDEST", "new")
    becomes(api, watch, "status", "new")
    api.settled()
    runs = api.items("runs", tracker=watch["tracker"])
    assert len(runs) == before + 1 and runs[0]["checked"] > 0, runs
    tracker.forget()
    set_word(api, watch["tracker"], "status", "NOBODY'S WORD", "new")
    api.check(watch["tracker"])
    assert len(api.items("runs", tracker=watch["tracker"])) == len(runs) + 1


def test_a_roundup_has_them_too(api, farm):
    tracker = farm.trackers["roundup"][0]
    tracker.change(3, status="chatting")
    watch = api.watch(tracker.url(3))
    api.check(watch["tracker"])
    word = now(api, watch)["remote_status"]
    set_word(api, watch["tracker"], "status", word + "*", "opinion")
    becomes(api, watch, "status", "opinion")
    weight = now(api, watch)["remote_priority"]
    set_word(api, watch["tracker"], "importance", weight, "wishlist")
    becomes(api, watch, "importance", "wishlist")


@pytest.fixture(scope="module")
def nowhere(service):
    """A tracker that nobody answers for."""
    service.api.ok("POST", "trackers", {"name": "nowhere", "type": "bugzilla", "base_url": "http://127.0.0.1:1/"}, 201)
    return "nowhere"


@pytest.mark.parametrize("value", HOSTILE)
def test_any_word_has_a_row(api, nowhere, value):
    row = {"field": "status", "value": value, "means": "new"}
    assert set_word(api, nowhere, "status", value, "new", 201) == row
    assert api.ok("GET", path_of(nowhere, "status", value)) == row
    assert row in api.items(f"trackers/{nowhere}/mappings", limit=1)
    forget(api, nowhere, "status", value)
    forget(api, nowhere, "status", value, 404)
    assert api.get(path_of(nowhere, "status", value)).status == 404


def test_pages(api, nowhere):
    rows = [(f, v) for f in ("importance", "status") for v in ("a", "b b", "c")]
    for field, value in rows:
        set_word(api, nowhere, field, value, "low" if field == "importance" else "new")
    assert [(r["field"], r["value"]) for r in api.items(f"trackers/{nowhere}/mappings", limit=2)] == rows
    for field, value in rows:
        forget(api, nowhere, field, value)


@pytest.mark.parametrize("field, body", [
    ("status", {"means": "critical"}), ("status", {"means": "unknown"}), ("status", {"means": "New"}),
    ("status", {"means": None}), ("status", {}), ("status", {"means": 1}), ("importance", {"means": "new"}),
    ("importance", {"means": "low", "field": "status"}), ("importance", {"means": "low", "odd": 1}), ("status", []),
])
def test_what_is_no_mapping_is_refused(api, nowhere, field, body):
    problem(api.request("PUT", path_of(nowhere, field, "x"), body), 400)
    assert api.items(f"trackers/{nowhere}/mappings") == []


def test_what_is_not_there(api, nowhere):
    for method, path, status in [
            ("PUT", path_of("none", "status", "x"), 404), ("GET", "trackers/none/mappings", 404),
            ("PUT", path_of(nowhere, "title", "x"), 404), ("PUT", path_of(nowhere, "status", ""), 400),
            ("PUT", path_of(nowhere, "status", "x" * 501), 400), ("DELETE", path_of("none", "status", "x"), 404),
            ("POST", f"trackers/{nowhere}/mappings", 405)]:
        answer = api.request(method, path, {"means": "new"} if method == "PUT" else None)
        assert answer.status == status, (method, path, answer)


def test_roles(api, nowhere):
    viewer = api.ok("POST", "tokens", {"name": "v", "role": "viewer"}, 201)["token"]
    path = path_of(nowhere, "status", "x")
    for method, body in [("PUT", {"means": "new"}), ("DELETE", None)]:
        assert api.request(method, path, body, token=viewer).status == 403
        assert api.request(method, path, body, token=False).status == 401
    assert api.get(f"trackers/{nowhere}/mappings", token=viewer).json == {"items": [], "next": None}


def test_there_is_an_end_to_them(service, api, nowhere):
    for number in range(1000):
        set_word(api, nowhere, "status", str(number), "new", 201)
    problem(api.request("PUT", path_of(nowhere, "status", "one more"), {"means": "new"}), 409)
    assert set_word(api, nowhere, "status", "7", "invalid", 200)["means"] == "invalid"
    for number in range(1000):
        forget(api, nowhere, "status", str(number))


def test_command(service, api, nowhere):
    assert "every word" in service.cli("mapping", nowhere).err
    assert service.cli("mapping", nowhere, "set", "status", "RESOLVED ODD", "wont-fix", "--json").json == \
        {"field": "status", "value": "RESOLVED ODD", "means": "wont-fix"}
    service.cli("mapping", nowhere, "set", "importance", "evil\u202e\x1b[2J", "low")
    shown = on_terminal(service, "mapping", nowhere)
    assert b"RESOLVED ODD" in shown and b"wont-fix" in shown
    assert "\u202e".encode() not in shown and b"\x1b[2J" not in shown
    assert len(service.cli("mapping", nowhere, "list", "--json").lines) == 2
    service.cli("mapping", nowhere, "remove", "status", "RESOLVED ODD")
    assert "no mapping" in service.cli("mapping", nowhere, "remove", "status", "RESOLVED ODD", status=1).err
    service.cli("mapping", nowhere, "remove", "importance", "evil\u202e\x1b[2J")
    assert "must be one of" in service.cli("mapping", nowhere, "set", "status", "x", "odd", status=1).err
    for words in (["set"], ["set", "status", "x"], ["remove", "status"], ["odd"], ["list", "x"]):
        service.cli("mapping", nowhere, *words, status=2)
