"""Many trackers at once."""
import pytest

from harness import Farm

TRACKERS, BUGS = 50, 100


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=TRACKERS, bugs=BUGS, latency_ms=1000)
    yield farm
    farm.close()


def test_fifty_at_once(service, farm):
    """Trackers that take their time are asked side by side: figures are the bench's business."""
    api = service.api
    trackers = farm.trackers["bugzilla"]
    names = []
    for tracker in trackers:
        names.append(api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))[0]["tracker"])
    assert len(set(names)) == TRACKERS
    api.settled()
    for tracker in trackers:
        tracker.forget()
    runs = [api.ok("POST", f"trackers/{name}/check", status=202)["run"] for name in names]
    for run in runs:
        assert api.ended(run)["state"] == "done"
    assert farm.most_at_once() > 20
    assert all(t.seen()["most_under_way"] <= 2 for t in trackers)
