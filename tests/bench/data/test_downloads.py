"""Downloads, from a real server on this machine that breaks off, is slow, and answers with something else."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import Bench

from bench.data import downloads, public
from bench.data.public import Dataset, File
from bench.errors import UsageError

CONTENT = b"date,OT\n" + b"".join(b"2020-01-%02d,%d\n" % (day, day) for day in range(1, 29))


class Server(ThreadingHTTPServer):
    """A server that does what its way says on the first request of a file, and behaves from then on."""

    way = "well"
    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str | None] = []  # the Range of each request
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that leaves early is what some tests are about, and their errors are read."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        way, first = self.server.way, len(self.server.asked) == 1
        if way == "gone" or (way == "busy" and first):
            return self.send_error(404 if way == "gone" else 503)
        if way == "slow" and first:
            time.sleep(0.6)
        content = CONTENT.replace(b"28", b"29") if way == "altered" else CONTENT
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and way != "no ranges" else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        cut = (way in ("cut", "no ranges") and first) or way == "always cut"
        self.wfile.write(content[start : start + 60] if cut else content[start:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    files = (File("https://example.org/toy.csv", hashlib.sha256(CONTENT).hexdigest()),)
    monkeypatch.setitem(public.DATASETS, "toy", Dataset("toy", "a toy", "CC0", "nobody 2020", files))
    monkeypatch.setenv(public.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(downloads, "PAUSE", 0.0)
    monkeypatch.setattr(downloads, "TIMEOUT", 0.3)
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


def get(server: Server, inside: Bench, way: str) -> tuple[int, str]:
    server.way = way
    server.asked.clear()
    ended = inside("data", "get", "toy", "--mirror", f"http://127.0.0.1:{server.server_port}/files/")
    return ended.returncode, ended.stdout + ended.stderr


def kept(tmp_path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()}


@pytest.mark.parametrize(
    ("way", "ranges", "words"),
    [
        ("well", [None], "licence: CC0"),
        ("cut", [None, "bytes=60-"], "the connection broke off after 60 bytes; try 2 of 5"),
        ("no ranges", [None, "bytes=60-"], "try 2 of 5"),
        ("busy", [None, None], "the server answered 503 Service Unavailable; try 2 of 5"),
        ("slow", [None, None], "no answer within 0.3 s; try 2 of 5"),
    ],
)
def test_a_file_comes_whole_whatever_the_server_does_first(
    way: str, ranges: list[str | None], words: str, server: Server, inside: Bench, tmp_path: Path
) -> None:
    status, printed = get(server, inside, way)
    assert (status, server.asked) == (0, ranges) and words in printed, printed
    assert kept(tmp_path) == {"toy.csv": CONTENT}
    assert "is there already" in get(server, inside, "gone")[1] and server.asked == []


def test_another_file_is_refused_and_nothing_is_kept(server: Server, inside: Bench, tmp_path: Path) -> None:
    status, printed = get(server, inside, "altered")
    assert status == 2 and "is another file: got sha256" in printed and kept(tmp_path) == {}
    (tmp_path / "toy.csv").write_bytes(CONTENT[:-1])
    ended = inside("data", "get", "toy", "--from", str(tmp_path))
    assert ended.returncode == 2 and "is another file" in ended.stderr and kept(tmp_path) == {}
    ended = inside("data", "get", "toy", "--from", str(tmp_path / "toy.csv"))
    assert ended.returncode == 2 and "--from: needed a folder that is there, got" in ended.stderr
    both = inside("data", "get", "toy", "--from", str(tmp_path), "--mirror", "http://127.0.0.1/")
    assert both.returncode == 2 and "give one of them" in both.stderr
    (tmp_path / "toy.csv").write_bytes(CONTENT)
    assert inside("data", "get", "toy", "--from", str(tmp_path)).returncode == 0
    assert kept(tmp_path) == {"toy.csv": CONTENT}


def test_a_server_that_never_ends_is_given_up_and_resumed_later(server: Server, inside: Bench, tmp_path: Path) -> None:
    status, printed = get(server, inside, "gone")
    assert status == 2 and len(server.asked) == 1 and "answered 404 Not Found; --from FOLDER takes toy.csv" in printed
    status, printed = get(server, inside, "always cut")
    assert status == 2 and len(server.asked) == 5 and "the connection broke off after 300 bytes" in printed
    assert kept(tmp_path) == {"toy.csv.part": CONTENT[:300]}
    assert get(server, inside, "well")[0] == 0 and server.asked == ["bytes=300-"]
    assert kept(tmp_path) == {"toy.csv": CONTENT}


def test_what_an_earlier_download_left_of_another_file_is_dropped(
    server: Server, inside: Bench, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "toy.csv.part").write_bytes(b"x" * 50)
    assert get(server, inside, "well")[0] == 0 and server.asked == ["bytes=50-", None]
    assert kept(tmp_path) == {"toy.csv": CONTENT}


def test_data_sets_that_are_not_here_are_one_line(server: Server, inside: Bench) -> None:
    ended = inside("run", "--task", "etth1-96-96", "--method", "last_value", "--dry-run")
    assert ended.returncode == 2 and "python -m bench data get etth1 downloads it" in ended.stderr
    many = inside("run", "--task", "ett*", "--task", "m3-yearly", "--method", "last_value", "--dry-run")
    assert many.returncode == 2 and many.stderr.count("\n") == 1
    assert "ETTh1.csv, ETTh2.csv, ETTm1.csv are not on this machine: python -m bench data get" in many.stderr
    assert set(many.stderr.partition(" data get ")[2].partition(" downloads them")[0].split()) == {
        "etth", "etth1", "etth2", "ettm1",
    }  # fmt: skip
    assert "unknown data set 'ett': did you mean" in inside("data", "get", "ett").stderr
    assert "begins with https://" in inside("data", "get", "toy", "--mirror", "ftp://127.0.0.1").stderr


@pytest.mark.parametrize("mirror", ["ftp://x/y", "nonsense", "http://", "http://[::1/", "http://x:port/"])
def test_an_address_that_is_none_is_one_line(mirror: str, server: Server, inside: Bench) -> None:
    ended = inside("data", "get", "toy", "--mirror", mirror)
    assert ended.returncode == 2 and "an address that begins with https:// or http:// is needed" in ended.stderr


def test_a_file_that_was_changed_in_the_cache_is_refused(server: Server, inside: Bench, tmp_path: Path) -> None:
    assert get(server, inside, "well")[0] == 0
    assert public.contents("toy") == [CONTENT]
    (tmp_path / "cache" / "toy.csv").write_bytes(CONTENT.replace(b"28", b"29"))
    with pytest.raises(UsageError, match="was changed: got sha256 .*: python -m bench data get toy downloads it again"):
        public.contents("toy")


@pytest.mark.parametrize("content", [b"", b"<html>\nsign in\n</html>\n", b"V1,V2\nH1,x\n", b"\xff\xfe", b"V1,V2\n\n"])
def test_files_of_m4_that_hold_something_else_are_one_line(content: bytes, server: Server, inside: Bench) -> None:
    """No checksum of them is known, so that what a proxy answers may be in the cache."""
    public.folder().mkdir()
    for one in public.DATASETS["m4-hourly"].files:
        (public.folder() / one.name).write_bytes(content)
    ended = inside("run", "--task", "m4-hourly", "--method", "last_value", "--dry-run")
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1
    assert "needed rows of a name and numbers, as M4 has them" in ended.stderr
    assert "delete its files, then python -m bench data get m4-hourly" in ended.stderr
