"""The SQL that others may rely on: the views, by the names of the API's fields."""
import json
import select
import subprocess

import pytest

from harness import Service, sql, wait_for
from test_api import TRACKER_FIELDS, WATCH_FIELDS

SETTINGS = {"batch_size", "max_connections", "min_delay_ms", "changes_interval_s", "schedule", "sync_comments",
            "store_private"}
EVENT_FIELDS = {"id", "at", "kind", "watch", "tracker", "remote_id", "url", "ref", "old", "new"}


@pytest.fixture(scope="module")
def seen(cluster):
    url = cluster.database("views")
    service = Service(database=url).start()
    service.database = url
    service.api.ok("POST", "trackers", {"name": "viewed", "type": "bugzilla", "base_url": "http://127.0.0.1:1/"}, 201)
    service.api.watch("http://127.0.0.1:1/show_bug.cgi?id=5", "r")
    service.api.check("viewed")
    yield service
    service.close()


def columns(url, view):
    return {row[0] for row in sql(url, f"""SELECT column_name FROM information_schema.columns
        WHERE table_schema = 'bugwatch' AND table_name = '{view}'""")}


def test_names(seen):
    assert columns(seen.database, "watch_status") == WATCH_FIELDS
    # `title` and `enabled` are settings that people want to see.
    assert columns(seen.database, "tracker_status") == TRACKER_FIELDS - SETTINGS - {"last_run", "has_udd"}
    assert columns(seen.database, "event_feed") == EVENT_FIELDS


def same(row, shown):
    for name, value in row.items():
        other = shown[name]
        if isinstance(value, str) and isinstance(other, str) and "T" in value and value != other:
            assert value[:19] == other[:19], name
        elif isinstance(value, int) and isinstance(other, str):
            assert str(value) == other, name
        else:
            assert value == other, name


def test_values(seen):
    """The same in the view and in the API."""
    row = json.loads(sql(seen.database, "SET timezone TO 'UTC'; SELECT to_json(w) FROM bugwatch.watch_status w")[0][0])
    same(row, seen.api.items("watches")[0])
    row = json.loads(sql(seen.database, "SET timezone TO 'UTC'; SELECT to_json(t) FROM bugwatch.tracker_status t")[0][0])
    row.pop("next_check_at")
    same(row, seen.api.ok("GET", "trackers/viewed"))


def test_migration_version(seen):
    assert int(sql(seen.database, "SELECT max(version) FROM bugwatch.migration")[0][0]) >= 1
