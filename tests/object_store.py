"""A server of S3's protocol, and one in front of it that answers as S3 does when it is asked too much."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@contextlib.contextmanager
def served(seconds: float = 30) -> Iterator[str]:
    """Run a server in a process of its own; its URL. Raises TimeoutError where it does not answer in time."""
    port, end = free_port(), time.monotonic() + seconds
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        while not answers(port):
            if time.monotonic() > end:
                raise TimeoutError("the server of objects does not answer")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def fronted(url: str) -> Iterator[str]:
    """Put a server in front of that URL which refuses `Busy.refusals` requests; its URL."""
    Busy.target, Busy.refusals = url.removeprefix("http://"), 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Busy(http.server.BaseHTTPRequestHandler):
    """Passes requests on, but for the next `refusals` ones, which get what S3 answers when it is asked too much."""

    protocol_version = "HTTP/1.1"  # a client waits with the content of a put until it is told to go on
    target = ""
    refusals = 0

    def do_request(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if type(self).refusals > 0:
            type(self).refusals -= 1
            self.answer(
                503, {}, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            )
            return
        connection = http.client.HTTPConnection(self.target)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        connection.request(self.command, self.path, content, headers)
        answer = connection.getresponse()
        self.answer(answer.status, dict(answer.headers), answer.read())

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_request

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        return None
