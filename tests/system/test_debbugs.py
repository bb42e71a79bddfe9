"""What only a Debbugs has: a second way to comments, and a mirror that says what changed."""
from datetime import datetime, timedelta, timezone

import pytest

from harness import Farm, Service, sql, wait_for

BUGS = 60
SECRET = "hush-hush"


@pytest.fixture(scope="module")
def farm():
    farm = Farm(debbugs=1, bugs=BUGS)
    yield farm
    farm.close()


@pytest.fixture
def tracker(farm):
    tracker = farm.trackers["debbugs"][0]
    yield tracker
    tracker.calm()


@pytest.fixture(scope="module")
def service(cluster):
    """By itself it would look at a bug again in a month."""
    service = Service(database=cluster.database("debbugs"), check_interval_s=2_592_000).start()
    yield service
    service.close()


def comments(api, watch):
    return api.items(f"watches/{watch['id']}/comments")


def now(api, watch):
    return api.ok("GET", f"watches/{watch['id']}")


# ---- comments ----


def test_a_log_that_soap_does_not_give(api, tracker):
    """The mbox has the same comments with the same numbers; none is stored twice whichever way it came."""
    watch, other = api.watch(tracker.url(1)), api.watch(tracker.url(2))
    text = "From here on:\n>From there\n\u2603 M\u00fcller"
    api.check(watch["tracker"])
    before = comments(api, watch)
    tracker.change(1, bad="log")
    tracker.comment(1, text, author="J\u00f6rg <joerg@example.net>")
    tracker.change(2, bad="log", title="read for its comments, too")
    run = api.check(watch["tracker"])
    assert (run["errors"], run["comments"]) == (0, 1) and now(api, watch)["error"] is None
    found = comments(api, watch)
    assert found[:-1] == before
    assert (found[-1]["author"], found[-1]["text"]) == ("J\u00f6rg <joerg@example.net>", text)
    tracker.change(1, bad="not", title="and back again")
    tracker.comment(1, "the last word")
    run = api.check(watch["tracker"])
    assert (run["errors"], run["comments"]) == (0, 1)
    assert [c["number"] for c in comments(api, watch)] == [5 * (i + 1) + i // 3 for i in range(len(before) + 2)]
    assert [c["text"] for c in comments(api, watch)][-2:] == [text, "the last word"]
    assert now(api, other)["error"] is None


def test_a_first_reading_from_the_mbox(api, tracker):
    tracker.change(3, bad="log")
    tracker.comment(3, "one more")
    watch = api.watch(tracker.url(3))
    api.check(watch["tracker"])
    found = comments(api, watch)
    assert [c["number"] for c in found] == [5 * (i + 1) + i // 3 for i in range(tracker.bug(3)["comments"])]
    tracker.change(3, bad="not", title="read anew")
    assert api.check(watch["tracker"])["comments"] == 0 and comments(api, watch) == found


# ---- a mirror ----

WATCHED = range(11, 31)


class Mirror:
    """A database with the tables of UDD that count, filled by hand."""

    def __init__(self, cluster, name):
        self.url = cluster.database(name)
        for table in "bugs", "archived_bugs":
            sql(self.url, f"CREATE TABLE {table} (id integer PRIMARY KEY, last_modified timestamp, title text)")

    def set(self, number, at, table="bugs"):
        stamp = at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        sql(self.url, f"INSERT INTO {table} VALUES ({number}, '{stamp}')"
                      " ON CONFLICT (id) DO UPDATE SET last_modified = excluded.last_modified")

    def queries(self):
        return int(sql(self.url, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")[0][0])

    @property
    def secret_url(self):
        return self.url.replace("bugwatch@", f"bugwatch:{SECRET}@")


@pytest.fixture(scope="module")
def mirror(cluster):
    return Mirror(cluster, "udd")


@pytest.fixture
def name(service, tracker, mirror):
    api = service.api
    name = api.watch_many(tracker.url(i) for i in WATCHED)[0]["tracker"]
    api.ok("PATCH", f"trackers/{name}", {"udd": mirror.secret_url, "changes_interval_s": 1})
    api.check(name)
    wait_for(lambda: "changes" in api.ok("GET", f"trackers/{name}")["abilities"], "the mirror to be seen")
    yield name
    api.ok("PATCH", f"trackers/{name}", {"udd": None, "changes_interval_s": None})


def watched(api, tracker, number):
    return api.items("watches", url=tracker.url(number))[0]


def test_a_mirror_says_what_changed(service, tracker, mirror, name):
    """A change arrives without a check of all bugs, also one of an archived bug, and one that the mirror
    learns late."""
    api = service.api
    at = datetime.now(timezone.utc)
    for number, table, late in ((12, "bugs", 0), (13, "archived_bugs", 0), (14, "bugs", 40)):
        tracker.change(number, status="done")
        tracker.forget()
        mirror.set(number, at - timedelta(minutes=late), table)
        wait_for(lambda: watched(api, tracker, number)["status"] == "fix-released", f"bug {number}")
        asked = [u for u in tracker.seen()["uris"] if "get_status" in u]
        assert len(asked) <= 2, asked
    assert api.ok("GET", f"trackers/{name}")["error"] is None
    runs = [r for r in api.items("runs", tracker=name, limit=50) if r["reason"] == "changes" and r["checked"] > 0]
    assert runs and all(r["checked"] < len(WATCHED) for r in runs)


def test_a_mirror_that_fails(service, tracker, mirror, name):
    """It is said, and nothing else stops."""
    api = service.api
    sql(mirror.url, "ALTER TABLE archived_bugs RENAME TO elsewhere")
    try:
        failed = wait_for(lambda: api.ok("GET", f"trackers/{name}")["error"], "an error")
        assert "UDD" in failed["message"] and "archived_bugs" in failed["message"]
        tracker.change(15, status="done")
        run = api.check(name)
        assert (run["state"], run["errors"]) == ("done", 0) and run["checked"] >= len(WATCHED)
        assert watched(api, tracker, 15)["status"] == "fix-released"
        shown = api.ok("GET", f"trackers/{name}")
        assert shown["health"] == "failing" and "UDD" in shown["error"]["message"], "also after a good check"
    finally:
        sql(mirror.url, "ALTER TABLE elsewhere RENAME TO archived_bugs")
    wait_for(lambda: api.ok("GET", f"trackers/{name}")["error"] is None, "recovery")
    tracker.change(16, status="done")
    mirror.set(16, datetime.now(timezone.utc))
    wait_for(lambda: watched(api, tracker, 16)["status"] == "fix-released", "news again")


def test_a_mirror_is_a_secret(service, tracker, mirror, name):
    api = service.api
    shown = api.request("GET", f"trackers/{name}")
    assert shown.json["has_udd"] is True and "udd" not in shown.json and SECRET not in shown.body.decode()
    assert SECRET not in service.words()
    stored = sql(service.settings["database"], f"SELECT udd FROM bugwatch.tracker WHERE name = '{name}'")[0][0]
    assert SECRET.encode().hex() not in stored and len(stored) > 50
    api.ok("PATCH", f"trackers/{name}", {"udd": None})
    assert api.ok("GET", f"trackers/{name}")["has_udd"] is False
    wait_for(lambda: "changes" not in api.ok("GET", f"trackers/{name}")["abilities"], "the ability to go")


@pytest.mark.parametrize("udd, words", [
    ("dbname=udd", "name a host"),
    ("host=h passfile=/etc/shadow", "must not set passfile"),
    ("host=h nonsense=1", "can't be understood"),
    ("", "1"),
])
def test_what_is_no_mirror(api, service, tracker, udd, words):
    name = api.watch(tracker.url(40))["tracker"]
    problem = api.request("PATCH", f"trackers/{name}", {"udd": udd})
    assert problem.status == 400 and problem.json["errors"][0]["field"] == "udd"
    assert words in problem.json["errors"][0]["message"]


def test_set_from_the_command_line(service, tracker, mirror):
    name = service.api.watch(tracker.url(41))["tracker"]
    service.cli("tracker", "set", name, "udd=@-", stdin=mirror.secret_url + "\n")
    shown = service.cli("tracker", "show", name, "--json")
    assert shown.json["has_udd"] is True and SECRET not in shown.out
    service.cli("tracker", "set", name, "udd=null")
    assert service.api.ok("GET", f"trackers/{name}")["has_udd"] is False


def test_an_address_that_is_not_allowed(tracker, mirror):
    """The same rule as for trackers: of two loopback networks only the tracker's is allowed."""
    with_udd = mirror.url.replace("127.0.0.1", "127.1.2.3")
    service = Service(allow="127.0.0.1/32").start()
    try:
        api = service.api
        name = api.watch(tracker.url(1))["tracker"]
        api.ok("PATCH", f"trackers/{name}", {"udd": with_udd, "changes_interval_s": 1})
        failed = wait_for(lambda: api.ok("GET", f"trackers/{name}")["error"], "an error")
        assert failed["kind"] == "blocked-address" and "UDD" in failed["message"]
        assert api.check(name)["state"] == "done"
    finally:
        service.close()
