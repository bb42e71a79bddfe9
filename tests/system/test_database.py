"""An external PostgreSQL: migrations, several services on one database, and its absence."""
import os
import re
import threading

import pytest

from harness import Folder, Service, cli, sql, wait_for

NOWHERE = "http://127.0.0.1:1/"
SCHEMA = """SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
            WHERE table_schema = 'bugwatch' ORDER BY 1"""


def test_several_at_once_on_an_empty_database(cluster, made):
    """All come up, the schema is made once, and one of them makes the admin token."""
    url = cluster.database("several")
    services = [made(Service(database=url, instance=f"number{i}").launch()) for i in range(4)]
    for service in services:
        service.wait_up()
    token = wait_for(lambda: next((t for t in (s.admin_token() for s in services) if t), None), "a token")
    assert [s.admin_token() for s in services].count(None) == 3
    assert sql(url, "SELECT count(*) FROM bugwatch.token") == [["1"]]
    for service in services:
        service.api.token = token
        assert service.api.ok("GET", "whoami")["role"] == "admin"
    # They see each other's doings.
    services[0].api.ok("POST", "trackers", {"name": "shared", "type": "bugzilla", "base_url": NOWHERE}, 201)
    assert services[1].api.ok("GET", "trackers/shared")["name"] == "shared"


def test_migrate_command(cluster):
    url = cluster.database("migrated")
    first = cli("migrate", "--database", url)
    before = sql(url, SCHEMA)
    versions = sql(url, "SELECT version FROM bugwatch.migration ORDER BY version")
    assert [int(v[0]) for v in versions] == list(range(1, len(versions) + 1)) and versions
    again = cli("migrate", "--database", url)
    assert sql(url, SCHEMA) == before
    assert first.out != again.out, "it says what it did"


def test_migrate_at_once(cluster):
    """Many on one empty database: each step is applied once, nobody fails."""
    url = cluster.database("raced")
    failures = []

    def one():
        try:
            cli("migrate", "--database", url)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def refused(url, *words, status=None):
    """`serve` and `migrate` refuse this database in these words, and leave it as it is."""
    before = sql(url, SCHEMA)
    state = Folder("refused")
    try:
        for command in (["migrate", "--database", url],
                        ["serve", "--database", url, "--listen", "127.0.0.1:0", "--state-dir", str(state.path)]):
            done = cli(*command, status=status, timeout=60)
            assert done.status != 0
            for word in words:
                assert word in done.err, (command[0], done.err)
    finally:
        state.remove()
    assert sql(url, SCHEMA) == before


def test_newer_schema(cluster):
    url = cluster.database("newer")
    cli("migrate", "--database", url)
    columns = [c[0] for c in sql(url, """SELECT column_name FROM information_schema.columns
        WHERE table_schema = 'bugwatch' AND table_name = 'migration' ORDER BY ordinal_position""")]
    assert "version" in columns
    rest = ", ".join(c for c in columns if c != "version")
    sql(url, f"""INSERT INTO bugwatch.migration (version, {rest})
        SELECT version + 1, {rest} FROM bugwatch.migration ORDER BY version DESC LIMIT 1""")
    refused(url, "newer")


def test_edited_migration(cluster):
    url = cluster.database("edited")
    cli("migrate", "--database", url)
    column = [c[0] for c in sql(url, """SELECT column_name FROM information_schema.columns
        WHERE table_schema = 'bugwatch' AND table_name = 'migration' AND column_name ~ 'checksum|hash'""")]
    assert column, "a migration has a checksum"
    kind = sql(url, f"""SELECT data_type FROM information_schema.columns
        WHERE table_schema = 'bugwatch' AND table_name = 'migration' AND column_name = '{column[0]}'""")[0][0]
    other = "'\\x00'::bytea" if kind == "bytea" else "7" if kind in ("bigint", "integer") else "'other'"
    sql(url, f"UPDATE bugwatch.migration SET {column[0]} = {other} WHERE version = 1")
    refused(url, "1")


def test_foreign_schema_is_left_alone(cluster):
    """A schema of our name that is not ours is never dropped."""
    url = cluster.database("foreign")
    sql(url, "CREATE SCHEMA bugwatch; CREATE TABLE bugwatch.tracker (mine text);"
             "INSERT INTO bugwatch.tracker VALUES ('precious')")
    done = cli("migrate", "--database", url, status=None)
    assert done.status != 0 and done.err
    assert sql(url, "SELECT mine FROM bugwatch.tracker") == [["precious"]]


def test_data_survive_a_restart(cluster, made):
    url = cluster.database("kept")
    service = made(Service(database=url).start())
    watch = service.api.watch(NOWHERE + "show_bug.cgi?id=1", "kept")
    token = service.api.token
    service.stop()
    service.start()
    assert service.api.token == token
    assert service.api.ok("GET", f"watches/{watch['id']}")["ref"] == "kept"


def test_no_such_server(made):
    """At the start it says so, and names no secret."""
    state = Folder("noserver")
    try:
        done = cli("migrate", "--database", "postgresql://bugwatch:hush-hush@127.0.0.1:1/x", status=None)
        assert done.status != 0 and "hush-hush" not in done.err and done.err
    finally:
        state.remove()


def test_server_restarts(cluster, made):
    """The service stays; /readyz says 503, then 200; the API answers 503 within 10 s."""
    url = cluster.database("restarted")
    service = made(Service(database=url).start())
    watch = service.api.watch(NOWHERE + "show_bug.cgi?id=1")
    cluster.stop()
    try:
        wait_for(lambda: service.ready() == 503, "503")
        assert service.api.get("/healthz", token=False).status == 200
        answer = service.api.get("watches")
        assert answer.status == 503 and answer.headers["Content-Type"].startswith("application/problem+json")
    finally:
        cluster.start()
    service.wait_ready()
    assert service.api.ok("GET", f"watches/{watch['id']}")["id"] == watch["id"]
    cluster.stop("immediate")
    cluster.start()
    service.wait_ready()
    wait_for(lambda: service.api.get("watches").status == 200, "an answer")


def test_backends_terminated(cluster, made):
    """Every connection cut by an administrator, again and again: nothing but a moment is lost."""
    url = cluster.database("cut")
    service = made(Service(database=url).start())
    for i in range(10):
        sql(url, """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()""")
        wait_for(lambda: service.api.request("POST", "watches", {
            "url": f"{NOWHERE}show_bug.cgi?id={i + 1}"}).status in (200, 201), "a watch")
    assert len(service.api.items("watches")) == 10


def test_read_only_server(cluster, made):
    """A server that turned read-only (a failover) is dropped, and taken again once it can be written to."""
    url = cluster.database("readonly")
    service = made(Service(database=url).start())
    sql(url, "ALTER DATABASE readonly SET default_transaction_read_only = on")
    sql(url, """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()""")
    wait_for(lambda: service.api.request("POST", "watches", {
        "url": NOWHERE + "show_bug.cgi?id=1"}).status == 503, "503")
    writing = url + "?options=-c%20default_transaction_read_only%3Doff"
    sql(writing, "ALTER DATABASE readonly RESET default_transaction_read_only")
    wait_for(lambda: service.api.request("POST", "watches", {
        "url": NOWHERE + "show_bug.cgi?id=1"}).status in (200, 201), "a watch")


def test_several_hosts(cluster, made):
    """The first host of the list is dead: the second is found."""
    url = cluster.database("hosts")
    two = re.sub(r"@127\.0\.0\.1:(\d+)/", r"@127.0.0.1:1,127.0.0.1:\1/", url) + "?target_session_attrs=read-write"
    service = made(Service(database=two).start())
    assert service.api.ok("GET", "whoami")["role"] == "admin"


def test_state_folder_is_held(service):
    """A second service on the same folder is refused; the first does not notice."""
    done = cli("serve", "--state-dir", service.state, "--listen", "127.0.0.1:0", status=None, timeout=60)
    assert done.status != 0
    assert str(service.state) in done.err and str(service.process.pid) in done.err
    assert service.api.get("whoami").status == 200
    assert service.ready() == 200


def test_embedded_has_no_port(service):
    """A Unix socket only."""
    pid = service.postmaster()
    sockets = {line.split()[9] for table in ("tcp", "tcp6")
               for line in open(f"/proc/{pid}/net/{table}").readlines()[1:] if line.split()[3] == "0A"}
    held = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            held.add(target[8:-1])
    assert not held & sockets


def test_embedded_stops_with_the_service(made):
    service = made(Service().start())
    pid = service.postmaster()
    service.stop()
    assert not os.path.exists(f"/proc/{pid}")
