"""Figures over all trackers and of each; they are kept as things change, and must never drift."""
import random
import threading

import pytest

from harness import Farm, Service, sql, wait_for
from test_api import problem
from test_cli import on_terminal
from test_mappings import path_of

FIGURES = {"watches", "remote_bugs", "watches_with_errors", "resolved", "comments", "watches_with_comments", "last_run",
           "common_errors", "unmapped", "checks_24h", "changes_24h", "requests_24h"}
OF_ONE = FIGURES | {"last_run_errors", "oldest_overdue", "next_check_at", "next_check_reason", "breaker"}
OVER_ALL = FIGURES | {"oldest_overdue", "breakers", "trackers", "next"}


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=2, roundup=1, bugs=60)
    yield farm
    farm.close()


@pytest.fixture(scope="module")
def service(cluster):
    url = cluster.database("stats")
    service = Service(database=url).start()
    service.database = url
    yield service
    service.close()


@pytest.fixture(scope="module")
def known(api, farm):
    """A tracker of six watched bugs, one of them twice, that were all read."""
    tracker = farm.trackers["bugzilla"][0]
    tracker.still()
    words = {1: ("NEW", "", "normal"), 2: ("RESOLVED", "FIXED", "normal"), 3: ("SLEEPING", "", "odd"),
             4: ("RESOLVED", "SHIPPED_NEVER", "odd"), 5: ("SLEEPING", "", "normal"), 6: ("NEW", "", "normal")}
    for number, (status, resolution, severity) in words.items():
        tracker.change(number, status=status, resolution=resolution, severity=severity)
    tracker.change(6, presence="private")
    watches = [api.watch(tracker.url(number)) for number in [*words, 999]]
    api.watch(tracker.url(6), ref="again")
    tracker.watches = {int(w["remote_id"]): w for w in watches}
    tracker.told = watches[0]["tracker"]
    api.check(tracker.told)
    return tracker


def stats(api, name):
    return api.ok("GET", f"trackers/{name}/stats")


def drift(service):
    """What is kept but not there, and what is there but not kept."""
    both = "TABLE bugwatch.tally{} EXCEPT TABLE bugwatch.tally{}"
    return [row for pair in (("", "_anew"), ("_anew", "")) for row in sql(service.database, both.format(*pair))
            if row[3] != "0"]


def test_of_one_tracker(service, api, known):
    told = stats(api, known.told)
    assert set(told) == OF_ONE
    assert (told["watches"], told["remote_bugs"], told["watches_with_errors"], told["resolved"]) == (8, 7, 3, 1)
    comments = [api.ok("GET", f"watches/{w['id']}")["comments"] for w in known.watches.values()]
    assert told["comments"] == sum(comments) > 0
    assert told["watches_with_comments"] == sum(c > 0 for c in comments) == 5
    runs = api.items("runs", tracker=known.told)
    assert told["last_run"] == runs[0]
    assert told["checks_24h"] == sum(r["checked"] for r in runs) >= 7
    assert told["changes_24h"] == sum(r["changed"] for r in runs)
    assert told["requests_24h"] == sum(r["requests"] for r in runs) > 0
    assert told["oldest_overdue"] is None and told["next_check_reason"] == "its first bug is due"
    assert told["next_check_at"] == api.ok("GET", f"trackers/{known.told}")["next_check_at"] is not None
    assert told["breaker"] == {"state": "closed", "failures": 0, "since": None}
    assert drift(service) == []


def test_common_errors_with_an_example(api, known):
    told = stats(api, known.told)
    errors = {e["kind"]: e for e in told["common_errors"]}
    assert set(errors) == {"bug-not-found", "private-bug"}
    for kind, number in (("bug-not-found", 999), ("private-bug", 6)):
        watch = api.ok("GET", f"watches/{known.watches[number]['id']}")
        assert errors[kind] == {"kind": kind, "count": 1, "example": watch["error"]["message"],
                                "remote_id": str(number), "watch": watch["id"]}
    assert told["last_run_errors"] == api.items(f"runs/{told['last_run']['id']}/errors")
    assert len(told["last_run_errors"]) == told["last_run"]["errors"] == 2


def test_words_that_nobody_knows_are_counted(service, api, known):
    unmapped = [("status", "SLEEPING", 2), ("importance", "odd", 2), ("status", "RESOLVED SHIPPED_NEVER", 1)]

    def told():
        return [(u["field"], u["value"], u["count"]) for u in stats(api, known.told)["unmapped"]]

    assert told() == [("status", "SLEEPING", 2), ("importance", "odd", 2), ("status", "RESOLVED SHIPPED_NEVER", 1)]
    assert all(w["error"] is None for w in api.items("watches", tracker=known.told, status="unknown")
               if w["remote_status"] is not None and w["remote_id"] not in ("6", "999"))
    api.ok("PUT", path_of(known.told, "status", "SLEEPING"), {"means": "incomplete"})
    wait_for(lambda: told() == unmapped[1:], "the word is known")
    api.ok("DELETE", path_of(known.told, "status", "SLEEPING"))
    wait_for(lambda: told() == unmapped, "the word is forgotten")
    api.settled()
    assert drift(service) == []


def test_over_all(service, api, farm, known):
    other = api.watch(farm.trackers["roundup"][0].url(1))
    api.check(other["tracker"])
    told = api.ok("GET", "stats")
    assert set(told) == OVER_ALL and told["next"] is None
    single = {t["name"]: stats(api, t["name"]) for t in told["trackers"]}
    assert {known.told, other["tracker"]} <= set(single)
    for row in told["trackers"]:
        assert set(row) == FIGURES | {"name"}
        assert {k: row[k] for k in FIGURES} == {k: single[row["name"]][k] for k in FIGURES}
    for figure in ("watches", "remote_bugs", "watches_with_errors", "resolved", "comments", "watches_with_comments",
                   "checks_24h", "changes_24h", "requests_24h"):
        assert told[figure] == sum(t[figure] for t in told["trackers"]), figure
    assert told["last_run"] == api.ok("GET", "runs?limit=1")["items"][0]
    assert {e["kind"] for e in told["common_errors"]} == {"bug-not-found", "private-bug"}
    assert ("status", "SLEEPING", 2) in [tuple(u.values()) for u in told["unmapped"]]
    assert told["breakers"] == {"closed": len(single), "open": 0, "half-open": 0}
    page = api.ok("GET", "stats?limit=1")
    assert [t["name"] for t in page["trackers"]] == sorted(single)[:1]
    assert api.ok("GET", f"stats?limit=1&cursor={page['next']}")["trackers"][0]["name"] == sorted(single)[1]


def test_what_waits(service, api, known):
    bug = known.watches[1]["id"]
    api.ok("PATCH", f"trackers/{known.told}", {"enabled": False})
    sql(service.database, f"""UPDATE bugwatch.bug_check c SET next_check_at = now() - interval '1 hour'
        FROM bugwatch.watch w WHERE w.id = {bug} AND c.bug_id = w.bug_id AND c.tracker_id = w.tracker_id""")
    told = stats(api, known.told)
    assert told["oldest_overdue"] is None and told["next_check_at"] is None
    assert told["next_check_reason"] == "the tracker is switched off"
    known.fault("500")
    api.ok("PATCH", f"trackers/{known.told}", {"enabled": True})
    oldest = wait_for(lambda: stats(api, known.told)["oldest_overdue"], "an overdue bug")
    assert (oldest["watch"], oldest["remote_id"], oldest["tracker"]) == (bug, "1", known.told)
    assert 3600 <= oldest["overdue_s"] < 7200 and oldest["due_at"]
    assert api.ok("GET", "stats")["oldest_overdue"]["watch"] == bug
    api.ended(api.ok("POST", f"trackers/{known.told}/check", status=202)["run"])
    wait_for(lambda: stats(api, known.told)["breaker"]["state"] == "open", "an open breaker")
    told = stats(api, known.told)
    assert told["breaker"]["failures"] >= 1 and told["breaker"]["since"]
    assert told["next_check_reason"].startswith("http, ") and told["oldest_overdue"]["watch"] == bug
    assert api.ok("GET", "stats")["breakers"]["open"] == 1
    known.calm()
    assert api.check(known.told)["state"] == "done"
    assert stats(api, known.told)["oldest_overdue"] is None


def test_a_day_is_24_hours(service, api, known):
    before = stats(api, known.told)
    of = f"tracker_id = (SELECT id FROM bugwatch.tracker WHERE name = '{known.told}')"
    hour = "(extract(hour FROM now() AT TIME ZONE 'UTC')::integer + {}) % 24"
    sql(service.database, f"""INSERT INTO bugwatch.activity SELECT id, {hour.format(1)},
        date_trunc('hour', now()) - interval '23 hours', 100, 10, 1 FROM bugwatch.tracker WHERE name = '{known.told}'
        ON CONFLICT (tracker_id, hour_of_day) DO NOTHING""")
    assert stats(api, known.told)["checks_24h"] == before["checks_24h"] + 100
    sql(service.database, f"UPDATE bugwatch.activity SET began_at = began_at - interval '1 day' WHERE {of}")
    told = stats(api, known.told)
    assert (told["checks_24h"], told["changes_24h"], told["requests_24h"]) == (0, 0, 0)
    run = api.check(known.told)
    told = stats(api, known.told)
    assert (told["checks_24h"], told["requests_24h"]) == (run["checked"], run["requests"])
    assert len(sql(service.database, f"SELECT FROM bugwatch.activity WHERE {of}")) <= 24


def test_nothing_drifts(service, api, farm):
    """Watches come and go while errors, comments, words and statuses change below them."""
    tracker = farm.trackers["bugzilla"][1]
    draw, name = random.Random(7), api.watch(tracker.url(1))["tracker"]
    tracker.revive(0.02)

    def come_and_go(api, seed):
        draw, mine = random.Random(seed), []
        for _ in range(200):
            if mine and draw.random() < 0.4:
                api.ok("DELETE", f"watches/{mine.pop(draw.randrange(len(mine)))}")
            else:
                bugs = [{"url": tracker.url(draw.randint(1, 30)), "ref": str(seed)} for _ in range(3)]
                items = api.ok("POST", "watches", bugs, 207)["items"]
                mine += [item["watch"]["id"] for item in items if item["status"] == 201]

    clients = [type(api)(api.url, api.token) for _ in range(2)]
    threads = [threading.Thread(target=come_and_go, args=(c, i)) for i, c in enumerate(clients)]
    for thread in threads:
        thread.start()
    for _ in range(12):
        for number in range(1, 31):
            tracker.change(number, presence=draw.choice(["there", "there", "private", "missing"]),
                           status=draw.choice(["NEW", "RESOLVED", "ODD", "ODDER"]), severity=draw.choice(["x", "major"]))
        api.check(name)
    for thread in threads:
        thread.join()
    tracker.still()
    api.settled()
    assert drift(service) == []
    told = stats(api, name)
    assert told["watches"] == len(api.items("watches", tracker=name))
    assert told["watches_with_errors"] == len(api.items("watches", tracker=name, error="any"))
    api.ok("DELETE", f"trackers/{name}", status=204)
    assert drift(service) == [] and api.get(f"trackers/{name}/stats").status == 404


def test_of_a_tracker_that_was_never_asked(api):
    api.ok("POST", "trackers", {"name": "idle", "type": "bugzilla", "base_url": "http://127.0.0.1:1/", "enabled": False}, 201)
    told = stats(api, "idle")
    assert told["last_run"] is None and told["last_run_errors"] == told["common_errors"] == told["unmapped"] == []
    assert told["watches"] == told["checks_24h"] == 0 and told["next_check_at"] is None
    assert next(t for t in api.ok("GET", "stats")["trackers"] if t["name"] == "idle")["last_run"] is None
    api.ok("DELETE", "trackers/idle", status=204)


def test_refused(api, known):
    assert problem(api.get("trackers/none/stats"), 404)
    problem(api.get("stats?limit=0"), 400, "limit")
    problem(api.get("stats?odd=1"), 400)
    problem(api.get(f"trackers/{known.told}/stats?limit=1"), 400)
    viewer = api.ok("POST", "tokens", {"name": "v", "role": "viewer"}, 201)["token"]
    for path in ("stats", f"trackers/{known.told}/stats"):
        assert api.get(path, token=viewer).status == 200
        assert api.get(path, token=False).status == 401
        assert api.request("POST", path, {}).status == 405


def test_commands(service, api, known):
    told = service.cli("stats", known.told, "--json").json
    assert told == stats(api, known.told)
    assert set(service.cli("stats", "--json").json) == OVER_ALL
    shown = service.cli("stats", known.told).out
    for word in ("watches", "private-bug", "SLEEPING", "RESOLVED SHIPPED_NEVER", "closed", "its first bug is due"):
        assert word in shown, shown
    shown = service.cli("stats").out
    assert known.told in shown and "breakers open" in shown
    assert "no such tracker" in service.cli("stats", "none", status=1).err
    service.cli("stats", "a", "b", status=2)


def test_errors_command(service, api, known):
    now = service.cli("errors", known.told, "--json").lines
    assert {(w["remote_id"], w["error"]["kind"]) for w in now} == {("6", "private-bug"), ("999", "bug-not-found")}
    assert len(now) == 3 and now == api.items("watches", tracker=known.told, error="any")
    assert len(service.cli("errors", "--json").lines) >= 3
    run = stats(api, known.told)["last_run"]["id"]
    assert service.cli("errors", "--run", run, "--json").lines == api.items(f"runs/{run}/errors")
    assert service.cli("errors", known.told, "--run", run, "--json").lines == api.items(f"runs/{run}/errors")
    assert "not of other" in service.cli("errors", "other", "--run", run, status=1).err
    assert "private-bug" in service.cli("errors", "--run", run).out
    for word in ("999999", "odd", "../x"):
        assert "no" in service.cli("errors", "--run", word, status=1).err
    service.cli("errors", "a", "b", status=2)
    assert "no watch is in error" in service.cli("errors", "none").err


def test_remote_words_are_harmless(service, api, known):
    known.change(5, status="evil\u202e\x1b[2J", resolution="")
    api.check(known.told)
    assert any("evil" in u["value"] for u in stats(api, known.told)["unmapped"])
    shown = on_terminal(service, "stats", known.told)
    assert b"evil" in shown and "\u202e".encode() not in shown and b"\x1b[2J" not in shown
