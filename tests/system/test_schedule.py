"""When bugs are asked about, and in what words that is told."""
import re
import time
from datetime import datetime

import pytest

from harness import Farm, Service, wait_for

DAY = 86400


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, roundup=1, bugs=40)
    yield farm
    farm.close()


@pytest.fixture
def tracker(farm):
    tracker = farm.trackers["bugzilla"][0]
    yield tracker
    tracker.calm()


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def shown(api, name):
    return api.ok("GET", f"trackers/{name}")


def watch_all(api, tracker):
    watches = api.watch_many(tracker.url(i) for i in range(1, 31))
    api.settled()
    return watches[0]["tracker"]


def reasons(api, name):
    return {w["id"]: w["next_check_reason"] for w in api.items("watches", tracker=name, limit=1000)}


def test_each_bug_says_why(api, tracker):
    name = watch_all(api, tracker)
    assert shown(api, name)["mode"] == "batch"
    watches = api.items("watches", tracker=name, limit=1000)
    resolved = {"fix-released", "invalid", "wont-fix", "expired", "opinion"}
    for watch in watches:
        if watch["error"] is not None:
            assert re.match(r"(bug-not-found|private-bug), 1 in a row: again after 2\d h", watch["next_check_reason"])
        elif watch["status"] in resolved:
            assert re.match(r"resolved \d+ (s|min|h|days) ago: every \d+ (min|h|days)$", watch["next_check_reason"])
        else:
            assert re.match(r"unchanged for \d+ (s|min|h|days): every \d+ (min|h|days)$", watch["next_check_reason"])
    assert any(w["next_check_reason"].startswith("resolved") for w in watches)
    assert any(w["next_check_reason"].startswith("unchanged") for w in watches)
    assert all(seconds(w["next_check_at"]) > time.time() for w in watches)


def test_a_batch_is_asked_at_once_for_all(api, tracker):
    """Whoever is due first: a request of few bugs costs the same."""
    name = watch_all(api, tracker)
    assert api.ok("PATCH", f"trackers/{name}", {"schedule": {"batch_interval_s": 1}})["schedule"] == {"batch_interval_s": 1}
    tracker.change(7, title="Seen with the next batch")
    wait_for(lambda: api.items("watches", url=tracker.url(7))[0]["title"] == "Seen with the next batch", "the batch")
    run = next(r for r in api.items("runs", tracker=name) if r["changed"])
    assert run["reason"] == "schedule" and run["checked"] == 30
    assert api.ok("PATCH", f"trackers/{name}", {"schedule": {"batch_interval_s": None}})["schedule"] == {}


def test_the_ladder(api, tracker):
    name = watch_all(api, tracker)
    assert api.ok("PATCH", f"trackers/{name}", {"schedule": {"policy": "ladder"}})["schedule"] == {"policy": "ladder"}
    tracker.change(5, title="On the ladder")
    api.check(name)
    watch = api.items("watches", url=tracker.url(5))[0]
    days = {True: (6, 33), False: (0.8, 8)}[watch["next_check_reason"].startswith("resolved")]
    assert days[0] * DAY < seconds(watch["next_check_at"]) - time.time() < days[1] * DAY, watch
    api.ok("PATCH", f"trackers/{name}", {"schedule": None})
    assert shown(api, name)["schedule"] == {}


@pytest.mark.parametrize("schedule", [{"policy": "daily"}, {"policy": 1}, {"bogus": 1}, {"check_interval_s": 0},
                                      {"jitter_percent": 51}, {"unit_interval_s": "5"}, [], "ladder"])
def test_what_is_no_schedule_is_refused(api, tracker, schedule):
    name = watch_all(api, tracker)
    answer = api.request("PATCH", f"trackers/{name}", {"schedule": schedule})
    assert answer.status == 400, answer
    assert shown(api, name)["schedule"] == {}


def test_set_by_the_command(service, api, tracker):
    name = watch_all(api, tracker)
    service.cli("tracker", "set", name, "policy=ladder", "check_interval_s=864000")
    assert shown(api, name)["schedule"] == {"policy": "ladder", "check_interval_s": 864000}
    service.cli("tracker", "set", name, "policy=null", "check_interval_s=null")
    assert shown(api, name)["schedule"] == {}
    assert "unit_interval_s" in service.cli("tracker", "set", name, "unit_interval_s=0", status=1).err


def test_a_tracker_that_is_down_is_left_alone_for_longer(api, tracker):
    name = watch_all(api, tracker)
    tracker.fault("500")
    waits = []
    for _ in range(4):
        api.ended(api.ok("POST", f"trackers/{name}/check")["run"])
        now = shown(api, name)
        assert now["health"] == "failing" and now["error"]["kind"] == "http"
        assert now["error"]["retry_at"] == now["next_check_at"]
        waits.append(seconds(now["error"]["retry_at"]) - time.time())
    for n, wait in enumerate(waits):
        assert 300 * 2**n * 0.75 < wait < 300 * 2**n * 1.25, waits
    watch = api.items("watches", url=tracker.url(3))[0]
    assert watch["error"] is None and seconds(watch["next_check_at"]) >= seconds(now["error"]["retry_at"])
    tracker.calm()
    api.check(name)
    assert shown(api, name)["health"] == "ok"


def test_a_tracker_that_comes_back_is_found_by_itself(api, tracker):
    name = watch_all(api, tracker)
    api.ok("PATCH", f"trackers/{name}", {"schedule": {"probe_interval_s": 1}})
    tracker.fault("500")
    api.ended(api.ok("POST", f"trackers/{name}/check")["run"])
    tracker.change(9, title="Changed while away")
    tracker.calm()
    wait_for(lambda: api.items("watches", url=tracker.url(9))[0]["title"] == "Changed while away", "the backlog")
    assert shown(api, name)["health"] == "ok"
    api.ok("PATCH", f"trackers/{name}", {"schedule": None})
