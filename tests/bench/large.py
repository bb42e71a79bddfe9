"""Many watches: what rest, a claim and a question what changed cost, and how long the loop is away."""
import array
import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

import local
import processor

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 5
SIZES = [10_000, 100_000, 1_000_000]
LARGEST = 10_000_000
A_TRACKER = 10_000
DUE = 500
IDLE_S = 12  # a sample
CHANGES_WATCHES = 50_000
DAY_S = 86400
PATIENCE_S = 1200
BULK = 500_000  # rows made by one statement

# Bugs of other trackers, none of them due; their triggers and references are left out.
TRACKERS = """
WITH made AS (
  INSERT INTO bugwatch.tracker (name, type, base_url)
  SELECT 'many-' || i, 'bugzilla', 'http://127.0.0.1:1/many-' || i || '/' FROM generate_series({first}, {last}) AS i
  RETURNING id)
INSERT INTO bugwatch.tracker_state (tracker_id, due_at) SELECT id, now() + interval '30 days' FROM made"""
BUGS = """
SET session_replication_role = replica; SET synchronous_commit = off;
WITH made AS (
  INSERT INTO bugwatch.bug (tracker_id, remote_id, title, product, remote_status, remote_resolution, remote_severity,
    remote_priority, status, importance, remote_changed_at, first_read_at, comments_read_at)
  SELECT t.id, i::text, 'A bug with a title of the usual length, number ' || i, 'product ' || i % 20, 'NEW', '',
    'normal', 'P3', 'new', 'medium', now() - interval '100 days', now(), now()
  FROM bugwatch.tracker t, generate_series(1, {each}) AS i
  WHERE t.name LIKE 'many-%' AND substr(t.name, 6)::bigint BETWEEN {first} AND {last}
  RETURNING tracker_id, id, remote_id
), checks AS (
  INSERT INTO bugwatch.bug_check (tracker_id, bug_id, remote_id, fingerprint, checked_at, next_check_at, comments_wanted)
  SELECT tracker_id, id, remote_id, id * 7919, now(), now() + (30 + random() * 30) * interval '1 day', false FROM made
)
INSERT INTO bugwatch.watch (tracker_id, bug_id, url)
SELECT tracker_id, id, 'http://127.0.0.1:1/show_bug.cgi?id=' || remote_id FROM made"""


class Database:
    """The embedded database of a service, through psql."""

    def __init__(self, service):
        pid_file = next(service.state.rglob("postmaster.pid"))
        self.host = pid_file.read_text().splitlines()[4]

    def run(self, sql):
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-U", "bugwatch"]
        done = subprocess.run([*command, "-d", "bugwatch"], input=sql, capture_output=True, text=True)
        if done.returncode != 0:
            raise local.Failure(f"psql: {done.stderr}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def number(self, sql):
        return int(self.run(sql)[0][0])

    def wait(self, sql, number, every_s=0.05):
        end = time.monotonic() + PATIENCE_S
        while self.number(sql) != number:
            if time.monotonic() > end:
                raise local.Failure(f"waited {PATIENCE_S} s in vain for {number}: {sql}")
            time.sleep(every_s)

    def grow(self, first, last):
        """Trackers FIRST to LAST of A_TRACKER bugs each."""
        step = BULK // A_TRACKER
        for at in range(first, last + 1, step):
            numbers = {"first": at, "last": min(at + step - 1, last), "each": A_TRACKER}
            self.run(TRACKERS.format(**numbers))
            self.run(BUGS.format(**numbers))
        self.run("VACUUM ANALYZE; CHECKPOINT")

    def runs(self):
        return self.number("SELECT count(*) FROM bugwatch.run WHERE state IN ('done', 'failed')")


def watch(service, tracker):
    """Watches all bugs of TRACKER, without their comments, and waits until they were read; its id."""
    database = Database(service)
    service.add_tracker(tracker)
    service.command("tracker", "set", tracker.name, "sync_comments=none")
    for first in range(1, tracker.bugs + 1, 10_000):
        last = min(first + 9_999, tracker.bugs)
        service.add_watches([tracker.url(number) for number in range(first, last + 1)])
    database.wait("SELECT count(*) FROM bugwatch.bug_check WHERE checked_at IS NULL", 0, 0.5)
    database.wait("SELECT count(*) FROM bugwatch.run WHERE state IN ('queued', 'running')", 0)
    return database.number(f"SELECT id FROM bugwatch.tracker WHERE name = '{tracker.name}'")


def rest(service):
    """Waits until the service and its database use next to nothing, such as after vacuuming."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        before = processor.spent(service.process.pid)
        time.sleep(2)
        if processor.spent(service.process.pid) - before < 0.02:
            return


def idle(service):
    """Seconds of processor an hour at rest, of the service alone and with its database; MiB of memory."""
    alone, whole = [], []
    rest(service)
    for _ in range(SAMPLES):
        before = processor.spent(service.process.pid), processor.own(service.process.pid)
        time.sleep(IDLE_S)
        whole.append((processor.spent(service.process.pid) - before[0]) * 3600 / IDLE_S)
        alone.append((processor.own(service.process.pid) - before[1]) * 3600 / IDLE_S)
    return {
        "service_s_an_hour": statistics.median(alone),
        "all_s_an_hour": statistics.median(whole),
        "memory_mib": processor.memory_peak(service.process.pid),
    }


def named_queries():
    """The text of each query of a run, without its comments."""
    text = (ROOT / "schema" / "queries" / "work.sql").read_text()
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.M)[1:]
    return {name: re.sub(r"^--.*\n", "", body, flags=re.M).strip() for name, body in zip(parts[::2], parts[1::2])}


def name_of(statement, queries):
    """Which of QUERIES the STATEMENT is: constants in it were replaced, so the longest common beginning tells."""
    name = max(queries, key=lambda one: len(os.path.commonprefix([queries[one], statement])))
    return name if len(os.path.commonprefix([queries[name], statement])) >= 25 else None


def claim(database, tracker_id, queries):
    """Makes DUE bugs of one tracker due; what a run of them costs the database, ms by query."""
    done = database.runs()
    database.run(
        f"UPDATE bugwatch.bug_check SET next_check_at = now() WHERE tracker_id = {tracker_id} AND bug_id IN (SELECT "
        f"bug_id FROM bugwatch.bug_check WHERE tracker_id = {tracker_id} ORDER BY random() LIMIT {DUE});"
        "SELECT pg_stat_statements_reset();"
        f"UPDATE bugwatch.tracker_state SET due_at = now() WHERE tracker_id = {tracker_id};"
        "NOTIFY bugwatch_work"
    )
    database.wait("SELECT count(*) FROM bugwatch.run WHERE state IN ('done', 'failed')", done + 1)
    checked = database.number("SELECT checked FROM bugwatch.run ORDER BY id DESC LIMIT 1")
    if checked == 0:
        raise local.Failure(f"none of {DUE} due bugs was checked")
    spent = {"checked": checked}
    for statement, ms in database.run(
        "SELECT replace(query, chr(10), chr(1)), total_exec_time FROM pg_stat_statements"
    ):
        name = name_of(statement.replace(chr(1), "\n"), queries)
        if name is not None:
            spent[name] = spent.get(name, 0) + float(ms)
    return spent


def measure_sizes(builds):
    """Rest and a claim with ever more watches of other trackers around."""
    rows, made, queries = [], 0, named_queries()
    sizes = SIZES + ([LARGEST] if builds.largest else [])
    with local.folder() as path, local.farm(builds.farm, [f"bugzilla:due:{A_TRACKER}"]) as (tracker,):
        start = lambda: local.service(builds.program, path, check_interval_s=30 * DAY_S)  # noqa: E731
        with start() as service:
            tracker_id = watch(service, tracker)
            Database(service).run("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        for size in sizes:
            with start() as service:
                database = Database(service)
                database.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
                others = size // A_TRACKER - 1
                if others > made:
                    database.grow(made + 1, others)
                    made = others
            with start() as service:
                database = Database(service)
                row = {"watches": size, **idle(service)}
                claim(database, tracker_id, queries)
                samples = [claim(database, tracker_id, queries) for _ in range(SAMPLES)]
                middle = lambda name: statistics.median(one.get(name, 0) for one in samples)  # noqa: E731
                row |= {name: middle(f"work_{name}") for name in ("take", "begin")} | {"checked": middle("checked")}
                row["claim"] = middle("work_claim") + middle("work_claim_first")
                row["all"] = statistics.median(sum(one.values()) - one["checked"] for one in samples)
                rows.append(row)
    return rows


def measure_changes(builds):
    """Asking one tracker what changed, when nothing did."""
    spent, walls, requests = [], [], []
    with (
        local.folder() as path,
        local.farm(builds.farm, [f"bugzilla:large:{CHANGES_WATCHES}"]) as (tracker,),
        local.service(builds.program, path, check_interval_s=30 * DAY_S) as service,
    ):
        watch(service, tracker)
        database = Database(service)
        for sample in range(SAMPLES + 1):
            rest(service)
            done, before = database.runs(), processor.spent(service.process.pid)
            database.run(
                "UPDATE bugwatch.tracker_state SET due_at = now(), changes_at = now(); NOTIFY bugwatch_work"
            )
            time.sleep(1)
            used = processor.spent(service.process.pid) - before
            database.wait("SELECT count(*) FROM bugwatch.run WHERE state IN ('done', 'failed')", done + 1)
            checked, asked, wall = database.run(
                "SELECT checked, requests, extract(epoch FROM finished_at - started_at) * 1000"
                " FROM bugwatch.run ORDER BY id DESC LIMIT 1"
            )[0]
            if checked != "0":
                raise local.Failure(f"{checked} bugs were checked, though nothing changed")
            if sample > 0:  # the first one goes back to the first reading
                spent.append(used * 1000)
                walls.append(float(wall))
                requests.append(int(asked))
    return {
        "watches": CHANGES_WATCHES,
        "requests": statistics.median(requests),
        "processor_ms": statistics.median(spent),
        "wall_ms": statistics.median(walls),
    }


def measure_parsing(builds):
    """Each driver over the library that it stands on."""
    done = subprocess.run([builds.parse], capture_output=True, text=True)
    if done.returncode != 0:
        raise local.Failure(f"parse: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure_loop(builds):
    """How long the loop is away, while it has all to do that it can have."""
    kinds = ["bugzilla:large:13000"] + [f"{kind}:{kind}{i}:100" for i in range(12) for kind in
                                        ("bugzilla", "roundup", "trac", "debbugs")]
    with local.folder() as path, local.farm(builds.farm, kinds) as trackers:
        times = path / "turns"
        times.mkdir()
        os.environ |= {"LD_PRELOAD": str(builds.loop), "LOOP_TIMES": str(times)}
        try:
            with local.service(builds.program, path, check_interval_s=DAY_S) as service:
                for name in ("LD_PRELOAD", "LOOP_TIMES"):
                    del os.environ[name]
                busy(service, trackers)
                turns = times / str(service.process.pid)
        finally:
            os.environ.pop("LD_PRELOAD", None)
        took = array.array("I", turns.read_bytes())
    passed, computed = sorted(took[::2]), sorted(took[1::2])
    parts = {"p50": 0.5, "p99": 0.99, "p99_9": 0.999, "most": 1}
    at = lambda turns, part: turns[min(int(len(turns) * part), len(turns) - 1)] / 1000  # noqa: E731
    return {
        "turns": len(passed),
        "passed_ms": {name: at(passed, part) for name, part in parts.items()},
        "computed_ms": {name: at(computed, part) for name, part in parts.items()},
    }


def busy(service, trackers):
    """First readings with all comments, then forced checks of all trackers, while lists are asked for."""
    for tracker in trackers:
        service.add_tracker(tracker)
        service.add_watches([tracker.url(number) for number in range(1, tracker.bugs + 1)])
    database = Database(service)
    unread = "SELECT count(*) FROM bugwatch.bug_check WHERE checked_at IS NULL"
    while database.number(unread) > 0:
        service.get("watches", limit=1000)
    for _ in range(SAMPLES):
        for tracker in trackers:
            local.ask(f"{service.url}/api/v1/trackers/{tracker.name}/check", "POST", token=service.token)
        while database.number("SELECT count(*) FROM bugwatch.run WHERE state IN ('queued', 'running')") > 0:
            service.get("watches", limit=1000)
            service.get("runs", limit=100)


MEASURES = {"sizes": measure_sizes, "changes": measure_changes, "parsing": measure_parsing, "loop": measure_loop}


def sizes_lines(rows):
    yield "## At rest\n"
    yield (
        f"So many watches, {A_TRACKER:,} a tracker, none of them due. Processor time, of the service alone and with all "
        f"its PostgreSQL processes, is the median of {SAMPLES} samples of {IDLE_S} s, told as seconds an hour; memory is "
        "the most that the service had since its start.\n"
    )
    yield "| watches | service, s an hour | with PostgreSQL, s an hour | memory of the service, MiB |"
    yield "|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['watches']:,} | {row['service_s_an_hour']:.1f} | {row['all_s_an_hour']:.1f} "
            f"| {row['memory_mib']:.0f} |"
        )
    yield "\n## A claim among ever more\n"
    yield (
        f"{DUE} of one tracker's {A_TRACKER:,} bugs fall due, at random places; the others belong to other trackers. "
        f"Time within PostgreSQL (`pg_stat_statements`), medians of {SAMPLES}: finding the tracker and taking its "
        "lease, beginning the run and counting what is due, claiming the bugs, and all that the run asked of the "
        "database, what it stored included.\n"
    )
    yield "| watches | checked | lease, ms | begin, ms | claim, ms | the whole run, ms |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['watches']:,} | {row['checked']:.0f} | {row['take']:.2f} | {row['begin']:.2f} | {row['claim']:.2f} | {row['all']:.1f} |"
        )
    yield ""


def changes_lines(it):
    yield "## What changed, when nothing did\n"
    yield (
        f"One question to a Bugzilla with {it['watches']:,} watches, medians of {SAMPLES}: {it['requests']:.0f} "
        f"request{'s' if it['requests'] != 1 else ''}, {it['processor_ms']:.0f} ms of processor time (the service and "
        f"PostgreSQL), {it['wall_ms']:.0f} ms from the beginning of the run to its end.\n"
    )


def parsing_lines(rows):
    yield "## Reading answers\n"
    yield (
        f"A check of {rows[0]['bugs']} bugs, answered by the farm's servers without a socket: each driver beside the "
        "library that it stands on, which only parses the same bytes. Medians of 9.\n"
    )
    yield "| tracker | answers | bytes | driver, MB/s | us a bug | library alone, MB/s | driver over it |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        ours = f"{row['bytes'] / row['driver_us']:.0f} | {row['driver_us'] / row['bugs']:.1f}"
        theirs = "CSV, by libcsv | |"
        if row["library"] != "none":
            theirs = (
                f"{row['library']}: {row['bytes'] / row['library_us']:.0f} "
                f"| {row['driver_us'] / row['library_us']:.1f} |"
            )
        yield f"| {row['kind']} | {row['answers']} | {row['bytes']:,} | {ours} | {theirs}"
    yield ""


def loop_lines(it):
    yield "## How long the loop is away\n"
    yield (
        "A tracker of 13,000 bugs and 48 of 100 (four kinds) are read for the first time with all comments and checked "
        f"{SAMPLES} times by force, while a client asks for pages of 1,000 watches. From one wait for events to the "
        f"next, over {it['turns']:,} turns; where others want the processor more passes than is computed.\n"
    )
    yield "| | median, ms | 99 % below, ms | 99.9 % below, ms | longest, ms |"
    yield "|---|---:|---:|---:|---:|"
    for name in ("passed", "computed"):
        yield f"| {name} | " + " | ".join(f"{ms:.2f}" for ms in it[f"{name}_ms"].values()) + " |"
    yield ""


LINES = {"sizes": sizes_lines, "changes": changes_lines, "parsing": parsing_lines, "loop": loop_lines}
