#!/usr/bin/env python3
"""Makes the first inputs of corpus/ from tests/data and the addresses and dates below."""
import hashlib
import pathlib

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data"
DRIVERS = ["bugzilla", "roundup", "debbugs", "trac", "github"]
MORE = 132  # an answer that names a next page
STATUSES = {200: 0, 400: 5, 401: 6, 403: 7, 404: 8, 429: 9, 500: 10}
TYPES = {"application/json": 0, "text/html": 1, "text/xml": 2, "text/csv": 3, "text/plain": 4}
DOORS = {"rest/": 1, "rest.cgi/": 2, "rpc": 3, "login/rpc": 3, "query": 4, "cgi/soap.cgi": 5,
         "xmlrpc": 6, "login/xmlrpc": 6, "export_csv_id": 7, "export_csv": 7}

URLS = """https://bugs.example.org/show_bug.cgi?id=901
https://bugs.example.org/show_bug.cgi?ctype=xml;id=901#c4
https://me:pw@BUGS.example.org:443/qa/show_bug.cgi?id=%37
https://tracker.example.net/issues/show_bug.cgi?issue=78
http://198.51.100.4:8080/show_bug.cgi?id=7
http://[2001:db8::1]:8080/issue7
https://tracker.example.net/mercurial/issue55?@template=item
https://tracker.example.net/mercurial/issue55/#msg7
https://trac.example.org/trac/ticket/600?format=csv
https://debbugs.example.net/x/cgi-bin/bugreport.cgi?bug=9;msg=12
https://www.github.com/octo/anvil/pull/7/#issuecomment-12
https://api.github.com/repos/octo/anvil/issues/7
https://ghe.example.net/api/v3/repos/octo/anvil/issues/7
ftp://bugs.example.org/show_bug.cgi?id=901
mailto:bugs@example.net
http://""".split("\n")

MOMENTS = """2026-03-08T07:30:00Z
2026-03-08 07:30:00 -0400
2026-03-08T07:30:00.123456+05:30
20260308T07:30:00
2026-03-08.07:30:00.123
2024-02-29.23:59:60
0001-01-01T00:00:00Z
9999-12-31T23:59:59+14:00
Sun, 06 Nov 1994 08:49:37 GMT
Sunday, 06-Nov-94 08:49:37 GMT
Sun Nov  6 08:49:37 1994""".split("\n")


def write(target, seed):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(seed).hexdigest()[:12]).write_bytes(seed)


def answer(folder, name):
    head = (folder / f"{name}.headers").read_text()
    body = (folder / f"{name}.body").read_bytes()
    kind = [t for t in TYPES if t in head.lower()]
    more = MORE if 'rel="next"' in head else 0
    return bytes([STATUSES.get(int(head.split()[1]), 0) + more, TYPES[kind[0]] if kind else 5]) + body


def exchanges(case):
    lines = [line.split(" ") for line in case.read_text().splitlines()]
    words = {line[0]: line[1] for line in lines if len(line) > 1}
    errand = {"probe": 0, "check": 1, "comments": 2, "changes": 3}.get(words["errand"], 1)
    names = [line[1] for line in lines if line[0] == "ask" and line[1][0] not in "@!"]
    head = [DRIVERS.index(case.parent.parent.name), errand, DOORS.get(words.get("door"), 0), 255]
    return bytes(head) + b"\0".join(answer(case.parent, name) for name in names)


def main():
    for case in DATA.glob("*/*/case"):
        if not case.parent.name.startswith("shared"):
            write("hear", exchanges(case))
    for url in URLS:
        write("url", url.encode())
    for text in MOMENTS:
        write("moment", text.encode())


main()
