"""Several instances on one database: they share the work, and nothing is lost where one ends."""
import signal
import threading

import pytest

from harness import Api, Farm, Service, sql, wait_for

BUGS, BATCH = 100, 10
CLIENTS, POSTS = 20, 50
LONG = 3600  # a lease that no test waits for


@pytest.fixture
def farm(made):
    return made(Farm(bugzilla=1, bugs=BUGS))


@pytest.fixture
def database(cluster, request):
    return cluster.database(request.node.name)


@pytest.fixture
def start(database, made):
    """start("left", "right", lease_s=5): instances of these names, all with the admin's token."""

    def start(*names, **settings):
        settings = {"lease_s": 5, "check_interval_s": 86400, **settings}
        services, token = [], None
        for name in names:
            service = made(Service(database=database, instance=name, **settings).start(token))
            token = service.api.token
            services.append(service)
        return services

    return start


def at_rest(api, tracker):
    """All bugs of TRACKER are watched and were read; checks of it take many small questions."""
    tracker.name = api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))[0]["tracker"]
    api.ok("PATCH", f"trackers/{tracker.name}", {"batch_size": BATCH, "max_connections": 1})
    api.settled()
    while (run := api.check(tracker.name))["changed"] or run["comments"]:
        pass


def force(api, tracker):
    return api.ok("POST", f"trackers/{tracker.name}/check", status=202)["run"]


def shown(api, run):
    return api.ok("GET", f"runs/{run['id']}")


def slow_run(api, tracker, latency_ms=500):
    """A forced run that is under way, and lasts BUGS / BATCH times the latency."""
    tracker.forget()
    tracker._post(latency_ms=latency_ms)
    run = force(api, tracker)
    wait_for(lambda: shown(api, run)["state"] == "running" and tracker.seen()["requests"] > 1, "the run under way")
    return shown(api, run)


def holder_first(services, run):
    """SERVICES, the one that has RUN first."""
    return sorted(services, key=lambda service: service.settings["instance"] != run["instance"])


def newer_run(api, run):
    """A later run of the tracker that is done."""
    later = [r for r in api.items("runs", tracker=run["tracker"], state="done") if int(r["id"]) > int(run["id"])]
    return later[0] if later else None


def test_killed(farm, start):
    """Its leases run out, and another instance does what it left."""
    services = start("left", "right")
    tracker = farm.all[0]
    at_rest(services[0].api, tracker)
    run = slow_run(services[0].api, tracker)
    holder, other = holder_first(services, run)
    holder.kill()
    tracker._post(latency_ms=0)
    after = wait_for(lambda: newer_run(other.api, run), "the other instance to take over", 30)
    assert after["instance"] == other.settings["instance"] and after["checked"] > 0
    assert shown(other.api, run)["state"] == "abandoned"


def test_stopped(farm, start):
    """A clean end gives the leases back at once, however long they are."""
    services = start("left", "right", lease_s=LONG)
    tracker = farm.all[0]
    at_rest(services[0].api, tracker)
    run = slow_run(services[0].api, tracker)
    holder, other = holder_first(services, run)
    holder.stop()
    tracker._post(latency_ms=0)
    # The other would look by itself only after 20 s.
    after = wait_for(lambda: newer_run(other.api, run), "the other instance to take over", 10)
    assert after["instance"] == other.settings["instance"]
    assert shown(other.api, run)["state"] == "abandoned"


STORED = """SELECT (SELECT md5(string_agg(b::text || b.xmin::text, '|' ORDER BY id)) FROM bugwatch.bug b),
  (SELECT md5(string_agg(c::text || c.xmin::text, '|' ORDER BY bug_id)) FROM bugwatch.bug_check c),
  (SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM bugwatch.event e),
  (SELECT md5(string_agg(m::text, '|' ORDER BY id)) FROM bugwatch.comment m),
  (SELECT md5(string_agg(r::text, '|' ORDER BY id)) FROM bugwatch.run r)"""


def test_frozen(farm, database, start):
    """One that sleeps past its lease and wakes in the middle of a run writes nothing more."""
    services = start("left", "right")
    tracker = farm.all[0]
    at_rest(services[0].api, tracker)
    (old, _), (new, ours) = tracker.two_statuses
    for number in range(1, BUGS + 1):
        tracker.change(number, status=old)
    run = slow_run(services[0].api, tracker)
    holder, other = holder_first(services, run)
    holder.process.send_signal(signal.SIGSTOP)
    try:
        # It holds answers that are no longer true.
        for number in range(1, BUGS + 1):
            tracker.change(number, status=new)
        tracker._post(latency_ms=0)
        wait_for(lambda: newer_run(other.api, run), "the other instance to take over")
        other.api.check(tracker.name)
        wait_for(lambda: not other.api.items("runs", state="running"), "quiet")
        before = sql(database, STORED)
    finally:
        holder.process.send_signal(signal.SIGCONT)
    wait_for(lambda: "its lease went to another instance" in holder.words() or "run given up" in holder.words(),
             "it to know that the tracker is no longer its own")
    assert sql(database, STORED) == before
    assert {w["status"] for w in holder.api.items("watches")} == {ours}
    assert holder.api.check(tracker.name)["state"] == "done"


def test_same_name(farm, start):
    """The name is for people: one that starts under the name of another leaves its work alone."""
    (first,) = start("twin")
    tracker = farm.all[0]
    at_rest(first.api, tracker)
    run = slow_run(first.api, tracker, 200)
    second = Service(database=first.settings["database"], instance="twin", lease_s=5).start(first.api.token)
    try:
        assert shown(second.api, run)["state"] == "running"
        ended = second.api.ended(run)
    finally:
        second.close()
    assert ended["state"] == "done" and ended["checked"] == BUGS and ended["instance"] == "twin"


def terminate_listeners(database):
    return sql(database, """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()""")[0][0]


def test_forced_through_another(farm, start):
    """A forced update that one instance is asked for is the business of whichever runs the tracker."""
    services = start("left", "right", lease_s=LONG)
    tracker = farm.all[0]
    at_rest(services[0].api, tracker)
    run = slow_run(services[0].api, tracker, 200)
    _, other = holder_first(services, run)
    queued = force(other.api, tracker)
    assert queued["state"] == "queued" and queued["id"] != run["id"]
    tracker._post(latency_ms=0)
    for one in (run, queued):
        ended = other.api.ended(one)
        assert ended["state"] == "done" and ended["checked"] == BUGS


def test_listeners_lost(farm, database, start):
    """The connections that hear of work are cut: it is done all the same, each time."""
    services = start("left", "right")
    tracker = farm.all[0]
    at_rest(services[0].api, tracker)
    for i in range(6):
        assert int(terminate_listeners(database)) > 0, "nobody listens"
        run = services[i % 2].api.check(tracker.name, timeout=40)
        assert run["state"] == "done" and run["checked"] == BUGS
        wait_for(lambda: int(sql(database, """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE 'LISTEN%'""")[0][0]) >= 2, "them to listen again")


def test_notice_lost(farm, database, start):
    """Work that nobody was told of is found by looking."""
    (service,) = start("alone")
    tracker = farm.all[0]
    at_rest(service.api, tracker)
    last = service.api.items("runs", tracker=tracker.name)[0]
    sql(database, "UPDATE bugwatch.tracker_state SET forced = true, due_at = now()")
    found = wait_for(lambda: newer_run(service.api, last), "the work to be found", 60)
    assert found["checked"] == BUGS


def test_hammered(farm, start):
    """A thousand forced updates at once, from many clients of two instances, make two runs."""
    services = start("left", "right")
    tracker = farm.all[0]
    at_rest(services[0].api, tracker)
    before = {r["id"] for r in services[0].api.items("runs", tracker=tracker.name)}
    tracker._post(latency_ms=3000)
    answers = []

    def hammer(service):
        api = Api(service.url, service.api.token)
        for _ in range(POSTS):
            answers.append(api.request("POST", f"trackers/{tracker.name}/check"))
        api.close()

    clients = [threading.Thread(target=hammer, args=(services[i % 2],)) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    tracker._post(latency_ms=0)
    assert len(answers) == CLIENTS * POSTS and {a.status for a in answers} == {202}
    ids = {a.json["run"]["id"] for a in answers}
    for one in ids:
        assert services[0].api.ended(one)["state"] == "done"
    made_now = {r["id"] for r in services[0].api.items("runs", tracker=tracker.name)} - before
    assert made_now == ids and len(ids) <= 2


def test_shared_fairly(made, start):
    """One run at a time: the tracker that waited longest is next, so that none starves."""
    farm = made(Farm(bugzilla=5, bugs=3))
    services = start("left", "right", max_runs=1, check_interval_s=1)
    api = services[0].api
    for tracker in farm.all:
        api.watch_many(tracker.url(i) for i in (1, 2, 3))
    names = {t["name"] for t in api.items("trackers")}

    def counts():
        runs = api.items("runs", state="done", limit=1000)
        found = [sum(r["tracker"] == name for r in runs) for name in names]
        return min(found) >= 6 and found

    found = wait_for(counts, "six runs of each")
    assert max(found) <= 2 * min(found), found
    assert {r["instance"] for r in api.items("runs", limit=1000)} == {"left", "right"}
