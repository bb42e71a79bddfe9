"""Comments as the faces show them, and the products whose comments are kept."""
from urllib.parse import quote

import pytest

from harness import Api, Service, sql
from test_api import problem
from test_cli import on_terminal
from test_views import columns

# Nobody listens there: what is kept is what these tests put there.
NOWHERE = "http://127.0.0.1:1/"
COMMENT_FIELDS = {"id", "number", "author", "posted_at", "text"}
NAMES = ["Gentoo Linux", "a/b", "../x", ".", "..", "100%", "Ünï ☃", "a?b=c&d#e", "a+b", "\u202eevil", "x" * 500,
         "☃" * 500, "line\nbreak", "'; DROP TABLE product; --"]


def text_literal(text):
    return "'" + text.replace("'", "''") + "'"


def keep_comments(service, watch, comments):
    """Stores COMMENTS (number, author, posted_at, text) of WATCH's bug; None is null."""
    for comment in comments:
        values = ", ".join("NULL" if v is None else text_literal(v) if isinstance(v, str) else str(v) for v in comment)
        sql(service.database, f"""INSERT INTO bugwatch.comment
            (tracker_id, bug_id, number, author, posted_at, text)
            SELECT w.tracker_id, w.bug_id, v.number, v.author, v.posted_at::timestamptz, v.text
            FROM bugwatch.watch w, (VALUES ({values})) AS v (number, author, posted_at, text)
            WHERE w.id = {watch['id']}""")


@pytest.fixture(scope="module")
def service(cluster):
    url = cluster.database("products")
    service = Service(database=url).start()
    service.database = url
    service.api.ok("POST", "trackers", {"name": "main", "type": "bugzilla", "base_url": NOWHERE}, 201)
    yield service
    service.close()


@pytest.fixture(scope="module")
def watch(service):
    """A bug with three comments, the first its description."""
    watch = service.api.watch(NOWHERE + "show_bug.cgi?id=1")
    keep_comments(service, watch, [
        (2, None, None, "third"),
        (0, "Jane Doe <jane@example.org>", "2026-11-22 11:05:00+01", "first\n\n  \"quoted\" \\ ☃"),
        (1, "joe", "2026-11-22 10:06:00+00", "second"),
    ])
    return watch


def product_path(name, tracker="main"):
    return f"trackers/{tracker}/products/{quote(name, safe='')}"


def test_comments(api, watch):
    found = api.items(f"watches/{watch['id']}/comments")
    assert all(set(c) == COMMENT_FIELDS and isinstance(c["id"], str) for c in found)
    assert [{k: v for k, v in c.items() if k != "id"} for c in found] == [
        {"number": 0, "author": "Jane Doe <jane@example.org>", "posted_at": "2026-11-22T10:05:00Z",
         "text": "first\n\n  \"quoted\" \\ ☃"},
        {"number": 1, "author": "joe", "posted_at": "2026-11-22T10:06:00Z", "text": "second"},
        {"number": 2, "author": None, "posted_at": None, "text": "third"},
    ]
    assert api.ok("GET", f"watches/{watch['id']}")["comments"] == 3


def test_comments_belong_to_the_bug(api, watch):
    """Another watch of the same bug has the same ones; that of another bug none."""
    same = api.watch(watch["url"], "another ref")
    assert api.items(f"watches/{same['id']}/comments") == api.items(f"watches/{watch['id']}/comments")
    other = api.watch(NOWHERE + "show_bug.cgi?id=2")
    assert api.ok("GET", f"watches/{other['id']}/comments") == {"items": [], "next": None}


def test_comments_page(api, watch):
    path = f"watches/{watch['id']}/comments"
    assert [c["number"] for c in api.items(path, limit=1)] == [0, 1, 2]
    first = api.ok("GET", path + "?limit=2")
    assert [c["number"] for c in first["items"]] == [0, 1] and first["next"]
    for query, field in (("limit=0", "limit"), ("cursor=x", "cursor"), ("after=1", "after")):
        problem(api.get(f"{path}?{query}"), 400, field)


def test_long_comments_page_by_their_length(service, api):
    """A page ends early where it would get too large, and nothing is lost between two."""
    watch = api.watch(NOWHERE + "show_bug.cgi?id=3")
    sql(service.database, f"""INSERT INTO bugwatch.comment (tracker_id, bug_id, number, text)
        SELECT w.tracker_id, w.bug_id, n, repeat('0123456789', CASE n WHEN 5 THEN 600000 ELSE 100000 END)
        FROM bugwatch.watch w, generate_series(0, 9) AS n WHERE w.id = {watch['id']}""")
    path = f"watches/{watch['id']}/comments"
    page = api.ok("GET", path)
    assert 1 < len(page["items"]) < 10 and page["next"]
    found = api.items(path)
    assert [c["number"] for c in found] == list(range(10))
    assert [len(c["text"]) for c in found] == [1_000_000] * 5 + [6_000_000] + [1_000_000] * 4


def test_comments_of_no_watch(api, watch):
    problem(api.get("watches/999999/comments"), 404)
    problem(api.get("watches/x/comments"), 404)
    for method in ("POST", "PUT", "DELETE"):
        answer = api.request(method, f"watches/{watch['id']}/comments")
        problem(answer, 405)
        assert answer.headers["Allow"] == "GET"


def test_comment_view(service, api, watch):
    assert columns(service.database, "comment_text") == COMMENT_FIELDS | {"watch", "hidden"}
    rows = sql(service.database, f"SELECT number FROM bugwatch.comment_text WHERE watch = {watch['id']} ORDER BY 1")
    assert rows == [["0"], ["1"], ["2"]]


def test_removed_with_their_bug(service, api):
    gone = api.watch(NOWHERE + "show_bug.cgi?id=4")
    keep_comments(service, gone, [(0, None, None, "doomed")])
    assert api.ok("DELETE", f"watches/{gone['id']}", status=204) is None
    assert sql(service.database, "SELECT FROM bugwatch.comment WHERE text = 'doomed'") == []


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
def test_product(api, name):
    path = product_path(name)
    problem(api.get(path), 404)
    problem(api.request("DELETE", path), 404)
    answer = api.request("PUT", path, {"sync_comments": True})
    assert answer.status == 201 and answer.json == {"product": name, "sync_comments": True}
    assert api.ok("GET", path, status=200) == {"product": name, "sync_comments": True}
    answer = api.request("PUT", path, {"sync_comments": False})
    assert answer.status == 200 and answer.json == {"product": name, "sync_comments": False}
    assert api.items("trackers/main/products") == [{"product": name, "sync_comments": False}]
    assert api.request("DELETE", path).status == 204
    problem(api.get(path), 404)
    assert api.items("trackers/main/products") == []


def test_products_page(api):
    """Also names that make long cursors, each once."""
    api.ok("POST", "trackers", {"name": "many", "type": "bugzilla", "base_url": NOWHERE + "many/"}, 201)
    names = [("☃" * 499) + str(i) for i in range(5)] + [f"p{i}" for i in range(5)]
    for name in names:
        api.ok("PUT", product_path(name, "many"), {"sync_comments": True}, 201)
    found = [p["product"] for p in api.items("trackers/many/products", limit=3)]
    assert len(found) == 10 and set(found) == set(names)
    assert api.items("trackers/main/products") == []
    assert api.request("DELETE", "trackers/many").status == 204
    problem(api.get("trackers/many/products"), 404)


@pytest.mark.parametrize("body,field", [
    ({}, "sync_comments"), ({"sync_comments": None}, "sync_comments"), ({"sync_comments": "on"}, "sync_comments"),
    ({"sync_comments": 1}, "sync_comments"), ({"sync_comments": True, "product": "p"}, "product"),
    ({"sync_comments": True, "colour": 1}, "colour"),
])
def test_product_validation(api, body, field):
    problem(api.request("PUT", product_path("p"), body), 400, field)
    problem(api.get(product_path("p")), 404)


def test_product_refusals(service, api):
    for name in ("", "x" * 501, "☃" * 501):
        problem(api.request("PUT", product_path(name), {"sync_comments": True}), 400)
    for raw in (b"", b"[]", b"true", b"{"):
        problem(api.request("PUT", product_path("p"), raw=raw), 400)
    problem(api.request("PUT", product_path("p", "none"), {"sync_comments": True}), 404)
    problem(api.get("trackers/none/products"), 404)
    problem(api.get("trackers/main/products/%00"), 404)
    problem(api.get("trackers/main/products/a/b"), 404)
    problem(api.get("trackers/main/products?sync_comments=true"), 400, "sync_comments")
    for method, path, allowed in (("POST", "trackers/main/products", {"GET"}),
                                  ("PATCH", product_path("p"), {"GET", "PUT", "DELETE"})):
        answer = api.request(method, path, {"sync_comments": True})
        problem(answer, 405)
        assert set(answer.headers["Allow"].split(", ")) == allowed
    made = api.ok("POST", "tokens", {"name": "watcher", "role": "viewer"}, 201)
    viewer = Api(service.url, made["token"])
    assert viewer.get("trackers/main/products").status == 200
    problem(viewer.request("PUT", product_path("p"), {"sync_comments": True}), 403)
    problem(viewer.request("DELETE", product_path("p")), 403)
    viewer.close()


def test_which_comments_are_kept(service, api):
    """As the engine asks: by the tracker's setting, then by product."""
    api.ok("PUT", product_path("on"), {"sync_comments": True}, 201)
    api.ok("PUT", product_path("off"), {"sync_comments": False}, 201)

    def kept():
        rows = sql(service.database, """SELECT bugwatch.keeps_comments(t.id, p)
            FROM bugwatch.tracker t, unnest('{on,off,other,NULL}'::text[]) WITH ORDINALITY AS n (p, place)
            WHERE t.name = 'main' ORDER BY n.place""")
        return "".join(row[0] for row in rows)

    for setting, expected in (("all", "tttt"), ("products", "tfff"), ("none", "ffff"), ("all", "tttt")):
        assert api.ok("PATCH", "trackers/main", {"sync_comments": setting}, 200)["sync_comments"] == setting
        assert kept() == expected, setting
    for name in ("on", "off"):
        api.ok("DELETE", product_path(name), status=204)


def test_product_command(service, api):
    done = service.cli("product", "main", "a/b ☃", "--sync-comments", "on")
    assert "a/b ☃" in done.out and "sync_comments=all" in done.err, "it says that it makes no difference yet"
    service.cli("tracker", "set", "main", "sync_comments=products")
    done = service.cli("product", "main", "a/b ☃")
    assert "true" in done.out and done.err == ""
    done = service.cli("product", "main", "--sync-comments", "off", "a/b ☃", "--json")
    assert done.json == {"product": "a/b ☃", "sync_comments": False}
    assert api.ok("GET", product_path("a/b ☃"))["sync_comments"] is False
    service.cli("product", "main", "..", "--sync-comments", "on")
    assert [p["product"] for p in service.cli("product", "main", "--json").lines] == ["..", "a/b ☃"]
    assert "a/b ☃" in service.cli("product", "main").out
    service.cli("tracker", "set", "main", "sync_comments=all")


@pytest.mark.parametrize("words,status", [
    (["main", "p", "--sync-comments", "maybe"], 2), (["main", "--sync-comments", "on"], 2),
    (["main", "p", "q"], 2), ([], 2), (["main", "no such product"], 1), (["none"], 1),
    (["none", "p", "--sync-comments", "on"], 1), (["main", "", "--sync-comments", "on"], 1),
])
def test_product_command_refusals(service, words, status):
    done = service.cli("product", *words, status=status)
    assert done.err.strip() and done.out == ""


def test_show_prints_comments(service, watch):
    out = service.cli("show", watch["id"]).out
    assert out.index("Jane Doe <jane@example.org>, 2026-11-22T10:05:00Z") < out.index("#1  joe") < out.index("third")
    assert "\n    first\n\n      \"quoted\" \\ ☃\n" in out
    assert "\n#2  somebody\n" in out
    assert service.cli("show", watch["id"], "--json").json["comments"] == 3
    bare = service.api.watch(NOWHERE + "show_bug.cgi?id=5")
    assert "no comment" in service.cli("show", bare["id"]).err


def test_hostile_comments(service, api):
    watch = api.watch(NOWHERE + "show_bug.cgi?id=6")
    keep_comments(service, watch, [
        (0, "x\x1b[31m\n#9 forged\u202e", "2026-11-22T10:05:00Z",
         "a\x1b]0;title\x07\x9b31m\u202egnp.exe\u2066\rover\x7f"),
        (1, None, None, "\ttab"),
    ])
    done = service.cli("show", watch["id"])
    for bad in "\x1b\x07\x9b\u202e\u2066\r\x7f\t":
        assert bad not in done.out + done.err, ascii(bad)
    assert "\n#9" not in done.out and "\n            tab\n" in done.out
    assert "\\u202egnp.exe" in done.out, "it is shown, harmless"


def test_long_lines_are_wrapped_on_terminals(service, api):
    watch = api.watch(NOWHERE + "show_bug.cgi?id=7")
    words = " ".join(f"word{i}" for i in range(60))
    keep_comments(service, watch, [(0, None, None, words)])
    assert "    " + words + "\n" in service.cli("show", watch["id"]).out, "not where it goes to a file"
    lines = on_terminal(service, "show", watch["id"], COLUMNS="60", NO_COLOR="1").decode().splitlines()
    lines = [line for line in lines if "word" in line]
    assert len(lines) > 5 and all(line.startswith("    word") and len(line) <= 60 for line in lines)
    assert " ".join(" ".join(lines).split()) == words


def test_comments_kept_whole(service, api):
    """60 kB on one line and the last line survive the way to the terminal."""
    watch = api.watch(NOWHERE + "show_bug.cgi?id=8")
    text = "y" * 60_000 + "\nthe last line"
    keep_comments(service, watch, [(0, None, None, text)])
    assert api.items(f"watches/{watch['id']}/comments")[0]["text"] == text
    out = service.cli("show", watch["id"]).out
    assert "y" * 60_000 in out and out.endswith("    the last line\n")
