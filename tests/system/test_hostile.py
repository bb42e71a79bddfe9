"""Requests that no honest client sends: refused, and nobody else notices."""
import socket
from urllib.parse import urlsplit

import pytest

from harness import wait_for


def talk(service, raw, timeout=30, more=None):
    """The first line and all of what comes back for RAW; MORE is called to send on."""
    where = urlsplit(service.url)
    with socket.create_connection((where.hostname, where.port), timeout=timeout) as line:
        try:
            line.sendall(raw)
            if more:
                more(line)
        except OSError:
            pass  # it need not hear all of it
        got = b""
        try:
            while chunk := line.recv(65536):
                got += chunk
        except ConnectionResetError:
            pass
    return got


def status(got):
    assert got.startswith(b"HTTP/1."), got[:200]
    return int(got.split()[1])


def head(service, *lines):
    return "\r\n".join(("GET /api/v1/whoami HTTP/1.1", *lines, "Connection: close", "", "")).format(
        token=service.api.token).encode()


@pytest.fixture(autouse=True)
def still_well(service):
    yield
    assert service.process.poll() is None
    assert service.api.get("whoami").status == 200


def test_an_honest_one(service):
    assert status(talk(service, head(service, "Host: x", "Authorization: Bearer {token}"))) == 200


def test_missing_host(service):
    assert status(talk(service, head(service, "Authorization: Bearer {token}"))) == 400


def test_two_hosts(service):
    assert status(talk(service, head(service, "Host: a", "Host: b", "Authorization: Bearer {token}"))) == 400


@pytest.mark.parametrize("lengths", [("2", "3"), ("2", "2"), ("2, 2",), ("-1",), ("+2",), ("0x2",),
                                     ("99999999999999999999",), ("2 2",), ("",)])
def test_content_length(service, lengths):
    raw = "POST /api/v1/watches HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    raw += f"Authorization: Bearer {service.api.token}\r\n"
    raw += "".join(f"Content-Length: {n}\r\n" for n in lengths) + "\r\n{}"
    got = talk(service, raw.encode())
    assert got == b"" or status(got) in (400, 411, 413), got[:300]
    assert got.count(b"HTTP/1.") <= 1, "one request has one answer"


def test_length_and_chunks(service):
    raw = (f"POST /api/v1/watches HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {service.api.token}\r\n"
           "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
           "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    got = talk(service, raw.encode())
    assert got.count(b"HTTP/1.") <= 1, "smuggled"
    assert got == b"" or status(got) == 400


@pytest.mark.parametrize("size", [70_000, 4_000_000])
def test_large_header(service, size):
    raw = head(service, "Host: x", "X-Large: " + "a" * size)
    got = talk(service, raw)
    assert got == b"" or status(got) in (400, 413, 431), got[:200]


def test_many_headers(service):
    got = talk(service, head(service, "Host: x", *(f"X-{i}: {i}" for i in range(20000))))
    assert got == b"" or status(got) in (400, 413, 431), got[:200]


def test_long_target(service):
    raw = f"GET /api/v1/watches?ref={'a' * 200_000} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    got = talk(service, raw)
    assert got == b"" or status(got) in (400, 413, 414, 431), got[:200]


@pytest.mark.parametrize("raw", [
    b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /api/v1/whoami\r\n\r\n", b"get /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /api/v1/whoami HTTP/1.1\r\nHost x\r\n\r\n", b"BREW /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /api/v1/trackers/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    bytes(range(256)) * 40,
], ids=lambda raw: repr(raw[:24]))
def test_gibberish(service, raw):
    def over(line):
        line.shutdown(socket.SHUT_WR)

    got = talk(service, raw, more=over)
    assert got == b"" or not got.startswith(b"HTTP/1.1 200"), got[:200]
    assert b"root:" not in got


def test_body_that_never_comes(service):
    """A slow client holds its own connection and nobody else's."""
    where = urlsplit(service.url)
    lines = []
    try:
        for _ in range(50):
            line = socket.create_connection((where.hostname, where.port), timeout=30)
            line.sendall(f"POST /api/v1/watches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.api.token}\r\n"
                         "Content-Length: 100\r\n\r\n{".encode())
            lines.append(line)
        assert service.api.get("whoami").status == 200
    finally:
        for line in lines:
            line.close()


def test_gone_before_the_answer(service):
    where = urlsplit(service.url)
    for _ in range(50):
        line = socket.create_connection((where.hostname, where.port), timeout=30)
        line.sendall(f"GET /api/v1/watches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.api.token}\r\n\r\n".encode())
        line.close()
    wait_for(lambda: service.api.get("whoami").status == 200, "an answer")


def test_pipelined(service):
    one = f"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    last = f"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    got = talk(service, (one * 3 + last).encode())
    assert got.count(b"HTTP/1.1 200") == 4
