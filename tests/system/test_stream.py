"""The live stream of events: from now on, from where one was, through cuts, and past slow readers."""
import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

import pytest

from harness import Farm, Service, sql, wait_for


class Stream:
    """A reader of the stream in a thread of its own."""

    def __init__(self, api, last=None, token=None):
        where = urlsplit(api.url)
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token or api.token}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        self.connection.request("GET", "/api/v1/events", headers=headers)
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.events, self.ended = [], threading.Event()
        if self.answer.status == 200:
            assert self.answer.headers["Content-Type"] == "text/event-stream"
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        event_id = None
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line.startswith("id: "):
                    event_id = int(line[4:])
                elif line.startswith("data: "):
                    event = json.loads(line[6:])
                    assert event["id"] == event_id
                    self.events.append(event)
        except (OSError, ValueError, http.client.HTTPException):
            pass
        self.ended.set()

    def cut(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        assert self.ended.wait(30)
        self.connection.close()


@pytest.fixture(scope="module")
def farm():
    farm = Farm(bugzilla=1, bugs=100)
    yield farm
    farm.close()


@pytest.fixture(scope="module")
def bug(farm, api):
    """A watched bug and a way to change it."""
    tracker = farm.trackers["bugzilla"][0]
    watch = api.watch(tracker.url(7))
    api.check(watch["tracker"])
    titles = iter(f"title {n}" for n in range(1000))

    def change():
        title = next(titles)
        tracker.change(7, title=title)
        api.check(watch["tracker"])
        return title

    return change


def newest(api):
    return max((e["id"] for e in api.items("events")), default=0)


def test_from_now_on(api, bug):
    bug()
    stream = Stream(api)
    title = bug()
    event = wait_for(lambda: stream.events, "an event on the stream")[0]
    assert event["kind"] == "title" and event["new"] == title
    assert event == api.items("events", after=event["id"] - 1)[0]
    stream.cut()


def test_from_where_one_was(api, bug):
    start = newest(api)
    titles = [bug() for _ in range(3)]
    stream = Stream(api, last=start)
    titles.append(bug())
    wait_for(lambda: len(stream.events) >= 4, "all events since")
    assert [e["new"] for e in stream.events] == titles
    stream.cut()


def test_cut_again_and_again(api, bug):
    """Who comes back with its last id misses nothing and gets nothing twice."""
    start = newest(api)
    heard, titles = [], []
    for round_ in range(6):
        stream = Stream(api, last=heard[-1]["id"] if heard else start)
        titles.append(bug())
        if round_ % 2:
            wait_for(lambda: stream.events, "an event")
        stream.cut()
        heard += stream.events
    stream = Stream(api, last=heard[-1]["id"] if heard else start)
    wait_for(lambda: len(heard) + len(stream.events) >= len(titles), "the rest")
    assert [e["new"] for e in heard + stream.events] == titles
    stream.cut()


def test_refusals(api):
    for last in ("x", "-1", "1 2", "1" * 19):
        assert Stream(api, last=last).answer.status == 400
    assert Stream(api, token="bw_none").answer.status == 401


def test_a_revoked_token_ends_its_streams(api, bug):
    made = api.ok("POST", "tokens", {"name": "reader", "role": "viewer"})
    mine, other = Stream(api, token=made["token"]), Stream(api)
    api.ok("DELETE", f"tokens/{made['id']}")
    assert mine.ended.wait(30)
    title = bug()
    wait_for(lambda: other.events, "an event for the other")
    assert other.events[0]["new"] == title and not mine.events
    other.cut()


MANY = 20000


@pytest.fixture
def crowded(cluster, made):
    """A service whose database gets many long events at once."""
    url = cluster.database("crowded")
    service = made(Service(database=url).start())

    def crowd():
        sql(url, f"""INSERT INTO bugwatch.event
            (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url)
            SELECT nextval('bugwatch.event_id'), 'comment', 1, 1, 1, 'some', '1',
              repeat('long ', 60) FROM generate_series(1, {MANY})""")
        sql(url, "SELECT pg_notify('bugwatch_events', max(id)::text) FROM bugwatch.event")

    return service.api, crowd


def test_slow_readers_are_cut_off(crowded):
    """Others get all, in order; the one that never reads loses its place, and may come back."""
    api, crowd = crowded
    where = urlsplit(api.url)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect((where.hostname, where.port))
    stuck.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                  f"Authorization: Bearer {api.token}\r\n\r\n".encode())
    assert stuck.recv(15) == b"HTTP/1.1 200 OK"
    stream = Stream(api)
    crowd()
    wait_for(lambda: len(stream.events) >= MANY, "all events")
    ids = [event["id"] for event in stream.events]
    assert ids == sorted(set(ids)) and len(ids) == MANY
    stuck.settimeout(60)
    wait_for(lambda: is_cut(stuck), "the reader that never reads is cut off")
    assert api.ok("GET", "whoami")["role"] == "admin"
    stream.cut()


def is_cut(reader):
    """Whether the other end has closed, found without reading: what it sends then is refused."""
    try:
        return reader.send(b" ") == 0
    except OSError:
        return True
