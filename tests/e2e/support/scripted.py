"""A registry made of Python: blobs that cost no memory, a pace for each connection, and faults at exact bytes.

The faults are in faults.py. What it counts is what it handed to the kernel, a little more than what arrived.
"""

import hashlib
import json
import random
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from . import process
from .faults import Cut, Fault
from .live_server import LiveServer, QuietHandler

_PIECE = 128 * 1024
_LABEL = 64


class Noise:
    """Incompressible content made in no time: a label of its own, then bytes that all of them share."""

    _lock = threading.Lock()
    _shared = b""

    def __init__(self, label, size):
        self.size = size
        self._label = label.encode().ljust(_LABEL, b".")[:min(_LABEL, size)]
        with Noise._lock:
            if len(Noise._shared) < size:  # never in place: others look at it
                Noise._shared += b"".join(random.Random(at).randbytes(1 << 20)
                                          for at in range(len(Noise._shared), size, 1 << 20))
            self._base = memoryview(Noise._shared)
        hashed = hashlib.sha256(self._label)
        hashed.update(self._base[len(self._label):size])
        self.digest = "sha256:" + hashed.hexdigest()

    def piece(self, begin, end):
        if begin >= len(self._label):
            return self._base[begin:end]
        return memoryview(self._label[begin:end] + bytes(self._base[len(self._label):max(end, len(self._label))]))


class Plain:
    """Content that is given: a manifest, a config."""

    def __init__(self, data):
        self.data = data
        self.size = len(data)
        self.digest = "sha256:" + hashlib.sha256(data).hexdigest()

    def piece(self, begin, end):
        return memoryview(self.data)[begin:end]


@dataclass
class NoiseImage:
    manifest: Plain
    blobs: list  # the config first

    def size(self):
        return sum(blob.size for blob in self.blobs)


def noise_image(label, sizes):
    layers = [Noise(f"{label} {number}", size) for number, size in enumerate(sizes)]
    config = Plain(json.dumps({"architecture": "amd64", "os": "linux", "label": label}).encode())
    kind = "application/vnd.oci.image"

    def descriptor(blob, media_type):
        return {"mediaType": f"{kind}.{media_type}", "size": blob.size, "digest": blob.digest}

    manifest = {"schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json",
                "config": descriptor(config, "config.v1+json"),
                "layers": [descriptor(layer, "layer.v1.tar+gzip") for layer in layers]}
    return NoiseImage(Plain(json.dumps(manifest).encode()), [config, *layers])


@dataclass
class Answer:
    """To a GET or HEAD of a blob, as a fault may still change it: bytes [begin, end) of the blob follow."""

    status: int
    begin: int
    end: int
    headers: dict = field(default_factory=dict)
    body: bytes = None  # instead of the blob's
    pace: int = 0


class _Server(LiveServer):
    def shutdown_request(self, request):
        try:
            reset = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0)
        except OSError:
            reset = True
        if reset:  # FIN first would make a polite end of it
            self.close_request(request)
        else:
            super().shutdown_request(request)


class _Handler(QuietHandler):
    def do_GET(self):
        try:
            self.server.owner.answer(self)
        except (OSError, Cut):
            self.close_connection = True

    do_HEAD = do_GET


class ScriptedRegistry:
    """Starts at once. Blobs are those of all repositories; a fault is one repository's."""

    def __init__(self, test, pace=0):
        self.pace = pace  # bytes a second on each connection; 0: as fast as it goes
        self.port = process.reserve_port(test)
        self._blobs, self._manifests, self._faults = {}, {}, {}
        self._lock = threading.Lock()
        self._sent = {}
        self._open = self.most_open = 0
        self._server = None
        test.addCleanup(self.stop)
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self._server = _Server(self.port, _Handler, self)

    def stop(self):
        """Connections are refused, and those that were open are reset."""
        with self._lock:
            server, self._server = self._server, None
        if not server:
            return
        server.shutdown()
        server.server_close()
        for connection in list(server.live):
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def add(self, blob):
        self._blobs[blob.digest] = blob

    def add_image(self, image, tag):
        for blob in image.blobs:
            self.add(blob)
        for reference in (tag, image.manifest.digest):
            self._manifests[reference] = image.manifest

    def set_fault(self, repository, fault):
        self._faults[repository] = fault

    def sent(self, digest=None):
        """Bytes of blobs."""
        with self._lock:
            return sum(self._sent.values()) if digest is None else self._sent.get(digest, 0)

    def whole(self):
        """Blobs of which every byte has been sent, or as many bytes."""
        with self._lock:
            return sum(count >= self._blobs[digest].size for digest, count in self._sent.items())

    def answer(self, handler):
        path = handler.path.split("?")[0]
        if path.startswith("/token"):
            scope = re.search(r"repository(?::|%3A)(.+?)(?::|%3A)pull", handler.path)
            repository = scope[1].replace("%2F", "/") if scope else ""
            return self._whole(handler, 200, json.dumps({"token": self._fault(repository).token()}).encode())
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", path)
        if not match:
            return self._whole(handler, 200 if path == "/v2/" else 404, b"{}")
        repository, kind, reference = match.groups()
        known = (self._manifests if kind == "manifests" else self._blobs).get(reference)
        if known is None:
            return self._whole(handler, 404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        if kind == "manifests":
            return self._whole(handler, 200, known.data, {"Docker-Content-Digest": known.digest,
                                                          "Content-Type": json.loads(known.data)["mediaType"]})
        return self._blob(handler, known, self._fault(repository))

    def _fault(self, repository):
        return self._faults.get(repository) or Fault()

    @staticmethod
    def _whole(handler, status, body, headers=None):
        handler.send_response_only(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def _blob(self, handler, blob, fault):
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        answer = Answer(200, 0, blob.size, {"ETag": f'"{blob.digest}"'}, pace=self.pace)
        if asked and handler.command == "GET":
            begin = int(asked[1])
            if begin >= blob.size:
                return self._whole(handler, 416, b"", {"Content-Range": f"bytes */{blob.size}"})
            end = min(int(asked[2]) + 1, blob.size) if asked[2] else blob.size
            answer.status, answer.begin, answer.end = 206, begin, end
            answer.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{blob.size}"
        fault.on_answer(handler, blob, answer)
        if answer.body is not None:
            return self._whole(handler, answer.status, answer.body, answer.headers)
        handler.send_response_only(answer.status)
        for name, value in {"Content-Length": str(answer.end - answer.begin), **answer.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "GET":
            self._send(handler, blob, answer, fault)

    def _send(self, handler, blob, answer, fault):
        with self._lock:
            self._open += 1
            self.most_open = max(self.most_open, self._open)
        began, position = time.monotonic(), answer.begin
        most = min(_PIECE, answer.pace // 10 + 1) if answer.pace else _PIECE
        try:
            while position < answer.end:
                end = min(position + most, answer.end)
                if fault.at is not None and position < fault.at < end:
                    end = fault.at
                if position == fault.at:
                    fault.on_byte(handler)
                data = fault.on_data(handler, position, blob.piece(position, end))
                handler.connection.sendall(data)
                position = end
                with self._lock:
                    self._sent[blob.digest] = self._sent.get(blob.digest, 0) + len(data)
                if answer.pace:
                    due = began + (position - answer.begin) / answer.pace
                    time.sleep(max(0, due - time.monotonic()))
        finally:
            with self._lock:
                self._open -= 1
