"""Forced checks of bugs that are as they were: noted for all of them, kept over failures and kills."""
import time

import pytest

from harness import Farm, Service, sql, wait_for

BUGS, BATCH = 400, 50
ROWS = "SELECT bug_id, xmin FROM bugwatch.bug_check ORDER BY bug_id"
REACHED = "SELECT swept_to FROM bugwatch.tracker_state"


@pytest.fixture
def farm():
    farm = Farm(bugzilla=1, bugs=BUGS)
    yield farm
    farm.close()


@pytest.fixture
def tracker(farm):
    return farm.trackers["bugzilla"][0]


@pytest.fixture
def database(cluster, request):
    return cluster.database(request.node.name)


@pytest.fixture
def start(database, made):
    return lambda **settings: made(Service(database=database, lease_s=5, check_interval_s=86400, **settings).start())


def watch_all(api, tracker):
    """All bugs are watched, and at rest: two checks, the latter without a change."""
    tracker.name = api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))[0]["tracker"]
    api.ok("PATCH", f"trackers/{tracker.name}", {"batch_size": BATCH, "max_connections": 1})
    api.settled()
    while (run := api.check(tracker.name))["changed"] or run["comments"]:
        pass


def next_second(api):
    """Moments have whole seconds: waits until a check from now on can be told from the last."""
    last = max(checked(api).values())
    wait_for(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > last, "the next second")


def checked(api):
    return {int(w["remote_id"]): w["last_checked_at"] for w in api.items("watches")}


def planned(api):
    return {w["remote_id"]: w["next_check_at"] for w in api.items("watches")}


def force_slowly(api, tracker, enough):
    """Begins a forced check of slow answers and waits until it is written that ENOUGH."""
    next_second(api)
    tracker.forget()
    tracker._post(latency_ms=300)
    run = api.ok("POST", f"trackers/{tracker.name}/check", status=202)["run"]
    wait_for(enough, "a part of the check to be written")
    return run


def asked(tracker):
    """The bugs that TRACKER was asked about."""
    questions = [uri.split("id=")[1].split("&")[0] for uri in tracker.seen()["uris"] if "?id=" in uri]
    return {int(number) for question in questions for number in question.replace("%2C", ",").split(",")}


def test_nothing_is_written_of_a_bug_at_rest(start, database, tracker):
    api = start().api
    watch_all(api, tracker)
    rows, plans, before = sql(database, ROWS), planned(api), checked(api)
    next_second(api)
    api.check(tracker.name)
    assert sql(database, ROWS) == rows
    assert planned(api) == plans
    assert len(set(checked(api).values())) == 1 and checked(api)[BUGS] > before[BUGS]
    tracker.change(7, status=tracker.two_statuses[0][0])
    tracker.change(7, status=tracker.two_statuses[1][0])
    run = api.check(tracker.name)
    assert (run["checked"], run["changed"], run["errors"]) == (BUGS, 1, 0)
    now = sql(database, ROWS)
    assert len([row for row in rows if row not in now]) == 1


def test_killed_within(start, database, tracker):
    """What was reached is not asked again, and nothing of the rest is left out."""
    service = start()
    watch_all(service.api, tracker)
    before = checked(service.api)
    force_slowly(service.api, tracker, lambda: int(sql(database, REACHED)[0][0]) in range(2 * BATCH, BUGS))
    service.kill()
    reached = int(sql(database, REACHED)[0][0])
    tracker.forget()
    service.start()
    wait_for(lambda: min(checked(service.api).values()) > max(before.values()), "the rest of the check")
    assert asked(tracker) == set(range(reached + 1, BUGS + 1))


def test_failed_within(start, database, tracker):
    """A tracker that fails half way: what was checked stays so, also when another check begins."""
    api = start().api
    watch_all(api, tracker)
    before = checked(api)
    run = force_slowly(api, tracker, lambda: int(sql(database, REACHED)[0][0]) in range(2 * BATCH, BUGS))
    tracker.fault("500")
    assert api.ended(run)["state"] == "failed"
    failed = checked(api)
    moved = [number for number in failed if failed[number] > before[number]]
    assert moved == list(range(1, len(moved) + 1)) and 2 * BATCH <= len(moved) < BUGS
    assert all(failed[number] == before[number] for number in failed if number not in moved)
    again = api.check(tracker.name)
    assert again["state"] == "failed" and checked(api) == failed
    tracker.calm()
    tracker._post(latency_ms=0)
    assert api.check(tracker.name)["checked"] == BUGS
    assert min(checked(api).values()) >= max(failed.values())
