"""What happened is kept for as long as the settings say, in months; a check that finds nothing adds nothing."""
import pytest

from harness import Farm, Service, sql, wait_for

KEPT = ("event", "past_run", "run_error")
# Moves the last months of everything into the past.
LONG_AGO = """
    ALTER TABLE bugwatch.{0} DETACH PARTITION bugwatch.{0}_{1};
    UPDATE bugwatch.{0}_{1} SET {2} = {2} - interval '3 years';
    ALTER TABLE bugwatch.{0}_{1} RENAME TO {0}_{3};
    ALTER TABLE bugwatch.{0} ATTACH PARTITION bugwatch.{0}_{3} FOR VALUES FROM (MINVALUE) TO ('{4}-01');
"""


@pytest.fixture
def farm():
    farm = Farm(bugzilla=1, bugs=20)
    yield farm
    farm.close()


def months(url, parent):
    return sorted(row[0] for row in sql(url, f"""
        SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'bugwatch.{parent}'::regclass"""))


def test_months(cluster, made, farm):
    """Old months are dropped and new ones made, also where the service was away for years."""
    url = cluster.database("months")
    service = made(Service(database=url, keep_events_days=30, keep_runs_days=30).start())
    tracker = farm.trackers["bugzilla"][0]
    name = service.api.watch_many(tracker.url(i) for i in range(1, 22))[0]["tracker"]
    service.api.settled()
    tracker.change(3, status=tracker.two_statuses[0][0])
    service.api.check(name)
    tracker.change(3, status=tracker.two_statuses[1][0])
    run = service.api.check(name)
    assert run["changed"] == 1 and service.api.items(f"runs/{run['id']}/errors")
    before = {parent: months(url, parent) for parent in KEPT}
    assert all(len(names) == 4 for names in before.values())
    assert service.api.items("events") and service.api.items("runs")
    service.stop()
    now = sql(url, """SELECT to_char(now(), 'YYYY_MM'), to_char(now() - interval '3 years', 'YYYY_MM'),
        to_char(now() - interval '35 months', 'YYYY-MM')""")[0]
    for parent, column in zip(KEPT, ("at", "finished_at", "at")):
        sql(url, LONG_AGO.format(parent, now[0], column, now[1], now[2]))
    service.start()
    wait_for(lambda: [months(url, parent) for parent in KEPT] == list(before.values()), "other months")
    assert service.api.items("runs") == [] and service.api.ok("GET", "events?after=0")["items"] == []
    tracker.change(3, status=tracker.two_statuses[0][0])
    run = service.api.check(name)
    assert run["changed"] == 1 and service.api.items("runs") == [run]
    assert service.api.ok("GET", "events?after=0")["items"]
    service.check_clean()


def test_growth(cluster, made, farm):
    """Checks that find nothing add a run each, and no other row."""
    url = cluster.database("growth")
    service = made(Service(database=url).start())
    name = service.api.watch_many(farm.all[0].url(i) for i in range(1, 21))[0]["tracker"]
    service.api.settled()
    while service.api.check(name)["changed"]:
        pass
    tables = [row[0] for row in sql(url, """SELECT oid::regclass FROM pg_class WHERE relkind = 'r'
        AND relnamespace = 'bugwatch'::regnamespace ORDER BY 1""")]

    def rows():
        counts = sql(url, " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))
        return {table: int(count) for table, count in counts}

    before = rows()
    for _ in range(25):
        # Daily checks: all bugs are due by themselves.
        sql(url, "UPDATE bugwatch.bug_check SET next_check_at = now()")
        assert service.api.check(name)["checked"] == 20
    after = rows()
    grown = {table: after[table] - before[table] for table in tables if after[table] != before[table]}
    assert set(grown) <= {table for table in tables if "past_run_" in table or table.endswith("audit")}, grown
    assert sum(n for table, n in grown.items() if "past_run_" in table) == 25
