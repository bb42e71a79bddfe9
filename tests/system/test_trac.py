"""A real Trac, made and run by the test, beside a real bugwatch: its query page and feeds."""
import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import pytest

from harness import Folder, free_port, wait_for

pytestmark = pytest.mark.skipif(importlib.util.find_spec("trac") is None,
                                reason="Trac is not installed: the Python package index could not be reached")

# Run beside the server, as Trac's own tools are: makes a ticket, or changes one.
EDIT = """
import json, sys
from trac.env import Environment
from trac.ticket.model import Ticket
number, author, comment, fields = json.loads(sys.argv[2])
ticket = Ticket(Environment(sys.argv[1]), number)
for name, value in fields.items():
    ticket[name] = value
if number is None:
    print(ticket.insert())
else:
    assert ticket.save_changes(author, comment)
"""


class Trac:
    """
    A new environment on SQLite behind Trac's own server. Anonymous visitors may view tickets, or, with
    USERS and their passwords, only those who log in (HTTP Basic, which brings a cookie).
    """

    def __init__(self, users=None):
        self.folder = Folder("trac")
        self.home = self.folder.path / "demo"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/demo/"
        self.run(self.tool("trac-admin"), self.home, "initenv", "demo", "sqlite:db/trac.db")
        self.log = open(self.folder.path / "log", "wb")
        self.server = subprocess.Popen(
            [self.tool("tracd"), "-p", str(self.port), "-b", "127.0.0.1", *self.close_to(users), self.home],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(self.answers, "Trac")

    def close_to(self, users):
        if not users:
            return []
        self.run(self.tool("trac-admin"), self.home, "permission", "remove", "anonymous", "TICKET_VIEW")
        self.run(self.tool("trac-admin"), self.home, "permission", "add", "authenticated", "TICKET_VIEW")
        passwords = self.folder.path / "passwords"
        passwords.write_text("".join(
            f"{name}:{{SHA}}{base64.b64encode(hashlib.sha1(word.encode()).digest()).decode()}\n"
            for name, word in users.items()))
        return [f"--basic-auth=demo,{passwords},demo"]

    @staticmethod
    def tool(name):
        return Path(sys.executable).parent / name

    @staticmethod
    def run(*words):
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def edit(self, number, author, comment, fields):
        return self.run(sys.executable, "-c", EDIT, self.home, json.dumps([number, author, comment, fields]))

    def create(self, **fields):
        return int(self.edit(None, None, None, {"status": "new", "reporter": "ann", **fields}))

    def change(self, number, comment=None, author="bob", **fields):
        self.edit(number, author, comment, fields)

    def ticket(self, number):
        return f"{self.url}ticket/{number}"

    def answers(self):
        assert self.server.poll() is None, (self.folder.path / "log").read_text()
        try:
            with urllib.request.urlopen(self.url + "about", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.log.close()
        self.folder.remove()


@pytest.fixture(scope="module")
def trac():
    trac = Trac()
    yield trac
    trac.close()


def listed(service, url):
    return [w for w in service.cli("list", "--json").lines if w["url"] == url][0]


def comments(service, watch):
    return [(c["author"], c["text"]) for c in service.api.items(f"watches/{watch['id']}/comments")]


def hours_until_next_check(service, name):
    at = service.api.ok("GET", f"trackers/{name}")["next_check_at"]
    return (datetime.fromisoformat(at) - datetime.now(timezone.utc)).total_seconds() / 3600


def test_changes_through_tracs_own_api(service, trac):
    number = trac.create(summary="Käse & <b>Brot</b>", priority="minor", component="component1")
    url = trac.ticket(number)
    service.cli("add", url)
    tracker = service.api.items("watches", url=url)[0]["tracker"]
    service.cli("check", tracker, "--wait")
    watch = listed(service, url)
    assert watch["title"] == "Käse & <b>Brot</b>"
    assert (watch["remote_status"], watch["remote_priority"]) == ("new", "minor")
    assert (watch["status"], watch["importance"]) == ("new", "low")
    events = len(service.api.items(f"watches/{watch['id']}/events"))

    trac.change(number, status="accepted", priority="critical", summary="Brot")
    service.cli("check", watch["id"], "--wait")
    watch = listed(service, url)
    assert watch["title"] == "Brot"
    assert (watch["remote_status"], watch["remote_priority"]) == ("accepted", "critical")
    assert (watch["status"], watch["importance"]) == ("confirmed", "critical")
    told = service.api.items(f"watches/{watch['id']}/events")
    assert {(e["kind"], e["old"], e["new"]) for e in told[events:]} == {
        ("status", "new", "confirmed"), ("importance", "low", "critical"),
        ("title", "Käse & <b>Brot</b>", "Brot")}

    trac.change(number, status="closed", resolution="fixed")
    service.cli("check", tracker, "--wait")
    watch = listed(service, url)
    assert (watch["remote_resolution"], watch["status"]) == ("fixed", "fix-released")
    kinds = [e["kind"] for e in service.api.items(f"watches/{watch['id']}/events")]
    assert kinds.count("resolved") == 1


def test_missing_and_many(service, trac):
    urls = [trac.ticket(trac.create(summary=f"ticket {i}", status="assigned")) for i in range(3)]
    gone = trac.ticket(99999)
    service.cli("add", *urls, gone)
    service.cli("check", service.api.items("watches", url=gone)[0]["tracker"], "--wait", status=None)
    for url in urls:
        assert listed(service, url)["remote_status"] == "assigned"
    assert listed(service, gone)["error"]["kind"] == "bug-not-found"


def test_what_changes_comes_by_itself(service, trac):
    """Nobody asks, and the next check of the bug is a day away."""
    number = trac.create(summary="slow", priority="minor")
    url = trac.ticket(number)
    service.cli("add", url)
    watch = service.api.items("watches", url=url)[0]
    service.cli("check", watch["tracker"], "--wait", status=None)
    assert comments(service, watch) == []
    service.cli("tracker", "set", watch["tracker"], "changes_interval_s=1")

    trac.change(number, status="closed", resolution="wontfix")
    wait_for(lambda: listed(service, url)["status"] == "wont-fix", "the changed status")
    trac.change(number, comment="Käse & '''Brot'''", author="cyd")
    wait_for(lambda: comments(service, watch) == [("cyd", "Käse & Brot")], "the new comment")
    assert "cyd" in service.cli("show", url).out

    service.cli("tracker", "set", watch["tracker"], "changes_interval_s=null")
    wait_for(lambda: hours_until_next_check(service, watch["tracker"]) > 0.5, "the old rhythm")


def test_what_it_is(service, trac):
    tracker = next(t for t in service.cli("tracker", "list", "--json").lines if t["base_url"] == trac.url)
    assert tracker["type"] == "trac" and tracker["health"] == "ok"


def test_what_only_users_may_see(service, made):
    """Tickets, their changes and comments, for the price of one sign-in a run."""
    trac = made(Trac({"joe": "se: cret"}))
    number = trac.create(summary="hush", priority="minor")
    url = trac.ticket(number)
    service.cli("add", url)
    watch = service.api.items("watches", url=url)[0]
    name = watch["tracker"]
    service.cli("check", name, "--wait", status=None)
    assert service.api.ok("GET", f"trackers/{name}")["error"]["kind"] == "auth"

    service.cli("tracker", "set", name, "username=joe", "password=wrong")
    service.cli("check", name, "--wait", status=None)
    assert service.api.ok("GET", f"trackers/{name}")["error"]["kind"] == "auth"

    service.cli("tracker", "set", name, "username=joe", "password=se: cret")
    service.cli("check", name, "--wait")
    assert listed(service, url)["title"] == "hush"
    assert service.api.ok("GET", f"trackers/{name}")["health"] == "ok"

    service.cli("tracker", "set", name, "changes_interval_s=1")
    trac.change(number, comment="now", author="cyd", status="accepted", priority="blocker")
    wait_for(lambda: listed(service, url)["status"] == "confirmed", "the changed status")
    assert listed(service, url)["importance"] == "critical"
    wait_for(lambda: comments(service, watch) == [("cyd", "now")], "the new comment")
