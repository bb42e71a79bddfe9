"""A real Roundup, made and run by the test, beside a real bugwatch."""
import importlib.util
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from harness import Folder, free_port, wait_for

pytestmark = pytest.mark.skipif(importlib.util.find_spec("roundup") is None,
                                reason="Roundup is not installed: the Python package index could not be reached")


class Roundup:
    """The classic template on SQLite. Anonymous visitors may use REST, or only see what they may by default."""

    def __init__(self, rest):
        self.rest = rest
        # Users may not be viewed by default.
        self.admin_name = "admin" if rest else "user1"
        self.folder = Folder("roundup")
        self.home = self.folder.path / "tracker"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/demo/"
        self.admin("install", "classic", "sqlite", f"tracker_web={self.url},mail_domain=example.net,"
                   "tracker_name=demo,mailhost=localhost,admin_email=admin@example.net")
        if rest:
            schema = self.home / "schema.py"
            schema.write_text(schema.read_text() + "\n" + self.rights())
        else:
            config = self.home / "config.ini"
            config.write_text(re.sub("(?m)^#?enable_rest = yes", "enable_rest = no", config.read_text()))
        self.admin("initialise", "hush")
        self.log = open(self.folder.path / "log", "wb")
        as_root = ["-u", "0"] if os.geteuid() == 0 else []  # refused unless it is asked for
        self.server = subprocess.Popen(
            [self.tool("roundup-server"), "-p", str(self.port), "-n", "127.0.0.1", *as_root, f"demo={self.home}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(self.answers, "Roundup")

    @staticmethod
    def rights():
        return "db.security.addPermissionToRole('Anonymous', 'Rest Access')\n" \
               "for word in ('issue', 'msg', 'status', 'priority', 'user'):\n" \
               "    db.security.addPermissionToRole('Anonymous', 'View', word)\n"

    @staticmethod
    def tool(name):
        return Path(sys.executable).parent / name

    def admin(self, *words):
        done = subprocess.run([self.tool("roundup-admin"), "-i", self.home, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def answers(self):
        assert self.server.poll() is None, (self.folder.path / "log").read_text()
        try:
            door = "rest/data/status" if self.rest else "status"
            with urllib.request.urlopen(self.url + door, timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.log.close()
        self.folder.remove()


@pytest.fixture(scope="module", params=["rest", "csv"])
def roundup(request):
    roundup = Roundup(rest=request.param == "rest")
    yield roundup
    roundup.close()


def listed(service, url):
    return [w for w in service.cli("list", "--json").lines if w["url"] == url][0]


def test_changes_through_roundups_own_tool(service, roundup):
    number = roundup.admin("create", "issue", "title=Käse & <b>Brot</b>", "status=unread", "priority=bug")
    url = f"{roundup.url}issue{number}"
    service.cli("add", url)
    tracker = service.api.items("watches", url=url)[0]["tracker"]
    service.cli("check", tracker, "--wait")
    watch = listed(service, url)
    assert watch["title"] == "Käse & <b>Brot</b>"
    assert (watch["remote_status"], watch["remote_priority"]) == ("unread", "bug")
    assert (watch["status"], watch["importance"]) == ("new", "medium")
    events = len(service.api.items(f"watches/{watch['id']}/events"))

    roundup.admin("set", f"issue{number}", "status=in-progress", "priority=critical", "title=Brot")
    service.cli("check", watch["id"], "--wait")
    watch = listed(service, url)
    assert watch["title"] == "Brot"
    assert (watch["remote_status"], watch["remote_priority"]) == ("in-progress", "critical")
    assert (watch["status"], watch["importance"]) == ("in-progress", "critical")
    told = service.api.items(f"watches/{watch['id']}/events")
    assert {(e["kind"], e["old"], e["new"]) for e in told[events:]} == {
        ("status", "new", "in-progress"), ("importance", "medium", "critical"),
        ("title", "Käse & <b>Brot</b>", "Brot")}
    out = service.cli("list").out
    assert "in-progress" in out and "critical" in out and "Brot" in out

    roundup.admin("set", f"issue{number}", "status=resolved")
    service.cli("check", tracker, "--wait")
    assert listed(service, url)["status"] == "fix-released"
    kinds = [e["kind"] for e in service.api.items(f"watches/{watch['id']}/events")]
    assert kinds.count("resolved") == 1


def test_missing_and_many(service, roundup):
    numbers = [roundup.admin("create", "issue", f"title=issue {i}", "status=chatting", "priority=wish")
               for i in range(5)]
    urls = [f"{roundup.url}issue{n}" for n in numbers] + [f"{roundup.url}issue99999"]
    service.cli("add", *urls)
    tracker = service.api.items("watches", url=urls[0])[0]["tracker"]
    service.cli("check", tracker, "--wait", status=None)
    for number, url in zip(numbers, urls):
        assert listed(service, url)["remote_status"] == "chatting"
    assert listed(service, urls[-1])["error"]["kind"] == "bug-not-found"


def comments(service, watch):
    return [(c["author"], c["text"]) for c in service.api.items(f"watches/{watch['id']}/comments")]


def test_what_changes_comes_by_itself(service, roundup):
    """Nobody asks, and the next check of the bug is a day away."""
    keyword = roundup.admin("create", "keyword", "name=parser")
    number = roundup.admin("create", "issue", "title=slow", "status=unread", "priority=bug")
    url = f"{roundup.url}issue{number}"
    service.cli("add", url)
    watch = service.api.items("watches", url=url)[0]
    service.cli("check", watch["tracker"], "--wait", status=None)
    assert comments(service, watch) == []
    service.cli("tracker", "set", watch["tracker"], "changes_interval_s=1")

    roundup.admin("set", f"issue{number}", "status=resolved", "priority=critical", "keyword=+" + keyword)
    wait_for(lambda: listed(service, url)["status"] == "fix-released", "the changed status")
    assert listed(service, url)["importance"] == "critical" and listed(service, url)["product"] == "parser"
    message = roundup.admin("create", "msg", "author=admin", "content=Käse & <b>Brot</b>", "date=2026-01-02.03:04:05")
    roundup.admin("set", f"issue{number}", f"messages=+{message}")
    wait_for(lambda: comments(service, watch) == [(roundup.admin_name, "Käse & <b>Brot</b>")], "the new message")
    assert "Käse & <b>Brot</b>" in service.cli("show", url).out


def test_what_it_is(service, roundup):
    tracker = next(t for t in service.cli("tracker", "list", "--json").lines if t["base_url"] == roundup.url)
    assert tracker["type"] == "roundup" and tracker["health"] == "ok"


def test_what_is_retired_keeps_its_state(service, roundup):
    number = roundup.admin("create", "issue", "title=gone", "status=unread")
    url = f"{roundup.url}issue{number}"
    service.cli("add", url)
    watch = service.api.items("watches", url=url)[0]
    service.cli("check", watch["id"], "--wait")
    roundup.admin("retire", f"issue{number}")
    service.cli("check", watch["id"], "--wait", status=None)
    assert listed(service, url)["error"]["kind"] == "bug-not-found"
    assert listed(service, url)["remote_status"] == "unread"
