#!/usr/bin/env python3
"""Makes the fuzzers' first inputs in the folder named, a folder a target: the cases of tests/data in
one piece each, with what ../shared records where it is there, and the URLs and moments below."""
import gzip
import hashlib
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).parents[2]
DATA = ROOT / "tests/data"
MOST = 65536  # bytes of one input
HEAD = {"errand", "base", "door", "memory", "version", "since", "bug", "user", "key", "cookie"}

URLS = """https://me:pw@BUGS.example.org:443/qa/show_bug.cgi?id=%37
http://[2001:db8::1]:8080/issue7
https://tracker.example.net/mercurial/issue55/#msg7
https://debbugs.example.net/x/cgi-bin/bugreport.cgi?bug=9;msg=12
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


def answer(case, name):
    """None where the recording is not there."""
    if name[0] == "!":
        return name.encode()
    folder = case.parent
    if name[0] == "@":
        folder, name = ROOT.parent / "shared/fixtures" / case.parent.parent.name, name[1:]
    if not (folder / f"{name}.headers").exists():
        return None
    head = (folder / f"{name}.headers").read_bytes().replace(b"\r", b"").strip()
    body = (folder / f"{name}.body").read_bytes()
    if b"content-encoding: gzip" in head.lower():
        body = gzip.decompress(body)
    return head + b"\n\n" + body


def inputs(case):
    lines = case.read_text().splitlines()
    head = "\n".join(line for line in lines if line.split(" ")[0] in HEAD)
    if "errand probe" in head:
        head += "\nbug 1 known\nbug 2 known"
    answers = [answer(case, line.split(" ")[1]) for line in lines if line.startswith("ask ")]
    if None in answers:
        return
    for manner in ["at-once 1\npiece 512", "at-once 8\npiece 7"]:
        yield b"\n%%\n".join([f"{head}\n{manner}".encode(), *answers])


def write(folder, seed):
    folder.mkdir(parents=True, exist_ok=True)
    if len(seed) <= MOST:
        (folder / hashlib.sha1(seed).hexdigest()[:12]).write_bytes(seed)


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    for case in sorted(DATA.glob("*/*/case")):
        for seed in inputs(case):
            write(out / case.parent.parent.name, seed)
    forms = [line.split("\t")[0] for line in (DATA / "url-forms.tsv").read_text().splitlines()]
    for url in URLS + forms:
        write(out / "url", url.encode())
    for text in MOMENTS:
        write(out / "moment", text.encode())


main(pathlib.Path(sys.argv[1]))
