"""The connection to PostgreSQL is cut after each statement of a run: nothing is lost, nothing is there twice."""
import socket
import threading

import pytest

from harness import Farm, Service, sql, wait_for

BUGS = 6
HEADER = 5  # a message's type and length
STARTUP = 196608  # version 3.0, after which messages have types
IDLE = b"Z\x00\x00\x00\x05I"  # the server is done with all that it was sent


class Proxy:
    """Stands between bugwatch and PostgreSQL, and cuts a connection at the N-th statement or commit."""

    def __init__(self, port):
        self.port = port
        self.lock = threading.Lock()
        self.left = None  # statements until the cut; None: no cut
        self.answered = False  # the server does it, and only its answer is lost
        self.cuts = 0
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, database):
        return f"postgresql://bugwatch@127.0.0.1:{self.door.getsockname()[1]}/{database}?sslmode=disable&gssencmode=disable"

    def arm(self, number, answered):
        with self.lock:
            self.left, self.answered = number, answered

    def calm(self):
        with self.lock:
            self.left = None

    def is_the_one(self):
        """Counts a statement; whether the cut is there."""
        with self.lock:
            if self.left is None:
                return False
            self.left -= 1
            if self.left > 0:
                return False
            self.left = None
            self.cuts += 1
            return True

    def accept(self):
        while True:
            try:
                client, _ = self.door.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                client.close()
                continue
            Line(self, client, server)

    def close(self):
        self.door.close()


class Line:
    """One connection."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.mute = False
        for pump in (self.questions, self.answers):
            threading.Thread(target=self.run, args=(pump,), daemon=True).start()

    def run(self, pump):
        try:
            pump()
        except OSError:
            pass
        finally:
            for end in (self.client, self.server):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def questions(self):
        for kind, message in self.messages():
            if kind in b"QES" and not self.mute and self.proxy.is_the_one():
                if not self.proxy.answered:
                    return
                self.mute = True
            self.server.sendall(message)

    def messages(self):
        """What the client says, message by message; the first ones have no type."""
        stream = self.client.makefile("rb")
        started = False
        while True:
            head = stream.read(HEADER if started else 4)
            if len(head) < 4:
                return
            size = int.from_bytes(head[-4:], "big")
            message = head + stream.read(size - 4)
            yield (head[0] if started else 0), message
            started = started or int.from_bytes(message[4:8], "big") == STARTUP

    def answers(self):
        said = b""
        while chunk := self.server.recv(65536):
            if not self.mute:
                self.client.sendall(chunk)
            said = (said + chunk)[-len(IDLE):]
            if self.mute and said == IDLE:
                return


@pytest.fixture
def proxy(cluster, made):
    return made(Proxy(cluster.port))


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_cut_at_every_statement(cluster, proxy, made, answered):
    farm = made(Farm(bugzilla=1, bugs=BUGS))
    tracker = farm.all[0]
    name = f"cuts-{answered}"
    direct = cluster.database(name)
    service = made(Service(database=proxy.url(name), lease_s=5, check_interval_s=86400).start())
    watches = service.api.watch_many(tracker.url(i) for i in range(1, BUGS + 1))
    service.api.settled()
    said = []
    number = 0
    while True:
        number += 1
        changed, commented = 1 + number % BUGS, 1 + (number + 3) % BUGS
        remote, ours = tracker.two_statuses[number // BUGS % 2]
        tracker.change(changed, status=remote)
        said.append((str(commented), f"said {number}"))
        tracker.comment(commented, said[-1][1], author="writer")
        cuts = proxy.cuts
        proxy.arm(number, answered)
        sql(direct, "UPDATE bugwatch.tracker_state SET forced = true, due_at = now(); NOTIFY bugwatch_work")
        stored = f"""SELECT (SELECT count(*) FROM bugwatch.comment WHERE author = 'writer') = {number}
            AND (SELECT status FROM bugwatch.bug WHERE remote_id = '{changed}') = '{ours}'
            AND NOT EXISTS (SELECT FROM bugwatch.run WHERE state IN ('queued', 'running'))
            AND NOT (SELECT forced FROM bugwatch.tracker_state)"""
        wait_for(lambda: proxy.cuts > cuts or sql(direct, stored) == [["t"]], "the cut, or the end of the run")
        # Else the next run begins when the lease of this one has run out.
        sql(direct, "UPDATE bugwatch.tracker_state SET lease_until = NULL; NOTIFY bugwatch_work")
        wait_for(lambda: sql(direct, stored) == [["t"]], f"what changed, after a cut at statement {number}")
        if proxy.cuts == cuts:
            break
    proxy.calm()
    assert number > 15, "a run has more statements than that"
    service.wait_ready()
    check_all(service.api, watches, said)


def check_all(api, watches, said):
    """Each comment is there and told of once; each bug's statuses form a chain that ends with what stands."""
    for watch in watches:
        mine = [text for number, text in said if number == watch["remote_id"]]
        found = [c for c in api.items(f"watches/{watch['id']}/comments") if c["author"] == "writer"]
        assert [c["text"] for c in found] == mine
        events = api.items(f"watches/{watch['id']}/events", limit=1000)
        assert sorted(e["new"] for e in events if e["kind"] == "comment") == sorted(str(c["number"]) for c in found)
        chain = [e for e in sorted(events, key=lambda e: e["id"]) if e["kind"] == "status"]
        for before, after in zip(chain, chain[1:]):
            assert before["new"] == after["old"]
        if chain:
            assert chain[-1]["new"] == api.ok("GET", f"watches/{watch['id']}")["status"]
