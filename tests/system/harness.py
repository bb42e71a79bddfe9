"""What the system tests stand on: the real program, the farm, and PostgreSQL clusters of their own."""
import functools
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from description import Description

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUGWATCH_TEST_BUILD", ROOT / "build" / "dev"))
PROGRAM = BUILD / "bugwatch"
FARM = BUILD / "farm"
LOOPBACK = "127.0.0.0/8,::1/128"
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:")


def wait_for(condition, what, timeout=60):
    """Asks CONDITION until it says something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {timeout} s in vain: {what}"
        time.sleep(0.05)


def clean_environment(**more):
    """Ours without what would configure the program."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BUGWATCH_")}
    environment.update(more)
    return environment


class Folder:
    """A folder of its own that the unprivileged user of PostgreSQL can pass through."""

    def __init__(self, name):
        self.path = Path(tempfile.mkdtemp(prefix=f"bugwatch-{name}-"))
        self.path.chmod(0o711)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:500]!r}>"


@functools.cache
def described():
    """Every answer that a test gets is held against the description."""
    return Description(PROGRAM)


class Api:
    """A client of the REST API that keeps its connection."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.connection = None

    def request(self, method, path, body=None, headers=None, token=True, raw=None):
        """PATH is below /api/v1, or absolute when it begins with a slash."""
        target = path if path.startswith("/") else "/api/v1/" + path
        send = dict(headers or {})
        if token:
            send.setdefault("Authorization", f"Bearer {self.token if token is True else token}")
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            send.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            kept = self.connection is not None
            if not kept:
                where = urlsplit(self.url)
                self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
            try:
                self.connection.request(method, target, raw, send)
                answer = self.connection.getresponse()
                body = answer.read()
                described().check(method, target, answer.status, answer.headers, body)
                return Answer(answer.status, answer.headers, body)
            except (http.client.HTTPException, OSError):
                self.close()
                if attempt == 2 or not kept:
                    raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def ok(self, method, path, body=None, status=(200, 201, 202, 204)):
        """The JSON of an answer that has to be good."""
        answer = self.request(method, path, body)
        status = (status,) if isinstance(status, int) else status
        assert answer.status in status, f"{method} {path}: {answer}"
        return answer.json if answer.body else None

    def items(self, path, **query):
        """All pages of a list."""
        found, cursor = [], None
        while True:
            if cursor:
                query["cursor"] = cursor
            page = self.ok("GET", path + ("?" + urlencode(query) if query else ""))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def watch(self, url, ref=None):
        body = {"url": url}
        if ref is not None:
            body["ref"] = ref
        return self.ok("POST", "watches", body)

    def watch_many(self, urls):
        answer = self.ok("POST", "watches", [{"url": url} for url in urls], 207)
        for item in answer["items"]:
            assert item["status"] in (200, 201), item
        return [item["watch"] for item in answer["items"]]

    def ended(self, run, timeout=90):
        """RUN (or its id) when it has ended."""
        name = run if isinstance(run, str) else run["id"]

        def look():
            now = self.ok("GET", f"runs/{name}")
            return now if now["state"] in ("done", "failed", "abandoned") else None

        return wait_for(look, f"the end of run {name}", timeout)

    def check(self, tracker, timeout=90):
        """Forces an update and waits for its end."""
        return self.ended(self.ok("POST", f"trackers/{quote(tracker)}/check", status=202)["run"], timeout)

    def settled(self, timeout=90):
        """Waits until no run is queued or under way and no watch is still to be read first."""

        def look():
            return (
                not self.items("runs", state="queued")
                and not self.items("runs", state="running")
                and all(w["last_checked_at"] or w["error"] for w in self.items("watches", limit=1000))
            )

        wait_for(look, "quiet", timeout)


class Service:
    """`bugwatch serve` on a free port, with a state folder of its own unless one is given."""

    live = []

    def __init__(self, folder=None, database=None, allow=LOOPBACK, program=None, **settings):
        self.own = folder is None
        self.folder = folder or Folder("state")
        self.program = program or PROGRAM
        self.log = Path(tempfile.mkstemp(prefix="bugwatch-log-")[1])
        self.settings = {"listen": "127.0.0.1:0", "state_dir": str(self.folder.path), **settings}
        if database:
            self.settings["database"] = database
        if allow:
            self.settings["allow_networks"] = allow
        self.process = None

    @property
    def state(self):
        return self.folder.path

    def launch(self):
        """Starts it without waiting for anything."""
        (self.state / "url").unlink(missing_ok=True)
        environment = clean_environment(
            **{f"BUGWATCH_{name.upper()}": str(value) for name, value in self.settings.items()}
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        Service.live.append(self)
        return self

    def start(self, token=None, timeout=90):
        """Starts it and waits until it is ready. TOKEN is the admin's, where another service made it."""
        self.launch()
        self.wait_up(timeout)
        self.api.token = token or wait_for(self.admin_token, "the admin token", timeout)
        return self

    def wait_up(self, timeout=90):
        self.url = wait_for(self._url, "the service's address", timeout)
        self.api = Api(self.url, None)
        self.wait_ready(timeout)

    def _url(self):
        assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.words()}"
        try:
            return (self.state / "url").read_text().strip()
        except FileNotFoundError:
            return None

    def admin_token(self):
        """The admin's token, or None where this service made none."""
        try:
            return (self.state / "admin-token").read_text().strip()
        except FileNotFoundError:
            return None

    def ready(self):
        """The status of /readyz, or None where nobody answers."""
        assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.words()}"
        try:
            return self.api.get("/readyz", token=False).status
        except (OSError, http.client.HTTPException):
            self.api.close()
            return None

    def wait_ready(self, timeout=90):
        wait_for(lambda: self.ready() == 200, "/readyz", timeout)

    def words(self):
        """What it said so far."""
        return self.log.read_text(errors="replace")

    def check_clean(self):
        words = self.words()
        found = SANITIZER.search(words)
        assert not found, words[max(0, found.start() - 200) :][:6000]

    def stop(self):
        """Ends it as an administrator does: within 10 s, with status 0 and no complaint."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM did not end it:\n{self.words()[-4000:]}")
        self._gone()
        self.check_clean()
        assert status == 0, f"it ended with {status}:\n{self.words()[-4000:]}"

    def kill(self):
        """Ends it at once, as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._gone()

    def _gone(self):
        self.process = None
        if hasattr(self, "api"):
            self.api.close()
        Service.live.remove(self)

    def close(self):
        try:
            self.stop()
        finally:
            self.log.unlink(missing_ok=True)
            if self.own:
                self.folder.remove()

    def cli(self, *words, stdin=None, status=0, environment=None, timeout=120):
        """Runs a command against this service; checks its exit status; returns its output."""
        return cli(
            *words,
            stdin=stdin,
            status=status,
            timeout=timeout,
            environment={"BUGWATCH_URL": self.url, "BUGWATCH_TOKEN": self.api.token, **(environment or {})},
        )

    def postmaster(self):
        """The process of the embedded database."""
        for pid in self.state.rglob("postmaster.pid"):
            return int(pid.read_text().split()[0])
        raise AssertionError("no embedded database in " + str(self.state))


class Output:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        """One JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def cli(*words, stdin=None, status=0, environment=None, timeout=120):
    done = subprocess.run(
        [PROGRAM, *map(str, words)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=clean_environment(**(environment or {})),
    )
    told = f"bugwatch {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert not SANITIZER.search(done.stderr), told
    assert status is None or done.returncode == status, told
    return Output(done)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_tool(name):
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return str(folders[-1] / name) if folders else name


class Cluster:
    """A PostgreSQL server of the test's own, on a Unix socket and a loopback port."""

    def __init__(self):
        self.folder = Folder("cluster")
        self.data = self.folder.path / "data"
        self.port = free_port()
        self.become = []
        if os.geteuid() == 0:
            self.become = ["runuser", "-u", "postgres", "--"]
            user = pwd.getpwnam("postgres")
            os.chown(self.folder.path, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", self.data, "-U", "bugwatch", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")
        self.start()

    def _run(self, tool, *arguments):
        done = subprocess.run([*self.become, postgres_tool(tool), *map(str, arguments)], cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, f"{tool}: {done.stderr}"

    def start(self):
        options = (f"-p {self.port} -k {self.folder.path} -c listen_addresses=127.0.0.1 "
                   "-c fsync=off -c max_connections=100")
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.folder.path / "log", "-o", options, "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def database(self, name):
        """A new, empty database; returns its URL."""
        sql(self.url("postgres"), f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name):
        return f"postgresql://bugwatch@127.0.0.1:{self.port}/{name}"

    def close(self):
        try:
            self.stop("immediate")
        finally:
            self.folder.remove()


def sql(url, statement):
    """The rows of STATEMENT as lists of texts, through psql."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\x1f") for line in done.stdout.splitlines()]


class Page:
    """A small server whose every answer the test decides: answer(method, path) -> (status, headers, body)."""

    def __init__(self, answer):
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        requests = self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                requests.append((self.command, self.path, dict(self.headers)))
                status, headers, body = answer(self.command, self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Tracker:
    """One tracker of the farm, seen through its control door (tests/farm/README.md)."""

    # Of each kind: two statuses in its words and in ours, and what resolves a bug.
    WORDS = {
        "bugzilla": ((("CONFIRMED", "confirmed"), ("IN_PROGRESS", "in-progress")),
                     {"status": "RESOLVED", "resolution": "FIXED"}),
        "roundup": ((("chatting", "incomplete"), ("in-progress", "in-progress")), {"status": "resolved"}),
        "trac": ((("accepted", "confirmed"), ("new", "new")), {"status": "closed", "resolution": "fixed"}),
        "debbugs": ((("forwarded", "confirmed"), ("pending-fixed", "fix-committed")), {"status": "done"}),
    }

    def __init__(self, told):
        self.name, self.kind, self.base_url, self.bug_url = told["name"], told["type"], told["base_url"], told["bug_url"]
        self.flavour = told["kind"]
        self.door = Api(self.base_url, None)
        self.path = urlsplit(self.base_url).path + "_control"
        self.two_statuses, self.resolved = self.WORDS[self.kind]

    def url(self, number):
        """The bug as a person's browser shows it."""
        return f"{self.bug_url}{number}"

    def _post(self, **members):
        answer = self.door.request("POST", self.path, members, token=False)
        assert answer.status == 200, answer
        return answer.json

    def bug(self, number):
        return self.door.get(f"{self.path}?bug={number}", token=False).json

    def change(self, number, **members):
        """Sets by hand: status, resolution, severity, priority, title, product, presence, bad."""
        if self.kind != "roundup" and "status" in members:
            members.setdefault("resolution", "")
        self._post(bug=int(number), **members)

    def comment(self, number, text, author="ada"):
        """Adds a comment, now."""
        self._post(bug=int(number), comment={"author": author, "text": text})

    def skew(self, seconds):
        """Its clock less ours."""
        self._post(skew_s=seconds)

    def fault(self, word, **members):
        self._post(fault=word, **members)

    def calm(self):
        self._post(fault=None)

    def bad_bugs(self, count):
        """Which of the first COUNT bugs the fault "badbug" is about."""
        return set(range(7, count + 1, 100))

    def still(self):
        """Nothing changes by itself any more."""
        self._post(tempo=0)

    def revive(self, tempo):
        self._post(tempo=tempo)

    def forget(self):
        """Counts anew from here."""
        self._post(reset=True)

    def seen(self):
        return self.door.get(self.path, token=False).json


class Farm:
    """tests/farm with so many trackers of each kind: Farm(bugzilla=2, trac_plain=1, bugs=100)."""

    def __init__(self, bugs=100, latency_ms=0, tempo=0, **kinds):
        self.latency = latency_ms / 1000
        command = [FARM, "--latency", str(latency_ms), "--tempo", str(tempo)]
        kinds = {kind.replace("_", "-"): count for kind, count in kinds.items()}
        for kind, count in kinds.items():
            for i in range(count):
                command += ["--tracker", f"{kind}:{kind}{i}:{bugs}"]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True)
        self.trackers = {kind: [] for kind in kinds}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            told = json.loads(line)
            self.trackers[told["kind"]].append(Tracker(told))
        assert self.all, "the farm did not start"

    @property
    def all(self):
        return [tracker for group in self.trackers.values() for tracker in group]

    def most_at_once(self):
        """How many trackers had a question under way at the same time; each waits for the latency."""
        edges = []
        for tracker in self.all:
            for start in tracker.seen()["starts"]:
                edges += [(start, 1), (start + self.latency, -1)]
        most = now = 0
        for _, step in sorted(edges):
            now += step
            most = max(most, now)
        return most

    def close(self):
        for tracker in self.all:
            tracker.door.close()
        self.process.terminate()
        status = self.process.wait()
        self.process.stdout.close()
        self.log.seek(0)
        words = self.log.read().decode(errors="replace")
        self.log.close()
        assert status == 0 and not SANITIZER.search(words), words
