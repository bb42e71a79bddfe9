"""Killed at any moment: nothing is lost, nothing is told twice."""
import os
import random
import signal
import threading
import time

import pytest

from harness import Cluster, Farm, Service, sql, wait_for

BUGS = 300
TEMPO = 0.01  # seconds between two changes in a tracker
SECONDS = 20
KILLS = int(os.environ.get("BUGWATCH_TEST_KILLS", "60"))


@pytest.fixture(scope="module")
def farm():
    """Trackers whose bugs all change all the time."""
    farm = Farm(bugzilla=2, roundup=1, bugs=BUGS, tempo=TEMPO, latency_ms=20)
    yield farm
    farm.close()


@pytest.fixture(autouse=True)
def lively(farm):
    for tracker in farm.all:
        tracker.revive(TEMPO)


def check_chains(farm, api):
    """Once all is quiet, each watch's events of a kind form one chain: the new of one is the old of the
    next, and the last is what stands. Returns how many there are."""
    for tracker in farm.all:
        tracker.still()
    for tracker in api.items("trackers"):
        api.check(tracker["name"])
    chains = {}
    after = 0
    while True:
        page = api.ok("GET", f"events?after={after}&limit=1000")["items"]
        if not page:
            break
        for event in page:
            assert event["id"] > after, "ids rise"
            after = event["id"]
            if event["kind"] in ("status", "importance", "title"):
                chain = chains.setdefault((event["watch"], event["kind"]), [])
                assert event["old"] != event["new"], event
                assert not chain or chain[-1]["new"] == event["old"], ("told twice, or lost", chain[-1:], event)
                chain.append(event)
    standing = {w["id"]: w for w in api.items("watches", limit=1000)}
    for (watch, kind), chain in chains.items():
        assert standing[watch][kind] == chain[-1]["new"], (kind, chain[-1])
    return sum(map(len, chains.values()))


def all_checked_since(api, moment):
    return all(w["last_checked_at"] and w["last_checked_at"] >= moment for w in api.items("watches", limit=1000))


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_service_killed(farm, made):
    """kill -9 of the service, again and again, at random moments of its runs."""
    draw = random.Random(7)
    service = made(Service(check_interval_s=1, lease_s=5).start())
    for tracker in farm.all:
        service.api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))
    end = time.monotonic() + SECONDS
    rounds = 0
    while time.monotonic() < end:
        # A moment of the run under way, whichever it is.
        wait_for(lambda: service.api.items("runs", state="running"), "a run under way", 60)
        moment = time.monotonic() + draw.random() * 0.4
        wait_for(lambda: time.monotonic() >= moment, "the moment")
        service.kill()
        service.start()
        rounds += 1
    assert rounds >= 3
    restarted = now()
    wait_for(lambda: all_checked_since(service.api, restarted), "every due watch to be checked", 120)
    assert check_chains(farm, service.api) > 100, "nothing changed: this test has no teeth"
    service.check_clean()


def is_another(service, old):
    """Another server than OLD runs; between them its file is not there, or empty."""
    try:
        return service.postmaster() != old
    except (AssertionError, IndexError, OSError):
        return False


def test_embedded_database_killed(farm, made):
    """The postmaster dies by kill -9: it is started again, the service stays."""
    service = made(Service(check_interval_s=1, lease_s=5).start())
    for tracker in farm.all:
        service.api.watch_many(tracker.url(i) for i in range(1, 51))
    for _ in range(3):
        wait_for(lambda: service.api.items("runs", state="running"), "a run under way")
        old = service.postmaster()
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: service.ready() == 503, "503")
        assert service.api.get("/healthz", token=False).status == 200
        # Backends of the dead postmaster end one by one: the last may answer once more.
        wait_for(lambda: is_another(service, old), "the server to be started again")
        service.wait_ready()
    restarted = now()
    wait_for(lambda: all_checked_since(service.api, restarted), "every due watch to be checked", 120)
    assert check_chains(farm, service.api) > 0


def test_database_stopped_for_a_while(farm, made):
    """Ten seconds without PostgreSQL in the middle of runs: 503, then 200, and nothing is lost."""
    cluster = made(Cluster())
    service = made(Service(database=cluster.database("bugwatch"), check_interval_s=1, lease_s=30).start())
    for tracker in farm.all:
        service.api.watch_many(tracker.url(i) for i in range(1, 101))
    wait_for(lambda: service.api.items("runs", state="running"), "a run under way")
    cluster.stop("immediate")
    away = time.monotonic() + 10
    wait_for(lambda: service.ready() == 503, "503")

    def ten_seconds_later():
        assert service.ready() == 503
        return time.monotonic() >= away

    wait_for(ten_seconds_later, "the end of the outage")
    cluster.start()
    service.wait_ready()
    restarted = now()
    wait_for(lambda: all_checked_since(service.api, restarted), "every due watch to be checked", 120)
    assert check_chains(farm, service.api) > 0


def test_database_frozen(farm, made):
    """A server that neither answers nor hangs up (kill -STOP) is noticed, and /readyz says so."""
    cluster = made(Cluster())
    url = cluster.database("bugwatch")
    service = made(Service(database=url, check_interval_s=1, lease_s=30).start())
    service.api.watch(farm.all[0].url(1))
    pids = [int(row[0]) for row in sql(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                                            " AND pid <> pg_backend_pid()")]
    pids.append(int((cluster.data / "postmaster.pid").read_text().split()[0]))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: service.ready() == 503, "503", 60)
        assert service.api.get("/healthz", token=False).status == 200
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
    service.wait_ready()
    assert service.api.items("watches")


class Writer:
    """Changes bugs and adds comments in TRACKERS without a pause, and knows what it did."""

    def __init__(self, trackers, bugs):
        self.draw = random.Random(11)
        self.trackers, self.bugs = trackers, bugs
        self.statuses, self.comments = {}, {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        while not self.over.wait(0.01):
            tracker, number = self.draw.choice(self.trackers), self.draw.randint(1, self.bugs)
            key = (tracker.base_url, str(number))
            if self.draw.random() < 0.5:
                remote, ours = self.draw.choice(tracker.two_statuses)
                tracker.change(number, status=remote)
                self.statuses[key] = ours
            else:
                text = f"said {sum(map(len, self.comments.values()))}"
                tracker.comment(number, text, author="writer")
                self.comments.setdefault(key, []).append(text)

    def close(self):
        self.over.set()
        self.thread.join()


def kill_something(draw, cluster, url, services):
    """An instance, a backend of PostgreSQL, or all of PostgreSQL, at once and without a word."""
    victim = draw.random()
    if victim < 0.1:
        cluster.stop("immediate")
        cluster.start()
    elif victim < 0.2:
        pids = sql(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                        " AND datname = current_database() AND pid <> pg_backend_pid()")
        if pids:
            os.kill(int(draw.choice(pids)[0]), signal.SIGKILL)
    else:
        draw.choice(services).kill()
    for service in services:
        # One that was just starting ends when there is no database.
        if service.process is None or service.process.poll() is not None:
            service.kill()
            service.launch()


def is_accepting(url):
    try:
        return sql(url, "SELECT 1") == [["1"]]
    except AssertionError:
        return False


def test_killed_at_random(made):
    """Two instances and their PostgreSQL, killed at any moment while bugs and comments change:
    every state and every comment is there exactly once."""
    bugs = 60
    draw = random.Random(13)
    farm = made(Farm(bugzilla=1, roundup=1, trac=1, debbugs=1, bugs=bugs, latency_ms=20))
    cluster = made(Cluster())
    url = cluster.database("bugwatch")
    services = [made(Service(database=url, check_interval_s=1, lease_s=5, instance=name)) for name in ("a", "b")]
    token = services[0].start().api.token
    services[1].start(token)
    names = {}
    for tracker in farm.all:
        watches = services[0].api.watch_many(tracker.url(i) for i in range(1, bugs + 1))
        names[watches[0]["tracker"]] = tracker
    services[0].api.settled()
    writer = made(Writer(farm.all, bugs))
    for _ in range(KILLS):
        moment = time.monotonic() + draw.random() * 0.7
        wait_for(lambda: time.monotonic() >= moment, "the moment")
        kill_something(draw, cluster, url, services)
        wait_for(lambda: is_accepting(url), "PostgreSQL")
    writer.close()
    for service in services:
        service.wait_up()
        service.api.token = token
    api = services[0].api
    assert check_chains(farm, api) > KILLS, "nothing changed: this test has no teeth"
    for watch in api.items("watches", limit=1000):
        key = (names[watch["tracker"]].base_url, watch["remote_id"])
        assert watch["error"] is None
        if key in writer.statuses:
            assert watch["status"] == writer.statuses[key], watch
        found = [c for c in api.items(f"watches/{watch['id']}/comments", limit=1000) if c["author"] == "writer"]
        assert [c["text"] for c in found] == writer.comments.get(key, [])
        told = [e["new"] for e in api.items(f"watches/{watch['id']}/events", limit=1000) if e["kind"] == "comment"]
        assert sorted(told) == sorted(str(c["number"]) for c in found), "each comment is told of once"
    states = {run["state"] for run in api.items("runs", limit=1000)}
    assert "abandoned" in states and "done" in states


def test_term_while_running(farm, made):
    service = made(Service(check_interval_s=1).start())
    for tracker in farm.all:
        service.api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))
    wait_for(lambda: service.api.items("runs", state="running"), "a run under way")
    began = time.monotonic()
    service.stop()
    assert time.monotonic() - began < 10
