"""A farm and a bugwatch of one's own on this machine, for the demo and the benchmarks."""
import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

PR_SET_PDEATHSIG = 1
STOP_S = 20


class Failure(Exception):
    """What went wrong, in words for a person."""


def end_with_parent():
    """The child ends also where we are killed outright."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def raise_on_term():
    """SIGTERM leaves through every `with`, as Ctrl-C does."""

    def leave(number, frame):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)


@contextlib.contextmanager
def child(command, **options):
    """A process that is over when the block is; Ctrl-C in the terminal reaches us alone."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,
        **options,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def folder():
    """A folder that PostgreSQL's user may pass through, gone after the block."""
    path = Path(tempfile.mkdtemp(prefix="bugwatch-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def ask(url, method="GET", body=None, token=None, connection=None):
    """The status and the JSON that URL answers."""
    where = urlsplit(url)
    own = connection or http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sent = None if body is None else json.dumps(body).encode()
    if sent is not None:
        headers["Content-Type"] = "application/json"
    try:
        own.request(method, where.path + (f"?{where.query}" if where.query else ""), sent, headers)
        answer = own.getresponse()
        text = answer.read()
    finally:
        if connection is None:
            own.close()
    return answer.status, json.loads(text) if text else None


class Tracker:
    """A tracker of the farm."""

    def __init__(self, told):
        self.name, self.type, self.base_url = told["name"], told["type"], told["base_url"]
        self.bug_url, self.bugs = told["bug_url"], told["bugs"]

    def url(self, number):
        return f"{self.bug_url}{number}"

    def control(self, **members):
        """Posts MEMBERS to the control door, or reads it where there are none."""
        method = "POST" if members else "GET"
        status, said = ask(self.base_url + "_control", method, members or None)
        if status != 200:
            raise Failure(f"the farm refused {members}: {said}")
        return said


@contextlib.contextmanager
def farm(program, trackers, **options):
    """The trackers of a farm: farm(PROGRAM, ["bugzilla:gnome:100"], tempo=5, latency=40)."""
    command = [program]
    for tracker in trackers:
        command += ["--tracker", tracker]
    for name, value in options.items():
        command += [f"--{name}", value]
    with child(command, stdout=subprocess.PIPE, text=True) as process:
        told = []
        for line in process.stdout:
            if line == "ready\n":
                break
            told.append(Tracker(json.loads(line)))
        if len(told) != len(trackers):
            raise Failure("the farm did not start")
        yield told


class Service:
    """A running `bugwatch serve`."""

    def __init__(self, program, state, log, process):
        self.program, self.state, self.log, self.process = program, state, log, process
        self.url = self.token = None

    def words(self):
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-3000:]

    def wait_ready(self, timeout_s=90):
        end = time.monotonic() + timeout_s
        while not self.is_ready():
            if self.process.poll() is not None:
                raise Failure(f"bugwatch ended with {self.process.returncode}:\n{self.words()}")
            if time.monotonic() > end:
                raise Failure(f"bugwatch is not ready after {timeout_s} s:\n{self.words()}")
            time.sleep(0.05)
        self.token = (self.state / "admin-token").read_text().strip()

    def is_ready(self):
        try:
            self.url = (self.state / "url").read_text().strip()
            status, _ = ask(self.url + "/readyz")
            return status == 200
        except (OSError, http.client.HTTPException):
            return False
        except json.JSONDecodeError:
            return True

    def get(self, path, **query):
        status, said = ask(f"{self.url}/api/v1/{path}?{urlencode(query)}", token=self.token)
        if status != 200:
            raise Failure(f"GET {path}: {status} {said}")
        return said

    def items(self, path, **query):
        """Every item of a list."""
        query["limit"] = 1000
        while True:
            page = self.get(path, **query)
            yield from page["items"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def command(self, *words, **options):
        """Runs a command against this service; its output, or a failure in its words."""
        done = subprocess.run(
            [str(self.program), *map(str, words)],
            env={**os.environ, "BUGWATCH_STATE_DIR": str(self.state)},
            capture_output=True,
            text=True,
            **options,
        )
        if done.returncode != 0:
            raise Failure(f"bugwatch {' '.join(map(str, words))}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def add_tracker(self, tracker):
        self.command("tracker", "add", tracker.name, tracker.base_url, "--type", tracker.type)

    def add_watches(self, urls):
        return self.command("add", "-f", "-", input="\n".join(urls))


@contextlib.contextmanager
def service(program, path, **settings):
    """`bugwatch serve` with a state folder and its embedded database below PATH; ready."""
    state = path / "state"
    state.mkdir(mode=0o711, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BUGWATCH_")}
    settings = {"listen": "127.0.0.1:0", "allow_networks": "127.0.0.0/8,::1", "state_dir": state, **settings}
    environment.update({f"BUGWATCH_{name.upper()}": str(value) for name, value in settings.items()})
    log = path / "log"
    with log.open("wb") as out, child([program, "serve"], stdout=out, stderr=out, env=environment) as process:
        running = Service(program, state, log, process)
        running.wait_ready()
        yield running
