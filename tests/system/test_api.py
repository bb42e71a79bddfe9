"""The REST contract: routes, statuses, roles, problems, validation, cursors."""
import re
import stat

from urllib.parse import quote

import pytest

from harness import Api, wait_for

# Nobody listens there: trackers are made at once, without asking them.
NOWHERE = "http://127.0.0.1:1/"

TRACKER_FIELDS = {
    "name", "type", "base_url", "title", "enabled", "version", "abilities", "health", "error", "watches",
    "watches_with_errors", "last_run", "next_check_at", "has_credentials", "has_udd", "batch_size", "max_connections",
    "min_delay_ms", "changes_interval_s", "schedule", "mode", "warning", "sync_comments", "store_private",
}
WATCH_FIELDS = {
    "id", "url", "ref", "tracker", "remote_id", "title", "product", "remote_status", "remote_resolution",
    "remote_importance", "remote_severity", "remote_priority", "remote_tags", "status", "importance",
    "created_at", "last_checked_at", "last_changed_at", "remote_changed_at", "next_check_at",
    "next_check_reason", "comments", "error",
}
RUN_FIELDS = {
    "id", "tracker", "reason", "state", "queued_at", "started_at", "finished_at", "due", "checked", "changed",
    "comments", "errors", "requests", "bytes", "instance", "error",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def problem(answer, status, field=None):
    """ANSWER is RFC 9457's, of STATUS, and names FIELD."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    told = answer.json
    assert told["status"] == status and told["type"] and told["title"] and told["detail"]
    if field is not None:
        assert [e["field"] for e in told["errors"]] == [field], told
        assert all(e["message"] for e in told["errors"])
    return told


@pytest.fixture(scope="module")
def viewer(service):
    made = service.api.ok("POST", "tokens", {"name": "watcher", "role": "viewer"}, 201)
    return Api(service.url, made["token"])


@pytest.fixture(scope="module")
def tracker(api):
    return api.ok("POST", "trackers", {"name": "main", "type": "bugzilla", "base_url": NOWHERE + "main/"}, 201)


@pytest.fixture(scope="module")
def watch(api, tracker):
    return api.watch(tracker["base_url"] + "show_bug.cgi?id=1")


def test_state_folder(service):
    """Where clients look, and nobody else."""
    for name in ("admin-token", "secret-key"):
        mode = stat.S_IMODE((service.state / name).stat().st_mode)
        assert mode == 0o600, f"{name}: {mode:o}"
    assert service.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_open_doors(api, path):
    assert api.get(path, token=False).status == 200


@pytest.mark.parametrize("token", [False, "wrong", ""])
def test_no_token(api, token):
    for path in ("trackers", "watches", "whoami", "runs/1"):
        headers = {"Authorization": "Bearer "} if token == "" else None
        answer = api.get(path, token=token or False, headers=headers)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_other_schemes_are_no_token(api):
    problem(api.get("whoami", token=False, headers={"Authorization": "Basic YTpi"}), 401)
    problem(api.get("whoami", token=False, headers={"Authorization": "Bearer"}), 401)


def test_scheme_without_regard_to_case(api):
    assert api.get("whoami", token=False, headers={"Authorization": f"bearer {api.token}"}).status == 200


def test_viewer(viewer, tracker, watch):
    for path in ("trackers", "trackers/main", "watches", f"watches/{watch['id']}", "runs", "whoami"):
        assert viewer.get(path).status == 200, path
    for method, path, body in (
        ("POST", "trackers", {"name": "x", "type": "bugzilla", "base_url": NOWHERE}),
        ("PATCH", "trackers/main", {"title": "x"}),
        ("DELETE", "trackers/main", None),
        ("POST", "trackers/main/check", None),
        ("POST", "watches", {"url": NOWHERE + "show_bug.cgi?id=2"}),
        ("DELETE", f"watches/{watch['id']}", None),
        ("POST", f"watches/{watch['id']}/check", None),
        ("POST", "tokens", {"name": "x", "role": "admin"}),
    ):
        problem(viewer.request(method, path, body), 403)


def test_whoami_and_tokens(api, viewer):
    me = api.ok("GET", "whoami")
    assert me["role"] == "admin" and set(me) == {"id", "name", "role"}
    assert viewer.ok("GET", "whoami")["name"] == "watcher"
    listed = api.items("tokens")
    assert {t["name"] for t in listed} >= {"watcher"}
    assert all("token" not in t for t in listed), "a token is shown once"


def test_revoked_token(api, service):
    made = api.ok("POST", "tokens", {"name": "short", "role": "viewer"}, 201)
    assert set(made) == {"id", "name", "role", "created_at", "expires_at", "token"}
    other = Api(service.url, made["token"])
    assert other.get("whoami").status == 200
    assert api.request("DELETE", f"tokens/{made['id']}").status == 204
    problem(other.get("whoami"), 401)
    problem(api.request("DELETE", f"tokens/{made['id']}"), 404)


@pytest.mark.parametrize("body,field", [
    ({"role": "viewer"}, "name"),
    ({"name": "a"}, "role"),
    ({"name": "a", "role": "owner"}, "role"),
    ({"name": "", "role": "viewer"}, "name"),
    ({"name": "a" * 101, "role": "viewer"}, "name"),
    ({"name": 7, "role": "viewer"}, "name"),
    ({"name": "a", "role": "viewer", "token": "mine"}, "token"),
])
def test_token_validation(api, body, field):
    problem(api.request("POST", "tokens", body), 400, field)


@pytest.mark.parametrize("method,path", [
    ("GET", "nothing"), ("GET", "trackers/none"), ("PATCH", "trackers/none"), ("DELETE", "trackers/none"),
    ("POST", "trackers/none/check"), ("GET", "watches/999999"), ("GET", "watches/none"),
    ("DELETE", "watches/999999"), ("POST", "watches/999999/check"), ("GET", "watches/999999/events"),
    ("GET", "runs/999999"), ("GET", "runs/x"), ("GET", "runs/999999/errors"), ("DELETE", "tokens/999999"),
    ("GET", "watches/99999999999999999999"), ("GET", "trackers/a%2Fb"), ("GET", "trackers/%00"),
    ("GET", "/api/v2/trackers"), ("GET", "/api/v1"), ("GET", "/nowhere"),
])
def test_not_found(api, method, path):
    problem(api.request(method, path, {} if method == "PATCH" else None), 404)


@pytest.mark.parametrize("method,path,allowed", [
    ("PUT", "trackers", {"GET", "POST"}),
    ("DELETE", "watches", {"GET", "POST"}),
    ("POST", "trackers/main", {"GET", "PATCH", "DELETE"}),
    ("GET", "trackers/main/check", {"POST"}),
    ("POST", "runs", {"GET"}),
    ("DELETE", "whoami", {"GET"}),
    ("POST", "/healthz", {"GET"}),
])
def test_wrong_method(api, tracker, method, path, allowed):
    answer = api.request(method, path)
    problem(answer, 405)
    assert {m.strip() for m in answer.headers["Allow"].split(",")} >= allowed


def test_tracker_as_made(api, tracker):
    assert set(tracker) >= TRACKER_FIELDS
    assert tracker["name"] == "main" and tracker["type"] == "bugzilla"
    assert tracker["base_url"] == NOWHERE + "main/"
    assert tracker["enabled"] is True and tracker["has_credentials"] is False
    assert tracker["max_connections"] == 2 and tracker["min_delay_ms"] == 0
    assert tracker["sync_comments"] == "all" and tracker["changes_interval_s"] is None
    assert isinstance(tracker["abilities"], list)
    assert api.ok("GET", "trackers/main")["name"] == "main"


def test_tracker_made_has_location(api):
    answer = api.request("POST", "trackers", {"name": "located", "type": "auto", "base_url": NOWHERE + "loc/"})
    assert answer.status == 201
    assert api.ok("GET", answer.headers["Location"])["name"] == "located"


def test_base_url_is_made_canonical(api):
    made = api.ok("POST", "trackers", {"name": "canon", "type": "roundup",
                                       "base_url": "HTTP://user:pw@Tracker.Example.NET:80/x"}, 201)
    assert made["base_url"] == "http://tracker.example.net/x/"
    assert "pw" not in api.get("trackers/canon").body.decode()


def test_tracker_taken(api, tracker):
    problem(api.request("POST", "trackers",
                        {"name": "main", "type": "bugzilla", "base_url": NOWHERE + "other/"}), 409)
    problem(api.request("POST", "trackers",
                        {"name": "main2", "type": "bugzilla", "base_url": tracker["base_url"]}), 409)


@pytest.mark.parametrize("body,field", [
    ({"type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": "../x", "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": "-x", "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": "a" * 101, "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": "a b", "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": "a\n", "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": 1, "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": None, "type": "bugzilla", "base_url": NOWHERE}, "name"),
    ({"name": "v", "type": "jira", "base_url": NOWHERE}, "type"),
    ({"name": "v", "type": "bugzilla"}, "base_url"),
    ({"name": "v", "type": "bugzilla", "base_url": "ftp://example.net/"}, "base_url"),
    ({"name": "v", "type": "bugzilla", "base_url": "file:///etc/passwd"}, "base_url"),
    ({"name": "v", "type": "bugzilla", "base_url": "hello"}, "base_url"),
    ({"name": "v", "type": "bugzilla", "base_url": "http://"}, "base_url"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "health": "ok"}, "health"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "colour": "red"}, "colour"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "max_connections": 0}, "max_connections"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "max_connections": "2"}, "max_connections"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "max_connections": 2.5}, "max_connections"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "max_connections": 10**20}, "max_connections"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "max_connections": True}, "max_connections"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "min_delay_ms": -1}, "min_delay_ms"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "changes_interval_s": 0}, "changes_interval_s"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "sync_comments": "some"}, "sync_comments"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "enabled": "yes"}, "enabled"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "batch_size": 0}, "batch_size"),
    ({"name": "v", "type": "bugzilla", "base_url": NOWHERE, "title": 5}, "title"),
])
def test_tracker_validation(api, body, field):
    problem(api.request("POST", "trackers", body), 400, field)
    assert api.get("trackers/v").status == 404


@pytest.mark.parametrize("credentials", [5, "key", [], {}, {"api_key": 5}, {"username": "a"},
                                         {"password": "a"}, {"api_key": "a", "username": "b", "password": "c"},
                                         {"token": "a"}, {"api_key": "a\r\nX: y"}])
def test_credentials_validation(api, credentials):
    answer = api.request("POST", "trackers", {"name": "v", "type": "bugzilla", "base_url": NOWHERE,
                                              "credentials": credentials})
    told = problem(answer, 400)
    assert all(e["field"].startswith("credentials") for e in told["errors"]) and told["errors"]


def test_patch(api):
    api.ok("POST", "trackers", {"name": "patched", "type": "bugzilla", "base_url": NOWHERE + "p/"}, 201)
    changed = api.ok("PATCH", "trackers/patched", {"title": "The <b> one", "max_connections": 5,
                                                   "min_delay_ms": 250, "batch_size": 50,
                                                   "changes_interval_s": 60, "sync_comments": "none"}, 200)
    assert changed["title"] == "The <b> one" and changed["max_connections"] == 5
    assert changed["min_delay_ms"] == 250 and changed["batch_size"] == 50
    assert changed["changes_interval_s"] == 60 and changed["sync_comments"] == "none"
    again = api.ok("PATCH", "trackers/patched", {"title": None, "changes_interval_s": None}, 200)
    assert again["title"] is None and again["changes_interval_s"] is None and again["max_connections"] == 5
    assert api.ok("PATCH", "trackers/patched", {}, 200)["max_connections"] == 5


@pytest.mark.parametrize("field,value", [
    ("name", "other"), ("watches", 3), ("health", "ok"), ("type", "jira"), ("max_connections", 0),
    ("max_connections", None), ("enabled", None), ("version", "9"), ("last_run", None), ("sync_comments", None),
])
def test_patch_applies_nothing_half(api, tracker, field, value):
    before = api.ok("GET", "trackers/main")
    problem(api.request("PATCH", "trackers/main", {"title": "half", field: value}), 400, field)
    assert api.ok("GET", "trackers/main")["title"] == before["title"]


def test_credentials_are_written_only(api):
    made = api.ok("POST", "trackers", {"name": "secret", "type": "bugzilla", "base_url": NOWHERE + "s/",
                                       "credentials": {"api_key": "hush-hush"}}, 201)
    assert made["has_credentials"] is True and "credentials" not in made
    assert "hush-hush" not in api.get("trackers/secret").body.decode()
    gone = api.ok("PATCH", "trackers/secret", {"credentials": None}, 200)
    assert gone["has_credentials"] is False
    back = api.ok("PATCH", "trackers/secret", {"credentials": {"username": "u", "password": "p"}}, 200)
    assert back["has_credentials"] is True


def test_paused(api):
    api.ok("POST", "trackers", {"name": "paused", "type": "bugzilla", "base_url": NOWHERE + "pause/",
                                "enabled": False}, 201)
    assert api.ok("GET", "trackers/paused")["health"] == "paused"
    watch = api.watch(NOWHERE + "pause/show_bug.cgi?id=3")
    assert watch["tracker"] == "paused" and watch["next_check_at"] is None
    assert api.ok("PATCH", "trackers/paused", {"enabled": True}, 200)["health"] != "paused"


def test_delete_takes_watches(api):
    api.ok("POST", "trackers", {"name": "doomed", "type": "bugzilla", "base_url": NOWHERE + "doomed/"}, 201)
    watch = api.watch(NOWHERE + "doomed/show_bug.cgi?id=3")
    assert api.request("DELETE", "trackers/doomed").status == 204
    problem(api.get(f"watches/{watch['id']}"), 404)
    problem(api.get("trackers/doomed"), 404)


def test_watch_as_made(api, tracker):
    url = tracker["base_url"] + "show_bug.cgi?id=41#c3"
    answer = api.request("POST", "watches", {"url": url, "ref": "ticket 9"})
    assert answer.status == 201
    watch = answer.json
    assert set(watch) == WATCH_FIELDS
    assert isinstance(watch["id"], str) and watch["ref"] == "ticket 9" and watch["remote_id"] == "41"
    assert watch["tracker"] == "main" and watch["status"] == watch["importance"] == "unknown"
    for name in ("title", "product", "remote_status", "remote_resolution", "remote_importance",
                 "remote_severity", "remote_priority", "remote_tags", "remote_changed_at"):
        assert watch[name] is None, name
    assert MOMENT.fullmatch(watch["created_at"])
    assert api.ok("GET", answer.headers["Location"])["id"] == watch["id"]
    again = api.request("POST", "watches", {"url": url, "ref": "ticket 9"})
    assert again.status == 200 and again.json["id"] == watch["id"]
    # Another way to write the same bug, and another ref.
    same = api.request("POST", "watches", {"url": tracker["base_url"] + "show_bug.cgi?id=41", "ref": "ticket 9"})
    assert same.status == 200 and same.json["id"] == watch["id"]
    other = api.request("POST", "watches", {"url": url})
    assert other.status == 201 and other.json["id"] != watch["id"] and other.json["ref"] is None


def test_watch_makes_its_tracker(api):
    one = api.watch(NOWHERE + "fresh/show_bug.cgi?id=1")
    two = api.watch(NOWHERE + "fresh/show_bug.cgi?id=2")
    assert one["tracker"] == two["tracker"]
    tracker = api.ok("GET", f"trackers/{one['tracker']}")
    assert tracker["type"] == "bugzilla" and tracker["base_url"] == NOWHERE + "fresh/"
    assert tracker["watches"] == 2


def test_http_and_https_are_one_tracker(api):
    one = api.watch("http://both.example.net/show_bug.cgi?id=1")
    two = api.watch("https://both.example.net/show_bug.cgi?id=2")
    assert one["tracker"] == two["tracker"]


@pytest.mark.parametrize("body,field", [
    ({}, "url"), ({"url": 5}, "url"), ({"url": "hello"}, "url"), ({"url": None}, "url"),
    ({"url": "https://jira.example.net/browse/AB-9"}, "url"),
    ({"url": "http://example.net/show_bug.cgi?id=" + "9" * 3000}, "url"),
    ({"url": NOWHERE + "show_bug.cgi?id=1", "ref": 5}, "ref"),
    ({"url": NOWHERE + "show_bug.cgi?id=1", "ref": "r" * 1001}, "ref"),
    ({"url": NOWHERE + "show_bug.cgi?id=1", "status": "new"}, "status"),
    ({"url": NOWHERE + "show_bug.cgi?id=1", "id": "7"}, "id"),
])
def test_watch_validation(api, body, field):
    problem(api.request("POST", "watches", body), 400, field)


def test_many_watches_at_once(api, tracker):
    base = tracker["base_url"] + "show_bug.cgi?id="
    api.watch(base + "500")
    answer = api.request("POST", "watches", [{"url": base + "500"}, {"url": "hello"},
                                             {"url": base + "501", "ref": "r"}, {"url": base + "502", "x": 1},
                                             {"url": base + "501", "ref": "r"}, 7])
    assert answer.status == 207
    items = answer.json["items"]
    assert [i["status"] for i in items] == [200, 400, 201, 400, 200, 400]
    assert items[2]["watch"]["remote_id"] == "501" and items[4]["watch"]["id"] == items[2]["watch"]["id"]
    for item in (items[1], items[3], items[5]):
        assert item["problem"]["status"] == 400 and item["problem"]["detail"]
    assert items[3]["problem"]["errors"][0]["field"] == "x"


def test_array_bounds(api, tracker):
    base = tracker["base_url"] + "show_bug.cgi?id="
    assert api.ok("POST", "watches", [], 207)["items"] == []
    many = [{"url": f"{base}{10000 + i}"} for i in range(10001)]
    assert api.request("POST", "watches", many).status in (400, 413)
    answer = api.ok("POST", "watches", many[:10000], 207)
    assert len(answer["items"]) == 10000
    assert {i["status"] for i in answer["items"]} == {201}
    found = api.items("watches", tracker="main", limit=1000)
    assert len({w["id"] for w in found}) == len(found) >= 10000


def test_cursors(api, tracker):
    base = tracker["base_url"] + "show_bug.cgi?id="
    made = {w["id"] for w in api.watch_many(f"{base}{900000 + i}" for i in range(25))}
    pages, cursor = [], None
    while True:
        page = api.ok("GET", "watches?tracker=main&limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        assert set(page) == {"items", "next"} and len(page["items"]) <= 1000
        pages.append([w["id"] for w in page["items"]])
        cursor = page["next"]
        if cursor is None:
            break
        assert len(page["items"]) == 1000
    seen = [name for page in pages for name in page]
    assert len(seen) == len(set(seen)) and made <= set(seen)
    assert len(api.ok("GET", "watches")["items"]) == 100
    assert len(api.ok("GET", "watches?limit=1")["items"]) == 1


@pytest.mark.parametrize("query", [
    "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.5", "limit=99999999999999999999",
    "cursor=x", "cursor=", "cursor=%27%3B--", "cursor=AAAA", "wrong=1", "limit=1&limit=2", "error=sometimes",
    "status=sleepy",
])
def test_bad_queries(api, query):
    told = problem(api.get("watches?" + query), 400)
    assert told["errors"][0]["field"] == query.split("=")[0]


def test_filters(api, tracker):
    base = tracker["base_url"] + "show_bug.cgi?id="
    one = api.watch(base + "77", "a/b & c")
    assert [w["id"] for w in api.items("watches", ref="a/b & c")] == [one["id"]]
    assert one["id"] in [w["id"] for w in api.items("watches", url=base + "77")]
    assert [w for w in api.items("watches", tracker="main", url=base + "77")]
    assert api.items("watches", tracker="no-such") == []
    assert one["id"] in [w["id"] for w in api.items("watches", ref="a/b & c", status="unknown")]
    assert api.items("watches", ref="a/b & c", status="new") == []
    assert api.items("watches", ref="a/b & c", error="bug-not-found") == []


def test_deleted_watch_id_is_not_used_again(api, tracker):
    url = tracker["base_url"] + "show_bug.cgi?id=88"
    one = api.watch(url)
    assert api.request("DELETE", f"watches/{one['id']}").status == 204
    problem(api.request("DELETE", f"watches/{one['id']}"), 404)
    assert api.watch(url)["id"] != one["id"]


@pytest.mark.parametrize("raw", [
    b"", b"{", b"[1,]", b"{'url': 1}", b'{"url": NaN}', b'{"url": Infinity}', b'{"url": "a"} x', b'{"url": "a"}{}',
    b'{"url": "\xff"}', b'{"url": "a", "url": "b"}', b'{"url": "a\nb"}', b"null x", b"nope", b"[" * 100 + b"]" * 100,
    b'{"a":' * 40 + b"1" + b"}" * 40, b'{"url": "\\ud800"}', b'/**/{"url": "a"}', b'{"url": 01}', b'\xef\xbb\xbf{}x',
], ids=lambda raw: repr(raw[:24]))
def test_broken_json(api, raw):
    problem(api.request("POST", "watches", raw=raw), 400)


@pytest.mark.parametrize("raw", [b"5", b"null", b'"text"', b"true"])
def test_json_of_the_wrong_kind(api, raw):
    problem(api.request("POST", "watches", raw=raw), 400)
    problem(api.request("POST", "trackers", raw=raw), 400)


def test_nul_in_text(api, tracker):
    """PostgreSQL takes no NUL: refused or made harmless, never a failure of ours."""
    answer = api.request("POST", "watches", raw=b'{"url": "' + tracker["base_url"].encode() +
                         b'show_bug.cgi?id=5", "ref": "a\\u0000b"}')
    assert answer.status in (200, 201, 400), answer


def test_large_body(api):
    body = b'{"url": "' + b"a" * (8 * 1024 * 1024) + b'"}'
    try:
        answer = api.request("POST", "watches", raw=body)
    except OSError:
        api.close()  # it need not read what it refuses
        return
    problem(answer, 413)


def test_still_well_after_all_that(api, service):
    assert api.get("whoami").status == 200
    assert service.process.poll() is None


def test_check_answers_at_once(api, watch):
    for path in ("trackers/main/check", f"watches/{watch['id']}/check"):
        answer = api.request("POST", path)
        assert answer.status == 202
        run = answer.json["run"]
        assert set(run) == RUN_FIELDS
        assert run["tracker"] == "main" and run["reason"] == "forced" and run["state"] in ("queued", "running")
        assert api.ok("GET", answer.headers["Location"])["id"] == run["id"]


def test_runs(api, watch):
    run = api.check("main")
    assert run["state"] == "failed" and run["error"]["kind"] == "connection" and run["error"]["message"]
    assert MOMENT.fullmatch(run["queued_at"]) and MOMENT.fullmatch(run["finished_at"])
    runs = api.items("runs", tracker="main")
    assert [int(r["id"]) for r in runs] == sorted((int(r["id"]) for r in runs), reverse=True), "newest first"
    assert all(r["tracker"] == "main" for r in runs)
    assert all(r["state"] == "failed" for r in api.items("runs", state="failed"))
    problem(api.get("runs?state=lost"), 400, "state")
    tracker = api.ok("GET", "trackers/main")
    assert tracker["health"] == "failing" and tracker["error"]["kind"] == "connection"
    assert set(tracker["error"]) == {"kind", "message", "since", "retry_at"}
    assert tracker["last_run"]["state"] == "failed"
    # The tracker's failure is not its bugs'.
    assert api.ok("GET", f"watches/{watch['id']}")["error"] is None


def test_deleted_while_it_runs(api):
    api.ok("POST", "trackers", {"name": "fleeting", "type": "bugzilla", "base_url": NOWHERE + "fleeting/"}, 201)
    api.watch(NOWHERE + "fleeting/show_bug.cgi?id=1")
    api.request("POST", "trackers/fleeting/check")
    assert api.request("DELETE", "trackers/fleeting").status == 204
    wait_for(lambda: api.get("/readyz", token=False).status == 200, "still well")


def test_a_quoted_id_stays_whole_characters(api):
    """What is quoted of a request is cut, and the cut must not leave half a character."""
    for n in range(36, 44):
        answer = api.get("watches/" + quote("1" * n + "\u00e9\U0001f41b"))
        assert answer.status == 404 and "11111" in answer.json["detail"]


def test_what_is_known_is_not_sent_again(api):
    api.ok("POST", "trackers", {"name": "polled", "type": "bugzilla", "base_url": "http://127.0.0.1:2/"})
    api.ok("PATCH", "trackers/polled", {"enabled": False})
    wait_for(lambda: api.ok("GET", "trackers/polled")["next_check_at"] is None, "the tracker rests")
    first = api.get("trackers/polled")
    tag = first.headers["ETag"]
    same = api.get("trackers/polled", headers={"If-None-Match": f'"other", {tag}'})
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag)
    api.ok("PATCH", "trackers/polled", {"title": "Another"})
    changed = api.get("trackers/polled", headers={"If-None-Match": tag})
    assert changed.status == 200 and changed.json["title"] == "Another" and changed.headers["ETag"] != tag
    assert "ETag" not in api.request("PATCH", "trackers/polled", {"title": None}).headers
    assert api.request("HEAD", "trackers/polled").headers["ETag"]
