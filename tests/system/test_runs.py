"""Runs: forced ones join, queue and count; nobody is asked twice."""
import signal
import threading

import pytest

from harness import Api, Farm, Service, wait_for


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=2, bugs=300)
    yield farm
    farm.close()


@pytest.fixture(scope="module")
def service():
    """One that loses its patience with a tracker soon."""
    service = Service(idle_timeout_s=3).start()
    yield service
    service.close()


@pytest.fixture(scope="module")
def slow(api, farm):
    """A tracker that can be made to hang: a run then lasts as long as the service's patience."""
    tracker = farm.trackers["bugzilla"][0]
    watches = api.watch_many(tracker.url(i) for i in range(1, 101))
    tracker.name = watches[0]["tracker"]
    api.check(tracker.name)
    yield tracker
    tracker.calm()


def running(api, name):
    return api.items("runs", tracker=name, state="running")


def test_joining(api, slow):
    """While one runs, one more is queued, and shared by all that follow."""
    slow.fault("hang")
    first = api.ok("POST", f"trackers/{slow.name}/check", status=202)["run"]
    wait_for(lambda: running(api, slow.name), "the run under way")
    queued = [api.ok("POST", f"trackers/{slow.name}/check", status=202)["run"] for _ in range(5)]
    watch = api.items("watches", tracker=slow.name, limit=1)[0]
    queued.append(api.ok("POST", f"watches/{watch['id']}/check", status=202)["run"])
    assert len({r["id"] for r in queued}) == 1 and queued[0]["id"] != first["id"]
    assert {r["state"] for r in queued} == {"queued"}
    slow.calm()
    for run in (api.ended(first), api.ended(queued[0])):
        assert run["reason"] == "forced"
    assert api.ended(queued[0])["state"] == "done"


def test_hammered(api, slow, service):
    """A hundred at once make two runs at most."""
    before = {r["id"] for r in api.items("runs", tracker=slow.name)}
    answers = []

    def one():
        answers.append(Api(service.url, api.token).request("POST", f"trackers/{slow.name}/check"))

    slow.fault("hang")
    threads = [threading.Thread(target=one) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slow.calm()
    assert {a.status for a in answers} == {202}
    ids = {a.json["run"]["id"] for a in answers}
    for name in ids:
        api.ended(name)
    assert len({r["id"] for r in api.items("runs", tracker=slow.name)} - before) <= 2


def test_one_watch(api, slow):
    """Forcing one watch asks about that bug, not about all."""
    watch = api.items("watches", tracker=slow.name, limit=1)[0]
    run = api.ended(api.ok("POST", f"watches/{watch['id']}/check", status=202)["run"])
    assert run["state"] == "done" and run["due"] == 1 and run["checked"] == 1 and run["requests"] == 1


def test_counters(api, slow):
    """What was really sent and received, as the tracker saw it."""
    slow.forget()
    run = api.check(slow.name)
    seen = slow.seen()
    assert run["checked"] == run["due"] == 100 and run["changed"] == run["errors"] == 0
    assert run["requests"] == seen["requests"]
    assert run["bytes"] > 100
    assert run["instance"] and run["error"] is None and run["comments"] == 0
    assert run["queued_at"] <= run["started_at"] <= run["finished_at"]


def test_reasons(api, farm, made):
    tracker = farm.trackers["bugzilla"][1]
    watch = api.watch(tracker.url(1))
    wait_for(lambda: api.items("runs", tracker=watch["tracker"], state="done"), "its first run")
    assert api.items("runs", tracker=watch["tracker"])[-1]["reason"] == "new"
    other = made(Service(check_interval_s=1).start())
    watch = other.api.watch(tracker.url(2))
    wait_for(lambda: "schedule" in {r["reason"] for r in other.api.items("runs", state="done")}, "the schedule's run")


def test_last_run_is_the_newest_that_ended(api, slow):
    run = api.check(slow.name)
    assert api.ok("GET", f"trackers/{slow.name}")["last_run"]["id"] == run["id"]


def whole_run_after(api, run):
    """A later run has read all fifty bugs."""
    later = [r for r in api.items("runs", tracker=run["tracker"], state="done") if int(r["id"]) > int(run["id"])]
    return later and later[0]["checked"] == 50


def test_stopped_in_the_middle(farm, made):
    """SIGTERM ends it within 10 s; the run is given up, and all of it is due at the next start."""
    tracker = farm.trackers["bugzilla"][1]
    service = made(Service().start())
    api = service.api
    watches = api.watch_many(tracker.url(i) for i in range(1, 51))
    api.check(watches[0]["tracker"])
    tracker.fault("hang")
    run = api.ok("POST", f"trackers/{watches[0]['tracker']}/check", status=202)["run"]
    wait_for(lambda: running(api, watches[0]["tracker"]), "the run under way")
    service.stop()
    tracker.calm()
    service.start()
    assert service.api.ended(run)["state"] == "abandoned"
    wait_for(lambda: whole_run_after(service.api, run), "every bug of the run that was given up")


def test_instance_that_died(farm, cluster, made):
    """Its run is abandoned, what it left is taken over."""
    tracker = farm.trackers["bugzilla"][1]
    url = cluster.database("died")
    one = made(Service(database=url, instance="one", lease_s=5).start())
    watches = one.api.watch_many(tracker.url(i) for i in range(1, 51))
    name = watches[0]["tracker"]
    one.api.check(name)
    two = made(Service(database=url, instance="two", lease_s=5))
    (two.state / "secret-key").write_bytes((one.state / "secret-key").read_bytes())
    two.start(token=one.api.token)
    tracker.fault("hang")
    run = one.api.ok("POST", f"trackers/{name}/check", status=202)["run"]
    holder = wait_for(lambda: running(two.api, name), "the run under way")[0]["instance"]
    assert holder in ("one", "two")
    dead, alive = (one, two) if holder == "one" else (two, one)
    dead.kill()
    tracker.calm()
    assert alive.api.ended(run)["state"] == "abandoned"
    wait_for(lambda: whole_run_after(alive.api, run), "every bug that the dead one left")
    assert alive.api.items("runs", tracker=name, state="done")[0]["instance"] != holder


def test_paused_instance_writes_nothing(farm, cluster, made):
    """SIGSTOP past the lease, then SIGCONT: the other's results stand, nothing is told twice."""
    tracker = farm.trackers["bugzilla"][1]
    url = cluster.database("fenced")
    one = made(Service(database=url, instance="one", lease_s=5).start())
    watches = one.api.watch_many(tracker.url(i) for i in range(1, 51))
    name = watches[0]["tracker"]
    one.api.check(name)
    tracker.fault("hang")
    run = one.api.ok("POST", f"trackers/{name}/check", status=202)["run"]
    wait_for(lambda: running(one.api, name), "the run under way")
    one.process.send_signal(signal.SIGSTOP)
    try:
        two = made(Service(database=url, instance="two", lease_s=5).start(token=one.api.token))
        tracker.calm()
        for i in range(1, 51):
            tracker.change(i, title=f"while it slept {i}")
        wait_for(lambda: all(w["title"].startswith("while it slept") for w in two.api.items("watches", limit=1000)),
                 "the other to take over")
    finally:
        one.process.send_signal(signal.SIGCONT)
    one.wait_ready()
    assert two.api.ended(run)["state"] == "abandoned"
    two.api.check(name)
    for watch in watches:
        told = [e for e in two.api.items(f"watches/{watch['id']}/events") if e["kind"] == "title"]
        assert len(told) == 1, told
