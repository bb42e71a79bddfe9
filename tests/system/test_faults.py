"""Trackers that misbehave: the right kind on the right object, and nobody else is the worse for it."""
import gzip
import json
import socket
import threading

import pytest

from harness import LOOPBACK, Farm, Page, Service, wait_for

BUGS = 100


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, roundup=1, trac=1, trac_plain=1, debbugs=1, bugs=2 * BUGS)
    yield farm
    farm.close()


@pytest.fixture(scope="module")
def service():
    """One that loses its patience with a tracker soon."""
    service = Service(idle_timeout_s=2, total_timeout_s=6).start()
    yield service
    service.close()


@pytest.fixture(params=["bugzilla", "roundup", "trac", "trac-plain", "debbugs"])
def tracker(request, farm, api):
    """A tracker with BUGS watches that have been read."""
    tracker = farm.trackers[request.param][0]
    tracker.calm()
    watches = api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))
    tracker.name = watches[0]["tracker"]
    tracker.other = next(t[0] for k, t in farm.trackers.items() if k != request.param)
    run = api.check(tracker.name)
    assert run["state"] == "done" and run["errors"] == 0, run
    yield tracker
    tracker.calm()


def watches_of(api, tracker):
    return {w["remote_id"]: w for w in api.items("watches", tracker=tracker.name, limit=1000)}


STATE = ("status", "importance", "title", "remote_status", "error")


@pytest.mark.parametrize("fault,kinds", [
    ("html", {"unparsable-tracker"}), ("login", {"auth"}), ("cut", {"unparsable-tracker"}),
    ("cut-connection", {"connection", "unparsable-tracker"}), ("hang", {"timeout"}), ("slow", {"timeout"}),
    ("500", {"http"}), ("503", {"http", "rate-limited"}), ("429", {"rate-limited"}), ("redirect", {"moved"}),
    ("loop", {"http", "moved", "unparsable-tracker"}),
])
def test_tracker_fails_as_a_whole(service, farm, tracker, fault, kinds):
    if fault in ("hang", "slow") and tracker.kind != "bugzilla":
        pytest.skip("the same for all kinds, and slow")
    api = service.api
    before = watches_of(api, tracker)
    neighbour = api.watch(tracker.other.url(1))
    tracker.fault(fault)
    ours = api.ok("POST", f"trackers/{tracker.name}/check", status=202)["run"]
    # Another tracker is not held up by it.
    assert api.check(neighbour["tracker"])["state"] == "done"
    run = api.ended(ours)
    assert run["state"] == "failed" and run["error"]["kind"] in kinds, run
    shown = api.ok("GET", f"trackers/{tracker.name}")
    assert shown["health"] == "failing" and shown["error"]["kind"] == run["error"]["kind"]
    assert shown["error"]["since"] and shown["error"]["retry_at"] and shown["last_run"]["id"] == run["id"]
    after = watches_of(api, tracker)
    for number, watch in after.items():
        assert [watch[f] for f in STATE] == [before[number][f] for f in STATE], "the last known state stays"
    told = service.cli("tracker", "list").out + service.cli("tracker", "show", tracker.name).out
    assert run["error"]["kind"] in told
    assert service.cli("check", tracker.name, "--wait", status=1).err

    tracker.calm()
    healed = wait_for(lambda: (r := api.check(tracker.name))["state"] == "done" and r, "it to recover")
    assert healed["checked"] == BUGS
    shown = api.ok("GET", f"trackers/{tracker.name}")
    assert shown["health"] == "ok" and shown["error"] is None


def test_one_bad_bug(service, tracker):
    """99 are updated, one is in error, in words that a person can act on."""
    api = service.api
    bad = tracker.bad_bugs(BUGS)
    for i in range(1, BUGS + 1):
        tracker.change(i, title=f"Title {i} again")
    tracker.fault("badbug")
    run = api.check(tracker.name)
    assert run["state"] == "done" and run["errors"] == len(bad) and run["checked"] == BUGS
    for number, watch in watches_of(api, tracker).items():
        if int(number) in bad:
            assert watch["error"]["kind"] == "unparsable-bug" and watch["error"]["message"]
        else:
            assert watch["error"] is None and watch["title"] == f"Title {number} again"
    failed = api.items(f"runs/{run['id']}/errors")
    assert {(e["remote_id"], e["kind"]) for e in failed} == {(str(b), "unparsable-bug") for b in bad}
    out = service.cli("list", "--errors", "--tracker", tracker.name).out
    assert "unparsable-bug" in out and len(out.splitlines()) <= 3 + len(bad)
    assert api.ok("GET", f"trackers/{tracker.name}")["watches_with_errors"] == len(bad)
    assert len(api.items("watches", tracker=tracker.name, error="any")) == len(bad)
    assert len(api.items("watches", tracker=tracker.name, error="unparsable-bug")) == len(bad)
    assert len(api.items("watches", tracker=tracker.name, error="none")) == BUGS - len(bad)
    tracker.calm()
    assert api.check(tracker.name)["errors"] == 0


@pytest.mark.parametrize("ids", [[13], [1, 50, 100]])
def test_bug_that_spoils_its_batch(service, tracker, ids):
    """A bug that makes every answer it is in unreadable is found by halving."""
    api = service.api
    for i in range(1, BUGS + 1):
        tracker.change(i, title=f"Spoilt {i}")
    for i in ids:
        tracker.change(i, bad="syntax")
    try:
        run = api.check(tracker.name)
    finally:
        for i in ids:
            tracker.change(i, bad="not")
    assert run["state"] == "done" and run["errors"] == len(ids), run
    for number, watch in watches_of(api, tracker).items():
        if int(number) in ids:
            assert watch["error"]["kind"] in ("unparsable-bug", "unparsable-tracker")
        else:
            assert watch["error"] is None and watch["title"] == f"Spoilt {number}"
    assert api.check(tracker.name)["errors"] == 0


def test_empty_answer_says_nothing(service, tracker):
    """None of several known bugs: nobody is closed, nobody is gone."""
    api = service.api
    before = watches_of(api, tracker)
    events = {n: len(api.items(f"watches/{before[n]['id']}/events")) for n in ("1", "2")}
    tracker.fault("empty")
    run = api.check(tracker.name)
    assert run["state"] == "failed" and run["error"]["kind"] == "unparsable-tracker", run
    for number, watch in watches_of(api, tracker).items():
        assert [watch[f] for f in STATE] == [before[number][f] for f in STATE]
    for number, count in events.items():
        assert len(api.items(f"watches/{before[number]['id']}/events")) == count


def test_retry_after(service, tracker):
    """Obeyed by forced checks too, then all goes on by itself."""
    api = service.api
    tracker.fault("429")
    run = api.check(tracker.name)
    assert run["error"]["kind"] == "rate-limited"
    tracker.calm()
    tracker.forget()
    shown = api.ok("GET", f"trackers/{tracker.name}")
    assert shown["error"]["retry_at"]
    run = api.check(tracker.name)  # waits for the tracker's word, however it is told
    wait_for(lambda: api.check(tracker.name)["state"] == "done", "the pause to end")
    wait_for(lambda: api.ok("GET", f"trackers/{tracker.name}")["health"] == "ok", "health")


def test_no_address_for_the_name(service):
    api = service.api
    watch = api.watch("http://nowhere.invalid/show_bug.cgi?id=1")
    run = api.check(watch["tracker"])
    assert run["state"] == "failed" and run["error"]["kind"] == "dns"
    assert "nowhere.invalid" in run["error"]["message"]
    assert "dns" in service.cli("tracker", "list").out


def test_nobody_listens(service):
    api = service.api
    watch = api.watch("http://127.0.0.1:1/show_bug.cgi?id=1")
    run = api.check(watch["tracker"])
    assert run["error"]["kind"] == "connection" and run["requests"] <= 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "192.168.1.1",
                                  "[::ffff:127.0.0.1]", "[fe80::1]", "0.0.0.0", "[64:ff9b::7f00:1]", "100.64.0.1",
                                  "[fd00::1]"])
def test_special_addresses(strict, farm, host):
    """Without --allow-networks: refused before a byte is sent."""
    port = farm.trackers["bugzilla"][0].base_url.split(":")[2].split("/")[0]
    watch = strict.api.watch(f"http://{host}:{port}/show_bug.cgi?id=1")
    run = strict.api.check(watch["tracker"])
    assert run["state"] == "failed" and run["error"]["kind"] == "blocked-address", run
    assert "allow" in run["error"]["message"], "it says what to do"


@pytest.fixture(scope="module")
def strict():
    service = Service(allow=None).start()
    yield service
    service.close()


def test_special_addresses_were_not_asked(strict, farm):
    tracker = farm.trackers["bugzilla"][0]
    tracker.forget()
    watch = strict.api.watch(tracker.url(1))
    strict.api.check(watch["tracker"])
    assert tracker.seen()["requests"] == 0


# Servers whose every byte is ours.


def bugzilla(answer_for_bugs):
    def answer(method, path):
        if "/version" in path:
            return 200, {"Content-Type": "application/json"}, b'{"version":"5.2"}'
        if "/comment?" in path:
            return json_answer({"bugs": {"7": {"comments": []}}, "comments": {}})
        return answer_for_bugs(path)

    return answer


def json_answer(value, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def first_run(service, page):
    watch = service.api.watch(page.url + "show_bug.cgi?id=7")
    return watch, service.api.check(watch["tracker"])


def test_redirect_to_another_host(service, made):
    elsewhere = made(Page(bugzilla(lambda path: json_answer({"bugs": []}))))
    page = made(Page(lambda method, path: (302, {"Location": elsewhere.url.replace("127.0.0.1", "127.0.0.2")}, b"")))
    _, run = first_run(service, page)
    assert run["error"]["kind"] == "moved" and "127.0.0.2" in run["error"]["message"]
    assert elsewhere.requests == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x", "javascript:1",
                                    "//", "http://", "http://127.0.0.1:99999/"])
def test_redirect_to_nonsense(service, made, target):
    page = made(Page(lambda method, path: (302, {"Location": target}, b"")))
    _, run = first_run(service, page)
    assert run["state"] == "failed" and run["error"]["kind"] in ("moved", "http", "unparsable-tracker", "connection")
    assert "root:" not in json.dumps(run)


def test_credentials_stay_at_their_origin(service, made):
    elsewhere = made(Page(lambda method, path: json_answer({})))
    page = made(Page(lambda method, path: (302, {"Location": elsewhere.url + path[1:]}, b"")))
    watch = service.api.watch(page.url + "show_bug.cgi?id=7")
    service.api.ok("PATCH", f"trackers/{watch['tracker']}", {"credentials": {"api_key": "hush-hush"}}, 200)
    run = service.api.check(watch["tracker"])
    assert run["state"] == "failed"
    assert "hush-hush" not in json.dumps(elsewhere.requests)
    assert "hush-hush" not in json.dumps(run) + service.words()


def test_bomb(made):
    """Counted after decoding: a small answer that grows to 100 MB is cut at the limit."""
    bomb = gzip.compress(b"[" + b" " * 100_000_000)
    page = made(Page(lambda method, path: (200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, bomb)))
    service = made(Service(max_body_mb=4).start())
    _, run = first_run(service, page)
    assert run["error"]["kind"] == "too-large", run
    peak = int(next(l for l in open(f"/proc/{service.process.pid}/status") if l.startswith("VmHWM")).split()[1])
    assert peak < 1_500_000, "kB, sanitizers included"


def test_endless_answer(made):
    """A body without an end is cut at the limit."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                try:
                    line.recv(65536)
                    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                 b"Transfer-Encoding: chunked\r\n\r\n")
                    while True:
                        line.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    service = made(Service(max_body_mb=2).start())
    watch = service.api.watch(f"http://127.0.0.1:{server.getsockname()[1]}/show_bug.cgi?id=1")
    run = service.api.check(watch["tracker"])
    server.close()
    assert run["error"]["kind"] == "too-large", run


@pytest.mark.parametrize("raw", [
    b"", b"\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", b"\x00" * 100, b"220 ftp.example.net ready\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: application/json\r\n\r\n[[[[[[[[[",
], ids=lambda raw: repr(raw[:40]))
def test_gibberish(service, raw):
    """Whatever comes: a failed run with a kind, never a crash."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                try:
                    line.recv(65536)
                    line.sendall(raw)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    watch = service.api.watch(f"http://127.0.0.1:{server.getsockname()[1]}/show_bug.cgi?id=1")
    run = service.api.check(watch["tracker"])
    server.close()
    assert run["state"] == "failed" and run["error"]["kind"] and run["error"]["message"]


@pytest.mark.parametrize("bug", [
    {}, {"id": "x"}, {"id": 7}, {"id": 7, "status": 5}, {"id": 7, "status": None, "summary": None}, {"id": 10**30},
    {"id": 7, "summary": "a" * 5_000_000, "status": "NEW"}, {"id": 7, "status": "NEW", "summary": {"a": [1]}},
    {"id": -7, "status": "NEW"}, [], "text", None, 7,
], ids=lambda bug: json.dumps(bug)[:40])
def test_hostile_bugs(service, made, bug):
    """Read, or refused with a kind; the service is well."""
    page = made(Page(bugzilla(lambda path: json_answer({"bugs": [bug]}))))
    watch, run = first_run(service, page)
    assert run["state"] in ("done", "failed")
    now = service.api.ok("GET", f"watches/{watch['id']}")
    assert run["error"] or now["error"] or now["last_checked_at"]


@pytest.mark.parametrize("title,shown", [
    ("a\u0000b", "a\ufffdb"), ("a\x1b[31mb", None), ("\u202egnp.exe", "\u202egnp.exe"), ("<script>", "<script>"),
    ("'; DROP TABLE bugwatch.bug; --", "'; DROP TABLE bugwatch.bug; --"), ("{\"a\",NULL}\\", "{\"a\",NULL}\\"),
    ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"), ("%s%n%s", "%s%n%s"), ("\U0001f41b", "\U0001f41b"), ("NULL", "NULL"),
])
def test_hostile_titles(service, made, title, shown):
    """Stored as sent but for what PostgreSQL can't take; harmless on a terminal."""
    page = made(Page(bugzilla(lambda path: json_answer({"bugs": [
        {"id": 7, "status": "NEW", "resolution": "", "severity": "normal", "priority": "P3", "summary": title,
         "product": "p", "last_change_time": "2026-01-01T00:00:00Z"}]}))))
    watch, run = first_run(service, page)
    assert run["state"] == "done", run
    now = service.api.ok("GET", f"watches/{watch['id']}")
    if shown is not None:
        assert now["title"] == shown
    out = service.cli("list", "--tracker", watch["tracker"]).out + service.cli("show", watch["id"]).out
    assert "\x1b" not in out and "\u202e" not in out


def test_lone_surrogate(service, made):
    body = (b'{"bugs":[{"id":7,"status":"NEW","resolution":"","severity":"normal","priority":"P3",'
            b'"summary":"a\\ud800b","product":"p","last_change_time":"2026-01-01T00:00:00Z"}]}')
    page = made(Page(bugzilla(lambda path: (200, {"Content-Type": "application/json"}, body))))
    watch, run = first_run(service, page)
    now = service.api.ok("GET", f"watches/{watch['id']}")
    assert run["state"] == "done" and "\ufffd" in now["title"], (run, now)


def test_unknown_words(service, made):
    """A word that no table knows is no error; the remote's own is kept."""
    page = made(Page(bugzilla(lambda path: json_answer({"bugs": [
        {"id": 7, "status": "PONDERED", "resolution": "", "severity": "huge", "priority": "P3", "summary": "t",
         "product": "p", "last_change_time": "2026-01-01T00:00:00Z"}]}))))
    watch, run = first_run(service, page)
    now = service.api.ok("GET", f"watches/{watch['id']}")
    assert now["status"] == "unknown" and now["remote_status"] == "PONDERED" and now["error"] is None
    assert now["importance"] == "unknown" and now["remote_severity"] == "huge"


def test_unsupported(service, made):
    """Something else lives there."""
    page = made(Page(lambda method, path: (404, {"Content-Type": "text/html"}, b"<html><h1>Not Found</h1></html>")))
    service.api.ok("POST", "trackers", {"name": "strange", "type": "auto", "base_url": page.url}, 201)
    run = service.api.check("strange")
    assert run["state"] == "failed" and run["error"]["kind"] in ("unsupported-tracker", "http"), run


def test_every_error_is_told(service):
    """After all of this: the list of errors has words, and no watch without a reason."""
    for watch in service.api.items("watches", error="any", limit=1000):
        assert watch["error"]["kind"] and watch["error"]["message"] and watch["error"]["since"]
    for tracker in service.api.items("trackers", limit=1000):
        if tracker["health"] == "failing":
            assert tracker["error"]["kind"] and tracker["error"]["message"]
