"""Feeds: the newest events as Atom, for readers that know no tokens but passwords."""
import base64
import xml.etree.ElementTree as ElementTree

import pytest

from harness import Farm

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def bug(api):
    """A watched bug whose title is as bad as titles get."""
    farm = Farm(bugzilla=1, bugs=100)
    tracker = farm.trackers["bugzilla"][0]
    watch = api.watch(tracker.url(3))
    api.check(watch["tracker"])
    for title in ("plain", "<script>&\x01\x1b[31m]]> \uffff \u202e \U0001f41b"):
        tracker.change(3, title=title)
        api.check(watch["tracker"])
    yield watch
    farm.close()


def entries(answer):
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/atom+xml"
    return ElementTree.fromstring(answer.body).findall(ATOM + "entry")


def test_the_newest_first(api, bug):
    found = entries(api.get("events.atom"))
    events = api.items("events")
    assert [e.find(ATOM + "id").text for e in found] == [
        f"urn:bugwatch:event:{event['id']}" for event in reversed(events)]
    assert found[0].find(ATOM + "link").get("href") == bug["url"]
    assert "<script>" in found[0].find(ATOM + "title").text
    assert "plain" in found[1].find(ATOM + "title").text


def test_of_one_tracker(api, bug):
    assert len(entries(api.get(f"trackers/{bug['tracker']}/events.atom"))) == 2
    api.ok("POST", "trackers", {"name": "quiet", "type": "trac", "base_url": "http://127.0.0.1:1/"})
    assert entries(api.get("trackers/quiet/events.atom")) == []
    assert api.get("trackers/none/events.atom").status == 404


def test_a_token_as_password(api, bug):
    refused = api.get("events.atom", token=False)
    assert refused.status == 401
    assert refused.headers.get_all("WWW-Authenticate") == ["Bearer", 'Basic realm="bugwatch"']
    password = base64.b64encode(f"anybody:{api.token}".encode()).decode()
    assert entries(api.get("events.atom", token=False, headers={"Authorization": f"Basic {password}"}))
    for bad in ("", "%%%", base64.b64encode(b"nothing").decode(), base64.b64encode(b"a:b").decode()):
        assert api.get("events.atom", token=False, headers={"Authorization": f"Basic {bad}"}).status == 401
