"""The command line: every command, its exit status, its JSON, and what it lets through to a terminal."""
import json
import os
import pty
import re
import subprocess

import pytest

from harness import PROGRAM, ROOT, Folder, clean_environment, cli, free_port

NOWHERE = "http://127.0.0.1:1/"
# The drivers there are; rows of url-forms.tsv for others are not recognised yet.
DRIVERS = {"bugzilla", "roundup", "debbugs", "trac", "github"}

COMMANDS = ["serve", "add", "remove", "list", "show", "check", "tracker list", "tracker show", "tracker add",
            "tracker set", "tracker remove", "product", "runs", "detect", "token create", "token list",
            "token revoke", "migrate"]


def url_forms():
    lines = (ROOT / "tests/data/url-forms.tsv").read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("url\t"))
    for line in lines[head + 1 :]:
        url, recognised, kind, base_url, remote_id = (line + "\t" * 4).split("\t")[:5]
        yield url, recognised == "yes", kind, base_url, remote_id


@pytest.fixture(scope="module")
def watch(service):
    return service.api.watch(NOWHERE + "cli/show_bug.cgi?id=1", "ref one")


def test_version_and_help():
    assert re.search(r"\d+\.\d+\.\d+", cli("--version").out)
    out = cli("--help").out
    for word in ("serve", "add", "list", "check", "detect"):
        assert word in out
    for command in COMMANDS:
        assert cli(*command.split(), "--help").out, command
    assert cli("tracker", "--help").out


def test_help_names_every_setting():
    out = cli("serve", "--help").out
    for flag in ("--config", "--database", "--listen", "--state-dir", "--allow-networks", "--contact",
                 "--log-level", "--lease-s"):
        assert flag in out


def test_manual_names_every_setting():
    manual = (ROOT / "docs/manual.md").read_text()
    flags = set(re.findall(r"--([a-z][a-z-]+)", cli("serve", "--help").out)) - {"config", "json", "help", "version"}
    assert len(flags) > 8
    told = {name for line in manual.splitlines() if line.startswith("| `")
            for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert [f for f in sorted(flags) if f.replace("-", "_") not in told] == []


@pytest.mark.parametrize("words", [
    [], ["nothing"], ["serve", "--nonsense"], ["serve", "extra"], ["add"], ["remove"], ["show"], ["show", "1", "2"],
    ["check"], ["tracker"], ["tracker", "nothing"], ["tracker", "show"], ["tracker", "add"],
    ["tracker", "add", "only-name"], ["tracker", "set", "x"], ["tracker", "remove"], ["detect"],
    ["token", "create"], ["token", "revoke"], ["list", "--status"], ["add", "-f", "/nonexistent/file"],
    ["detect", "-f", "/nonexistent/file"], ["serve", "--lease-s", "soon"], ["serve", "--lease-s", "-1"],
    ["serve", "--listen", "nowhere"], ["serve", "--allow-networks", "10.0.0.0/99"],
    ["serve", "--config", "/nonexistent/file"], ["serve", "--log-level", "loud"],
    ["serve", "--database", "host='unterminated"],
])
def test_wrong_usage(words):
    state = Folder("usage")
    try:
        done = cli(*words, status=2, environment={"BUGWATCH_STATE_DIR": str(state.path)})
        assert done.err.strip(), "it says why"
        assert done.out == ""
    finally:
        state.remove()


def test_wrong_environment():
    done = cli("serve", status=2, environment={"BUGWATCH_LEASE_S": "many"})
    assert "lease" in done.err.lower()


@pytest.mark.parametrize("text", ["nonsense = 1\n", "lease_s = many\n", "lease_s = \n", "[x\n", "lease_s = -5\n"])
def test_wrong_configuration(tmp_path, text):
    file = tmp_path / "bugwatch.conf"
    file.write_text("# a comment\n" + text)
    done = cli("serve", "--config", file, status=2)
    assert "bugwatch.conf:2:" in done.err or "bugwatch.conf:3:" in done.err


@pytest.mark.parametrize("words", [["list"], ["add", NOWHERE + "show_bug.cgi?id=1"], ["runs"], ["tracker", "list"],
                                   ["check", "x"], ["show", "1"], ["token", "list"]])
def test_service_not_reached(words):
    done = cli(*words, status=3,
               environment={"BUGWATCH_URL": f"http://127.0.0.1:{free_port()}", "BUGWATCH_TOKEN": "t"})
    assert done.err.strip() and done.out == ""


def test_no_service_in_the_state_folder():
    state = Folder("empty")
    try:
        done = cli("list", status=3, environment={"BUGWATCH_STATE_DIR": str(state.path)})
        assert str(state.path) in done.err, "it says where it looked"
    finally:
        state.remove()


def test_finds_the_service_by_its_folder(service, watch):
    assert cli("list", environment={"BUGWATCH_STATE_DIR": str(service.state)}).out
    assert cli("list", "--state-dir", service.state).out


def test_wrong_token(service):
    done = service.cli("list", environment={"BUGWATCH_TOKEN": "wrong"}, status=1)
    assert "401" in done.err or "token" in done.err.lower()


def test_add_and_show(service):
    url = NOWHERE + "cli/show_bug.cgi?id=20"
    made = service.cli("add", url, "--ref", "ticket", "--json").lines
    assert len(made) == 1
    watch = service.api.items("watches", ref="ticket")[0]
    assert watch["remote_id"] == "20"
    for name in (watch["id"], url):
        shown = service.cli("show", name, "--json").json
        assert watch["id"] in json.dumps(shown)
    out = service.cli("show", watch["id"]).out
    assert url in out and "ticket" in out
    assert service.cli("add", url, "--ref", "ticket").status == 0, "once more is no failure"
    service.cli("show", "999999", status=1)
    service.cli("show", NOWHERE + "cli/show_bug.cgi?id=404", status=1)


def test_add_some_refused(service):
    done = service.cli("add", NOWHERE + "cli/show_bug.cgi?id=21", "https://jira.example.net/browse/AB-9", status=4)
    assert "jira.example.net" in done.err
    service.cli("add", "https://jira.example.net/browse/AB-9", status=1)


def test_add_from_a_file(service, tmp_path):
    file = tmp_path / "urls"
    base = NOWHERE + "file/show_bug.cgi?id="
    file.write_text(f"# bugs of mine\n\n  {base}1  \n{base}2\t\n\t# more\n{base}3")
    service.cli("add", "-f", file)
    service.cli("add", "-f", "-", stdin=f"{base}4\r\n\r\n{base}3\n")
    tracker = service.api.items("watches", url=base + "1")[0]["tracker"]
    assert {w["remote_id"] for w in service.api.items("watches", tracker=tracker)} == {"1", "2", "3", "4"}


def test_add_very_many_from_a_file(service):
    base = NOWHERE + "bulk/show_bug.cgi?id="
    service.cli("add", "-f", "-", stdin="".join(f"{base}{i}\n" for i in range(1, 12_001)))
    tracker = service.api.items("watches", url=base + "1")[0]["tracker"]
    assert service.api.ok("GET", f"trackers/{tracker}")["watches"] == 12_000
    service.cli("tracker", "remove", tracker)


def test_remove(service):
    one = service.api.watch(NOWHERE + "cli/show_bug.cgi?id=30")
    two = service.api.watch(NOWHERE + "cli/show_bug.cgi?id=31")
    done = service.cli("remove", one["id"], "999999", status=4)
    assert "999999" in done.err
    service.cli("remove", two["id"])
    assert service.api.get(f"watches/{one['id']}").status == 404
    assert service.api.get(f"watches/{two['id']}").status == 404
    service.cli("remove", two["id"], status=1)


def test_list(service, watch):
    lines = service.cli("list", "--json").lines
    assert {w["id"] for w in lines} == {w["id"] for w in service.api.items("watches", limit=1000)}
    assert [w["id"] for w in service.cli("list", "--ref", "ref one", "--json").lines] == [watch["id"]]
    assert service.cli("list", "--status", "new", "--json").lines == []
    assert {w["tracker"] for w in service.cli("list", "--tracker", watch["tracker"], "--json").lines} == {watch["tracker"]}
    assert service.cli("list", "--errors", "--json").lines == []
    assert "\x1b" not in service.cli("list").out, "colour is for terminals"
    service.cli("list", "--status", "sleepy", status=1)


def test_list_errors_names_failing_trackers(service, watch):
    """No bug is blamed for its tracker; a person is told all the same, with what to do."""
    service.api.check(watch["tracker"])
    service.api.ok("POST", "trackers", {"name": "well", "type": "bugzilla", "base_url": NOWHERE + "well/",
                                        "enabled": False}, 201)
    error = service.api.ok("GET", f"trackers/{watch['tracker']}")["error"]
    done = service.cli("list", "--errors")
    assert "no watch is in error" in done.err
    for words in (watch["tracker"], "connection", error["message"], error["since"], error["retry_at"], "firewall"):
        assert words in done.out, words
    assert "well" not in done.out.split()
    assert service.cli("list", "--errors", "--tracker", watch["tracker"]).out
    assert service.cli("list", "--errors", "--tracker", "well").out == ""
    assert service.cli("list", "--errors", "--json").out == "", "as the API has it: watches"
    assert "firewall" in service.cli("tracker", "show", watch["tracker"]).out
    assert "advice" not in service.cli("tracker", "show", watch["tracker"], "--json").json["error"]


def test_list_pages_through(service):
    base = NOWHERE + "pages/show_bug.cgi?id="
    service.api.watch_many(f"{base}{i}" for i in range(1, 2501))
    tracker = service.api.items("watches", url=base + "1")[0]["tracker"]
    assert len(service.cli("list", "--tracker", tracker, "--json").lines) == 2500
    service.cli("tracker", "remove", tracker)


def test_trackers(service):
    service.cli("tracker", "add", "named", NOWHERE + "named", "--type", "roundup")
    shown = service.cli("tracker", "show", "named", "--json").json
    assert shown["type"] == "roundup" and shown["base_url"] == NOWHERE + "named/"
    assert "named" in [t["name"] for t in service.cli("tracker", "list", "--json").lines]
    assert "named" in service.cli("tracker", "list").out
    service.cli("tracker", "set", "named", "max_connections=7", "title=Seven at once", "min_delay_ms=10")
    shown = service.cli("tracker", "show", "named", "--json").json
    assert shown["max_connections"] == 7 and shown["title"] == "Seven at once" and shown["min_delay_ms"] == 10
    assert "Seven at once" in service.cli("tracker", "show", "named").out
    service.cli("tracker", "set", "named", "enabled=false")
    assert service.api.ok("GET", "trackers/named")["health"] == "paused"
    done = service.cli("tracker", "set", "named", "max_connections=0", status=1)
    assert "max_connections" in done.err
    service.cli("tracker", "set", "named", "nonsense", status=2)
    service.cli("tracker", "add", "named", NOWHERE + "other", status=1)
    service.cli("tracker", "add", "a b", NOWHERE + "other", status=1)
    service.cli("tracker", "show", "no-such", status=1)
    service.cli("tracker", "remove", "named")
    service.cli("tracker", "remove", "named", status=1)


def test_credentials_through_set(service):
    service.cli("tracker", "add", "keyed", NOWHERE + "keyed", "--type", "bugzilla")
    service.cli("tracker", "set", "keyed", "api_key=hush-hush")
    shown = service.cli("tracker", "show", "keyed", "--json")
    assert shown.json["has_credentials"] is True and "hush" not in shown.out
    service.cli("tracker", "set", "keyed", "username=me", "password=hush-hush")
    assert service.api.ok("GET", "trackers/keyed")["has_credentials"] is True
    service.cli("tracker", "set", "keyed", "credentials=null")
    assert service.api.ok("GET", "trackers/keyed")["has_credentials"] is False
    service.cli("tracker", "remove", "keyed")


def test_check_and_runs(service, watch):
    done = service.cli("check", watch["tracker"], "--wait", status=None)
    assert done.status in (0, 1) and "connection" in done.out + done.err
    runs = service.cli("runs", watch["tracker"], "--json").lines
    assert runs and runs[0]["state"] == "failed" and runs[0]["reason"] == "forced"
    assert "failed" in service.cli("runs").out
    service.cli("check", watch["id"])
    service.cli("check", watch["url"])
    service.cli("check", "no-such-tracker", status=1)
    done = service.cli("check", "no-such-tracker", watch["id"], status=4)
    assert "no-such-tracker" in done.err
    service.cli("runs", "no-such-tracker", status=None)


def test_tokens(service):
    made = service.cli("token", "create", "--name", "cli", "--role", "viewer", "--json").json
    assert service.cli("list", environment={"BUGWATCH_TOKEN": made["token"]}).status == 0
    service.cli("remove", "1", environment={"BUGWATCH_TOKEN": made["token"]}, status=1)
    assert made["id"] in [t["id"] for t in service.cli("token", "list", "--json").lines]
    assert made["token"] not in service.cli("token", "list").out
    service.cli("token", "revoke", made["id"])
    service.cli("list", environment={"BUGWATCH_TOKEN": made["token"]}, status=1)
    service.cli("token", "create", "--name", "x", "--role", "owner", status=1)


@pytest.mark.parametrize("form", list(url_forms()), ids=lambda form: form[0][:60])
def test_detect(form):
    """Without a service."""
    url, recognised, kind, base_url, remote_id = form
    if recognised and kind not in DRIVERS:
        pytest.skip(f"no driver for {kind} yet")
    done = cli("detect", url, "--json")
    assert done.json == {"url": url, "recognised": recognised, "type": kind or None, "base_url": base_url or None,
                         "remote_id": remote_id or None}


def test_detect_several(tmp_path):
    good, bad = "https://bugs.gentoo.org/show_bug.cgi?id=901", "hello"
    done = cli("detect", good, bad, "--json")
    assert [line["recognised"] for line in done.lines] == [True, False]
    assert "bugzilla" in cli("detect", good).out
    file = tmp_path / "urls"
    file.write_text(f"# one\n{good}\n\n{good}&x=1\n")
    assert len(cli("detect", "-f", file, "--json").lines) == 2


def test_hostile_text_never_reaches_the_terminal(service):
    """Refs come from programs; titles from strangers; both go the same way."""
    ref = "a\x1b[31mred\x07\x9b31m\u202egnp.exe\u2066\r\nforged line\x7f"
    service.api.watch(NOWHERE + "cli/show_bug.cgi?id=66", ref)
    for words in (["list", "--ref", ref], ["show", NOWHERE + "cli/show_bug.cgi?id=66"], ["list"]):
        done = service.cli(*words)
        for bad in "\x1b\x07\x9b\u202e\u2066\r\x7f":
            assert bad not in done.out + done.err, (words, bad)
        assert "\nforged" not in done.out
    assert service.cli("list", "--ref", ref, "--json").lines[0]["ref"] == ref
    done = service.cli("check", "x\x1b[31m\u202e", status=1)
    assert "\x1b" not in done.err and "\u202e" not in done.err


def on_terminal(service, *words, **more):
    """What a command writes to a terminal of 80 columns."""
    reader, terminal = pty.openpty()
    environment = clean_environment(BUGWATCH_URL=service.url, BUGWATCH_TOKEN=service.api.token, TERM="xterm", **more)
    environment = {k: v for k, v in environment.items() if v is not None}
    process = subprocess.Popen([PROGRAM, *words], stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL,
                               env=environment)
    os.close(terminal)
    got = b""
    try:
        while chunk := os.read(reader, 4096):
            got += chunk
    except OSError:
        pass  # the terminal is gone with its last writer
    os.close(reader)
    process.wait()
    return got


def test_colour(service, watch):
    service.api.check(watch["tracker"])
    os.environ.pop("NO_COLOR", None)
    assert b"\x1b[" in on_terminal(service, "tracker", "list")
    assert b"\x1b[" not in on_terminal(service, "tracker", "list", NO_COLOR="1")


def test_output_that_can_not_be_written(service):
    """A full disk is not silently a success."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "list"], stdout=full, stderr=subprocess.PIPE,
                              env=clean_environment(BUGWATCH_URL=service.url, BUGWATCH_TOKEN=service.api.token))
    assert done.returncode != 0 and done.stderr
