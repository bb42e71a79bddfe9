"""GitHub's issues over REST, played by a small stand-in for Enterprise Server: pages by offset, ETags, limits."""
import hashlib
import json
import re
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from harness import Service, sql, wait_for

ISSUES = 150
REPOSITORY = "/api/v3/repos/octo/anvil"


def moment(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class GitHub:
    """One repository. `requests` has (path, query, headers, status) of all that was asked."""

    def __init__(self):
        self.lock = threading.RLock()
        self.requests = []
        self.issues, self.comments, self.next_comment = {}, {}, 500
        self.token = None  # wanted of everybody
        self.limited_until = None  # seconds since 1970
        self.renamed = False  # the repository answers with redirects
        self.after_page = None  # called when a page of what changed was sent
        for number in range(1, ISSUES + 1):
            self.issues[number] = {"state": "open", "reason": None, "updated": time.time() - 86400 + number}
        github = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                github.serve(self)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.site = f"http://127.0.0.1:{self.server.server_port}"
        self.url = self.site + "/octo/anvil/"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # What happens there

    def change(self, number, **fields):
        with self.lock:
            self.issues[number].update(fields, updated=time.time())

    def say(self, number, text):
        with self.lock:
            self.next_comment += 7
            now = moment(time.time())
            self.comments.setdefault(number, []).append(
                {"id": self.next_comment, "user": {"login": "acme"}, "body": text, "created_at": now, "updated_at": now})
            self.change(number)
            return self.next_comment

    def seen(self, pattern):
        with self.lock:
            return [r for r in self.requests if re.fullmatch(pattern, r[0])]

    # What it answers

    def issue(self, number):
        about = self.issues[number]
        return {"number": number, "title": f"Anvil {number}", "state": about["state"],
                "state_reason": about["reason"], "labels": [{"name": "heavy"}], "user": {"login": "wile"},
                "html_url": f"{self.url}issues/{number}", "body": f"It fell {number} times.",
                "comments": len(self.comments.get(number, [])),
                "created_at": "2024-01-01T00:00:00Z", "updated_at": moment(about["updated"])}

    def page(self, items, where, query):
        """(status, headers, body) of a page of ITEMS, by offset, as Enterprise Server has them."""
        per, number = int(query.get("per_page", 30)), int(query.get("page", 1))
        assert per <= 100
        headers = {}
        if number * per < len(items):
            more = "&".join(f"{k}={v}" for k, v in {**query, "page": number + 1}.items())
            headers["Link"] = f'<{self.site}{where}?{more}>; rel="next"'
        return 200, headers, items[(number - 1) * per : number * per]

    def list(self, path, query):
        since = query.get("since", "")
        found = [n for n, i in self.issues.items() if moment(i["updated"]) >= since and not i.get("gone")]
        found.sort(key=lambda n: (self.issues[n]["updated"], n), reverse=query["direction"] == "desc")
        answer = self.page([self.issue(n) for n in found], path, query)
        if since and self.after_page:
            self.after_page()
        return answer

    def one(self, number):
        about = self.issues.get(number, {"gone": 404})
        if about.get("gone") == 301:
            return 301, {"Location": f"{self.site}/api/v3/repositories/2/issues/9"}, {"message": "Moved Permanently"}
        if about.get("gone"):
            return about["gone"], {}, {"message": "Not Found"}
        return 200, {}, self.issue(number)

    def route(self, path, query, headers):
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {}, {"message": "Bad credentials"}
        if self.limited_until:
            return 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(self.limited_until)}, {
                "message": "API rate limit exceeded"}
        if path == "/api/v3/repositories/2/issues/9":
            return 200, {}, {**self.issue(9), "html_url": self.site + "/octo/hammer/issues/9"}
        rest = path.removeprefix("/api/v3/repositories/1" if self.renamed else REPOSITORY)
        if rest == path and self.renamed and path.startswith(REPOSITORY):
            there = path.replace(REPOSITORY, "/api/v3/repositories/1")
            words = "&".join(f"{k}={v}" for k, v in query.items())
            return 301, {"Location": f"{self.site}{there}?{words}"}, {"message": "Moved Permanently"}
        if rest == "":
            return 200, {"x-github-enterprise-version": "enterprise-server@3.14.2"}, {"id": 1, "has_issues": True}
        if rest == "/issues":
            return self.list(path, query)
        asked = re.fullmatch(r"/issues/(\d+)(/comments)?", rest)
        if asked and asked[2]:
            since = query.get("since", "")
            return self.page([c for c in self.comments.get(int(asked[1]), []) if c["updated_at"] >= since], path, query)
        return self.one(int(asked[1])) if asked else (404, {}, {"message": "Not Found"})

    def serve(self, handler):
        parts = urlsplit(handler.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        with self.lock:
            status, headers, document = self.route(parts.path, query, handler.headers)
            body = json.dumps(document).encode()
            if status == 200:
                headers["ETag"] = f'W/"{hashlib.sha1(body).hexdigest()}"'
                if handler.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
            self.requests.append((parts.path, query, dict(handler.headers), status))
        handler.send_response(status)
        for name, value in {"x-github-request-id": "E800:1", "Content-Type": "application/json", **headers}.items():
            handler.send_header(name, value)
        if status != 304:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture(scope="module")
def database(cluster):
    return cluster.database("github")


@pytest.fixture(scope="module")
def service(database):
    """By itself it would look at a bug again in a month."""
    service = Service(database=database, check_interval_s=2_592_000).start()
    yield service
    service.close()


@pytest.fixture
def github(made):
    return made(GitHub())


@pytest.fixture
def name(api, github):
    name = f"anvil-{github.server.server_port}"
    api.ok("POST", "trackers", {"name": name, "type": "github", "base_url": github.url, "changes_interval_s": 1})
    yield name
    api.ok("DELETE", f"trackers/{name}")


@pytest.fixture
def watch(api, github, name):
    """watch(number, ...): watches these issues, and returns them when they were read."""

    def begin(*numbers):
        api.watch_many(f"{github.url}issues/{n}" for n in numbers)
        api.settled()
        return [watched(api, github, n) for n in numbers]

    return begin


def watched(api, github, number):
    return api.items("watches", url=f"{github.url}issues/{number}")[0]


def quiet(api, github):
    """Waits for two polls that bring nothing."""
    before = len(github.seen(REPOSITORY + "/issues"))
    wait_for(lambda: [r[3] for r in github.seen(REPOSITORY + "/issues")[before:]][-2:] == [304, 304], "quiet polls")


def test_addresses(api, github, name):
    """A page's address counts below a tracker that is there; the API's says what it is."""
    page = api.watch(f"{github.url}issues/3")
    assert (page["tracker"], page["remote_id"]) == (name, "3")
    pull = api.watch(f"{github.url}pull/4/#issuecomment-12")
    assert (pull["tracker"], pull["remote_id"]) == (name, "4")
    direct = api.watch(f"{github.site}{REPOSITORY}/issues/5")
    assert (direct["tracker"], direct["remote_id"]) == (name, "5")
    other = api.request("POST", "watches", {"url": f"{github.site}/octo/hammer/issues/3"})
    assert other.status == 400
    made_new = api.watch(f"{github.site}/api/v3/repos/octo/hammer/issues/3")
    about = api.ok("GET", f"trackers/{made_new['tracker']}")
    assert (about["type"], about["base_url"]) == ("github", f"{github.site}/octo/hammer/")
    api.ok("DELETE", f"trackers/{made_new['tracker']}")


def test_auto(api, github):
    """It is told from the other kinds by asking it."""
    made_new = api.ok("POST", "trackers", {"name": "anvil-auto", "type": "auto", "base_url": github.url})
    api.watch(f"{github.url}issues/3")
    run = api.check("anvil-auto")
    assert run["state"] == "done", run
    about = api.ok("GET", "trackers/anvil-auto")
    assert (about["type"], about["version"]) == ("github", "enterprise-server@3.14.2")
    assert set(about["abilities"]) >= {"comments", "changes"}
    api.ok("DELETE", f"trackers/{made_new['name']}")


def test_a_change_and_a_comment_arrive(api, github, watch):
    first = github.say(7, "Beep\r\nbeep.")
    seen = watch(7)[0]
    assert (seen["status"], seen["importance"], seen["title"]) == ("new", "undecided", "Anvil 7")
    assert (seen["remote_status"], seen["remote_resolution"], seen["remote_tags"]) == ("open", None, "heavy")
    quiet(api, github)
    github.change(7, state="closed", reason="not_planned")
    wait_for(lambda: watched(api, github, 7)["status"] == "wont-fix", "the change")
    second = github.say(7, "It left the country.")
    wait_for(lambda: watched(api, github, 7)["comments"] == 3, "the comment")
    comments = api.items(f"watches/{seen['id']}/comments")
    assert [(c["number"], c["author"], c["text"]) for c in comments] == [
        (0, "wile", "It fell 7 times."), (first, "acme", "Beep\nbeep."), (second, "acme", "It left the country.")]
    events = api.items(f"watches/{seen['id']}/events")
    assert [(e["kind"], e["new"]) for e in events] == [
        ("status", "wont-fix"), ("resolved", "wont-fix"), ("comment", str(second))]


def test_nothing_changed(api, github, name, watch):
    """The same question with its ETag, answered without a body, and no other."""
    watch(7)
    quiet(api, github)
    before = len(github.requests)
    wait_for(lambda: len(github.requests) >= before + 3, "three polls")
    polls = github.requests[before:]
    assert {r[0] for r in polls} == {REPOSITORY + "/issues"} and {r[3] for r in polls} == {304}
    assert len({r[1]["since"] for r in polls}) == 1 and all(r[2].get("If-None-Match") for r in polls)
    runs = [r for r in api.items("runs", tracker=name, limit=10) if r["state"] == "done"]
    assert all((r["requests"], r["due"]) == (1, 0) and r["bytes"] < 2000 for r in runs[:2]), runs


def test_many_are_read_by_pages(api, github, name, watch):
    watch(*range(1, 131))
    lists, single = github.seen(REPOSITORY + "/issues"), github.seen(REPOSITORY + r"/issues/\d+")
    firsts = [r for r in lists if r[1]["direction"] == "desc"]
    assert [r[1].get("page", "1") for r in firsts[:2]] == ["1", "2"]
    assert len(single) <= 130, "each once at most, for its text"
    github.requests.clear()
    api.ok("PATCH", f"trackers/{name}", {"sync_comments": "none"})
    assert api.check(name)["checked"] == 130
    assert github.seen(REPOSITORY + r"/issues/\d+") == []


def test_missing_ones(api, github, name, watch):
    """Deleted, hidden and transferred: each fails by itself, and what was known stays."""
    watch(1, 2, 3, 4)
    github.change(1, gone=410)
    github.change(2, gone=404)
    github.change(3, gone=301)
    run = api.check(name)
    assert (run["state"], run["errors"]) == ("done", 3)
    seen = [watched(api, github, n) for n in (1, 2, 3, 4)]
    assert [(w["error"] or {}).get("kind") for w in seen] == ["bug-not-found"] * 3 + [None]
    assert "deleted" in seen[0]["error"]["message"]
    assert f"{github.site}/octo/hammer/issues/9" in seen[2]["error"]["message"]
    assert {w["status"] for w in seen} == {"new"}


def test_a_repository_that_is_gone(api, github, name, watch):
    """That it answers 404 to everything says nothing about its issues."""
    watch(1, 2)
    watched_before = watched(api, github, 1)
    github.route = lambda path, query, headers: (404, {}, {"message": "Not Found"})
    assert api.check(name)["error"]["kind"] == "auth"
    assert watched(api, github, 1)["error"] is None
    assert watched(api, github, 1)["last_checked_at"] == watched_before["last_checked_at"]


def test_a_renamed_repository(api, github, name, watch):
    watch(1, 2)
    github.renamed = True
    github.change(2, state="closed", reason="duplicate")
    assert api.check(name)["errors"] == 0
    assert [watched(api, github, n)["status"] for n in (1, 2)] == ["new", "invalid"]


def test_a_limit(api, github, name, watch):
    """It is left alone until the moment that it names, also by a forced check."""
    watch(1)
    end = int(time.time()) + 1800
    github.limited_until = end
    wait_for(lambda: api.ok("GET", f"trackers/{name}")["error"], "the limit")
    error = api.ok("GET", f"trackers/{name}")["error"]
    retry = datetime.fromisoformat(error["retry_at"].replace("Z", "+00:00")).timestamp()
    assert error["kind"] == "rate-limited" and end <= retry <= end + 10, error
    asked = len(github.requests)
    run = api.ok("POST", f"trackers/{name}/check", status=202)["run"]
    api.ok("POST", "trackers", {"name": "anvil-beside", "type": "github", "base_url": f"{github.site}/octo/hammer/"})
    api.watch(f"{github.site}/octo/hammer/issues/1")
    wait_for(lambda: api.ok("GET", "trackers/anvil-beside")["error"], "its neighbour, on the same host")
    assert api.ok("GET", f"runs/{run['id']}")["state"] == "queued"
    assert len(github.requests) == asked
    api.ok("DELETE", "trackers/anvil-beside")


def test_a_token(api, github, name):
    github.token = "ghp_secret"
    api.watch(f"{github.url}issues/1")
    assert api.check(name)["error"]["kind"] == "auth"
    api.ok("PATCH", f"trackers/{name}", {"credentials": {"api_key": "ghp_secret"}})
    assert api.check(name)["state"] == "done"
    assert watched(api, github, 1)["status"] == "new"


def test_nothing_is_lost_while_pages_are_read(api, github, name, watch, database):
    """Issues that change while the list is read leave their pages, and others move to earlier ones."""
    api.ok("PATCH", f"trackers/{name}", {"sync_comments": "none"})
    watch(*range(1, ISSUES + 1))
    quiet(api, github)
    api.ok("PATCH", f"trackers/{name}", {"enabled": False})
    wait_for(lambda: not api.items("runs", tracker=name, state="running"), "the last run")
    again = iter(range(1, 60))

    def disturb():
        number = next(again, None)
        if number is not None:
            github.change(number)

    with github.lock:
        # We were away for three hours. So long ago is what the next question does not go back to.
        for number in range(1, ISSUES + 1):
            github.issues[number].update(state="closed", reason="completed", updated=time.time() - 9000 + 10 * number)
        github.after_page = disturb
    sql(database, f"""UPDATE bugwatch.tracker_state s SET changes_since = now() - interval '3 hours'
        FROM bugwatch.tracker t WHERE t.id = s.tracker_id AND t.name = '{name}'""")
    before = len(github.seen(REPOSITORY + "/issues"))
    api.ok("PATCH", f"trackers/{name}", {"enabled": True})

    def polled():
        """Whether the list was read to its end, and once more."""
        asked = [r[1]["since"] for r in github.seen(REPOSITORY + "/issues")[before:] if "since" in r[1]]
        return len(asked) > 3 and asked[-1] > moment(time.time() - 1200)

    wait_for(polled, "the polls")
    api.settled()
    missing = [w["remote_id"] for w in api.items("watches", tracker=name, limit=1000) if w["status"] != "fix-released"]
    assert missing == []
