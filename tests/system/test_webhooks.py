"""Webhooks: every event, in order, signed, through failures; switched off, replayed, and kept inside."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import Farm, Service, sql, wait_for

standardwebhooks = pytest.importorskip("standardwebhooks")


class Receiver:
    """Takes messages; `refuse(n)` says with what status the n-th request is refused, or None."""

    def __init__(self):
        self.taken, self.seen, self.refuse = [], 0, lambda n: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.seen += 1
                status = receiver.refuse(receiver.seen)
                if status is None:
                    receiver.taken.append((dict(self.headers), body))
                self.send_response(status or 204)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        return [json.loads(body)["data"] for _, body in self.taken]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(made):
    return made(Receiver())


@pytest.fixture(scope="module")
def bug():
    farm = Farm(bugzilla=1, bugs=100)
    yield farm.trackers["bugzilla"][0]
    farm.close()


@pytest.fixture(scope="module")
def change(api, bug):
    """Changes the watched bug, so that there is one more event; returns its new title."""
    watch = api.watch(bug.url(9), ref="mine")
    api.check(watch["tracker"])
    titles = iter(f"told {n}" for n in range(1000))

    def one_more():
        title = next(titles)
        bug.change(9, title=title)
        api.check(watch["tracker"])
        return title

    return one_more


@pytest.fixture
def hook(api):
    """hook(url, ...): a webhook that is removed afterwards."""
    ids = []

    def make(url, **settings):
        webhook = api.ok("POST", "webhooks", {"url": url, **settings})
        ids.append(webhook["id"])
        return webhook

    yield make
    for webhook_id in ids:
        api.request("DELETE", f"webhooks/{webhook_id}")


def shown(api, webhook):
    return api.ok("GET", f"webhooks/{webhook['id']}")


def test_signed_and_the_same_as_the_feed(api, hook, receiver, change):
    change()
    webhook = hook(receiver.url + "bugs")
    title = change()
    headers, body = wait_for(lambda: receiver.taken, "a message")[0]
    message = standardwebhooks.Webhook(webhook["secret"]).verify(body, headers)
    assert message["type"] == "bug.title" and message["data"]["new"] == title
    assert message["data"] == api.items("events", after=message["data"]["id"] - 1)[0]
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["webhook-id"] == f"event_{message['data']['id']}"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook("whsec_" + "A" * 43 + "=").verify(body, headers)
    wait_for(lambda: shown(api, webhook)["cursor"] == message["data"]["id"], "the cursor")
    assert "secret" not in shown(api, webhook)
    assert webhook["secret"] not in api.get("audit").body.decode()


def test_each_once_in_order_through_failures(cluster, made, receiver):
    """Every third request fails; waits are shortened by hand, for nobody has days."""
    url = cluster.database("failing")
    api = made(Service(database=url).start()).api
    receiver.refuse = lambda n: 500 if n % 3 == 0 else None
    api.ok("POST", "webhooks", {"url": receiver.url})
    sql(url, """INSERT INTO bugwatch.event (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url, new)
        SELECT nextval('bugwatch.event_id'), 'comment', 1, 1, 1, 'some', '1', 'http://x/', n::text
        FROM generate_series(1, 50) AS n""")
    ids = [event["id"] for event in api.items("events")]

    def hurried():
        sql(url, "UPDATE bugwatch.webhook SET next_at = now() WHERE next_at > now()")
        sql(url, "SELECT pg_notify('bugwatch_events', '')")
        return len(receiver.taken) >= 50

    wait_for(hurried, "all messages")
    assert [event["id"] for event in receiver.events()] == ids
    assert receiver.seen > 70
    wait_for(lambda: api.items("webhooks")[0]["cursor"] == ids[-1], "the cursor")
    assert api.items("webhooks")[0]["error"] is None


def test_a_failure_is_shown(api, service, hook, receiver, change):
    receiver.refuse = lambda n: 503
    webhook = hook(receiver.url, name="pager")
    change()
    error = wait_for(lambda: shown(api, webhook)["error"], "its error")
    assert "503" in error["message"] and error["count"] >= 1 and error["retry_at"]
    assert "503" in service.cli("webhook", "list").out


def test_gone_is_switched_off_and_comes_back(api, hook, receiver, change):
    receiver.refuse = lambda n: 410
    webhook = hook(receiver.url)
    titles = [change()]
    wait_for(lambda: not shown(api, webhook)["enabled"], "switched off")
    titles.append(change())
    seen = receiver.seen
    receiver.refuse = lambda n: None
    assert seen == 1
    api.ok("PATCH", f"webhooks/{webhook['id']}", {"enabled": True})
    wait_for(lambda: len(receiver.taken) >= 2, "what it missed")
    assert [event["new"] for event in receiver.events()] == titles


def test_replay(api, service, hook, receiver, change):
    webhook = hook(receiver.url)
    start = shown(api, webhook)["cursor"]
    titles = [change(), change()]
    wait_for(lambda: len(receiver.taken) >= 2, "both")
    service.cli("webhook", "replay", webhook["id"], "--after", str(start))
    wait_for(lambda: len(receiver.taken) >= 4, "both again")
    assert [event["new"] for event in receiver.events()] == titles * 2
    ids = [{k.lower(): v for k, v in headers.items()}["webhook-id"] for headers, _ in receiver.taken]
    assert ids[:2] == ids[2:4]


def test_filters(api, hook, made, change):
    all_of_it, kinds, ref, tracker = (made(Receiver()) for _ in range(4))
    hook(kinds.url, kinds=["status", "comment"])
    hook(ref.url, ref="other")
    hook(tracker.url, tracker="nowhere")
    last = hook(all_of_it.url, tracker=None, kinds=["title"], ref="mine")
    change()
    event = wait_for(all_of_it.events, "the event")[0]
    wait_for(lambda: all(w["cursor"] >= event["id"] for w in api.items("webhooks")), "all looked at it")
    assert last["id"] in [w["id"] for w in api.items("webhooks")]
    assert not kinds.taken and not ref.taken and not tracker.taken


def test_never_into_a_forbidden_network(cluster, made, receiver):
    url = cluster.database("inside")
    api = made(Service(database=url, allow="").start()).api
    webhook = api.ok("POST", "webhooks", {"url": receiver.url})
    sql(url, """INSERT INTO bugwatch.event
        (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url)
        VALUES (nextval('bugwatch.event_id'), 'comment', 1, 1, 1, 'some', '1', 'http://x/')""")
    error = wait_for(lambda: shown(api, webhook)["error"], "its error", 60)
    assert "allow_networks" in error["message"] and not receiver.seen


def test_redirects_are_no_receipt(api, hook, made, change):
    receiver = made(Receiver())
    receiver.refuse = lambda n: 302
    webhook = hook(receiver.url)
    change()
    assert "302" in wait_for(lambda: shown(api, webhook)["error"], "its error")["message"]


@pytest.mark.parametrize("body, field", [
    ({"url": "ftp://example.org/"}, "url"),
    ({"url": "not a url"}, "url"),
    ({"url": "http://example.org/", "kinds": []}, "kinds"),
    ({"url": "http://example.org/", "kinds": ["status", "status"]}, "kinds"),
    ({"url": "http://example.org/", "kinds": ["weather"]}, "kinds"),
    ({"url": "http://example.org/", "secret": "whsec_mine"}, "secret"),
    ({}, "url"),
])
def test_refused(api, body, field):
    answer = api.request("POST", "webhooks", body)
    assert answer.status == 400 and answer.json["errors"][0]["field"] == field
