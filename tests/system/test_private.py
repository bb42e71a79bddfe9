"""Comments that are not for everybody: kept where that is wanted, dropped when one turns so."""
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from harness import Page


class Bugzilla:
    """One bug with comments, some of them private, on a Bugzilla that knows the key "K"."""

    def __init__(self):
        self.page = Page(self.answer)
        self.url = self.page.url
        self.comments = [("description", False), ("for few", True), ("for all", False)]
        self.groups, self.changed = [], time.time() - 86400

    def change(self):
        self.changed += 60

    def hide(self, number, private=True):
        self.comments[number] = (self.comments[number][0], private)
        self.change()

    def bug(self):
        return {"id": 7, "status": "NEW", "resolution": "", "severity": "major", "priority": "P1", "summary": "It breaks",
                "product": "Anvil", "last_change_time": self.time(self.changed), "groups": self.groups}

    @staticmethod
    def time(at):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))

    def list(self, signed_in, query):
        since = query.get("new_since", "")
        return [{"count": n, "id": n + 100, "creator": "ann", "text": text, "is_private": private,
                 "time": self.time(1700000000 + n)} for n, (text, private) in enumerate(self.comments)
                if (signed_in or not private) and self.time(1700000000 + n) > since]

    def answer(self, method, path):
        parts = urlsplit(path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        signed_in = query.get("Bugzilla_api_key") == "K"
        body = {"error": True, "code": 32000, "message": "No such resource"}
        if parts.path == "/rest/version":
            body = {"version": "5.2"}
        elif parts.path == "/rest/bug":
            body = {"bugs": [self.bug()] if signed_in or not self.groups else []}
        elif re.fullmatch("/rest/bug/7/comment", parts.path):
            body = {"bugs": {"7": {"comments": self.list(signed_in, query)}}, "comments": {}}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def close(self):
        self.page.close()


@pytest.fixture
def bugzilla(made):
    return made(Bugzilla())


@pytest.fixture
def watch(api, bugzilla):
    watch = api.watch(f"{bugzilla.url}show_bug.cgi?id=7")
    api.check(watch["tracker"])
    return watch


def texts(api, watch):
    """The comments: number → text, or None for one that is hidden."""
    found = api.items(f"watches/{watch['id']}/comments")
    assert all(c["text"] == "" for c in found if c.get("hidden"))
    return {c["number"]: None if c.get("hidden") else c["text"] for c in found}


def told(api, watch):
    return [e["new"] for e in api.items(f"watches/{watch['id']}/events") if e["kind"] == "comment"]


def test_a_comment_that_turns_private_loses_its_text(api, bugzilla, watch):
    assert texts(api, watch) == {0: "description", 2: "for all"}
    bugzilla.hide(2)
    api.check(watch["tracker"])
    assert texts(api, watch) == {0: "description", 2: None}
    bugzilla.hide(2, False)
    bugzilla.hide(1, False)
    api.check(watch["tracker"])
    assert texts(api, watch) == {0: "description", 1: "for few", 2: "for all"}
    assert told(api, watch) == ["1"], "one that comes back is no news"


def test_in_a_long_talk_too(api, bugzilla, watch):
    bugzilla.comments += [(f"comment {n}", False) for n in range(3, 60)]
    bugzilla.change()
    api.check(watch["tracker"])
    assert len(texts(api, watch)) == 59
    bugzilla.hide(5)
    bugzilla.comments.append(("one more", False))
    api.check(watch["tracker"])
    found = texts(api, watch)
    assert found[5] is None and found[60] == "one more" and list(found.values()).count(None) == 1


def test_private_comments_are_kept_where_that_is_wanted(api, bugzilla, watch):
    name = watch["tracker"]
    api.ok("PATCH", f"trackers/{name}", {"credentials": {"api_key": "K"}})
    bugzilla.change()
    api.check(name)
    assert texts(api, watch) == {0: "description", 2: "for all"}, "what only we may see is not kept by default"
    assert api.ok("PATCH", f"trackers/{name}", {"store_private": True})["store_private"] is True
    api.check(name)
    assert texts(api, watch) == {0: "description", 1: "for few", 2: "for all"}, "without a change of the bug"
    api.ok("PATCH", f"trackers/{name}", {"store_private": False})
    api.check(name)
    assert texts(api, watch) == {0: "description", 1: None, 2: "for all"}


def test_comments_of_a_bug_that_is_not_public_are_not_kept(api, bugzilla, watch):
    name = watch["tracker"]
    api.ok("PATCH", f"trackers/{name}", {"credentials": {"api_key": "K"}})
    bugzilla.groups = ["security"]
    bugzilla.change()
    api.check(name)
    assert texts(api, watch) == {0: None, 2: None}
    api.ok("PATCH", f"trackers/{name}", {"store_private": True})
    api.check(name)
    assert texts(api, watch) == {0: "description", 1: "for few", 2: "for all"}
