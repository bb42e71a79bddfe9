"""Who did what: the record of administrators' acts, tokens that end, requests sent twice."""
import pytest

from harness import Api, Service, sql, wait_for

NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture
def tracker(api):
    """A tracker that is there and rests."""
    if api.get("trackers/known").status == 404:
        api.ok("POST", "trackers", {"name": "known", "type": "bugzilla", "base_url": NOWHERE})
    return "known"


def newest(api, **found):
    """The newest act that looks like this, once its outcome is noted."""

    def look():
        for act in api.items("audit"):
            if all(act[field] == value for field, value in found.items()) and act["status"] is not None:
                return act
        return None

    return wait_for(look, f"an act on record: {found}")


def test_acts_are_on_record(api, tracker):
    who = api.ok("GET", "whoami")
    api.ok("PATCH", f"trackers/{tracker}", {"title": "Nowhere", "credentials": {"api_key": "s3cret-s3cret"}})
    act = newest(api, method="PATCH", path=f"/api/v1/trackers/{tracker}")
    assert (act["token"], act["name"], act["address"]) == (who["id"], who["name"], "127.0.0.1")
    assert act["status"] == 200 and "Nowhere" in act["body"]
    assert "s3cret" not in api.get("audit?limit=1000").body.decode()


def test_refused_acts_too(api, service):
    assert api.request("DELETE", "trackers/nothing").status == 404
    assert newest(api, path="/api/v1/trackers/nothing")["status"] == 404
    shown = service.cli("audit")
    assert "/api/v1/trackers/nothing" in shown.out and "404" in shown.out


def test_readers_leave_none_and_see_none(api, tracker):
    before = len(api.items("audit"))
    viewer = Api(api.url, api.ok("POST", "tokens", {"name": "reader", "role": "viewer"})["token"])
    assert viewer.get("trackers").status == 200
    assert viewer.request("DELETE", f"trackers/{tracker}").status == 403
    assert viewer.get("audit").status == 403
    assert len(api.items("audit")) == before + 1


def test_twice_is_once(api, tracker):
    """The same key, the same run; another key, another request."""
    headers = {"Idempotency-Key": "nightly-1"}
    path = f"trackers/{tracker}/check"
    first = api.request("POST", path, headers=headers)
    assert first.status == 202
    api.ended(first.json["run"]["id"])

    def repeated():
        again = api.request("POST", path, headers=headers)
        assert again.status in (202, 409), again
        return again if again.status == 202 else None

    again = wait_for(repeated, "the answer of the first")
    assert again.json["run"]["id"] == first.json["run"]["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    other = api.request("POST", path, headers={"Idempotency-Key": "nightly-2"})
    assert other.status == 202 and other.json["run"]["id"] != first.json["run"]["id"]


def test_keys_are_for_one_request(api, tracker):
    watch = api.watch(NOWHERE + "show_bug.cgi?id=5")
    headers = {"Idempotency-Key": "one"}
    assert api.request("POST", f"trackers/{tracker}/check", headers=headers).status == 202
    assert api.request("POST", f"watches/{watch['id']}/check", headers=headers).status == 422
    for bad in ("", " ", "a b", "x" * 256):
        assert api.request("POST", f"trackers/{tracker}/check",
                           headers={"Idempotency-Key": bad}).status == 400, bad


def test_tokens_end(cluster, made):
    url = cluster.database("tokens")
    api = made(Service(database=url).start()).api
    token = api.ok("POST", "tokens", {"name": "short", "role": "viewer", "days": 1})
    assert token["expires_at"] is not None
    listed = next(t for t in api.items("tokens") if t["id"] == token["id"])
    assert listed["expires_at"] == token["expires_at"] and listed["used_at"] is None
    short = Api(api.url, token["token"])
    assert short.get("whoami").status == 200
    wait_for(lambda: next(t for t in api.items("tokens") if t["id"] == token["id"])["used_at"], "its use")
    sql(url, f"UPDATE bugwatch.token SET expires_at = now() WHERE id = {token['id']}")
    assert short.get("whoami").status == 401
