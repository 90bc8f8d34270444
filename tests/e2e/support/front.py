"""Stands between Paddock and the upstream: counts what is sent, and holds a body at a byte until told to go on.

Holding is how tests get "in the middle of a fill" without guessing with sleeps.
"""

import http.client
import socket
import threading
from dataclasses import dataclass

from . import case, process
from .live_server import LiveServer, QuietHandler

CHUNK = 256 * 1024
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass
class Exchange:
    method: str
    path: str
    range: str = ""
    status: int = 0
    start: int = 0  # of the body, in the blob
    length: int = 0
    body_bytes: int = 0
    finished: bool = False


class Hold:
    """Byte `at` of bodies of paths with `part` in them is not sent until release(); without `at`, answers to `method`.

    It is the byte of the whole, whichever of several ranges it comes in; the other ranges are sent.
    """

    def __init__(self, part, at=None, method=""):
        self.part = part
        self.at = at
        self.method = method
        self._reached = threading.Event()
        self._released = threading.Event()

    def wait_reached(self, seconds=60):
        if not self._reached.wait(seconds):
            raise AssertionError(f"no body of {self.part} came to byte {self.at}")

    def release(self):
        self._released.set()

    def block(self):
        self._reached.set()
        self._released.wait(120)


class _Handler(QuietHandler):
    def do_GET(self):
        self.server.owner.relay(self)

    do_HEAD = do_GET


class Front:
    def __init__(self, test, target_port):
        self._target = target_port
        self._lock = threading.Lock()
        self._exchanges = []
        self._holds = []
        self._server = None
        self.port = process.reserve_port(test)
        test.addCleanup(self.stop)
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self._server = LiveServer(self.port, _Handler, self)

    def stop(self):
        """The upstream is away: connections are refused, and those that were open are cut."""
        server, self._server = self._server, None
        if not server:
            return
        server.shutdown()
        server.server_close()
        for hold in self._holds:
            hold.release()
        for connection in list(server.live):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hold(self, part, at):
        hold = Hold(part, at)
        self._holds.append(hold)
        return hold

    def hold_answers(self, part, method):
        hold = Hold(part, method=method)
        self._holds.append(hold)
        return hold

    def exchanges(self, part="", method=""):
        with self._lock:
            return [one for one in self._exchanges if part in one.path and method in ("", one.method)]

    def body_bytes(self, part=""):
        return sum(one.body_bytes for one in self.exchanges(part))

    def forget(self):
        with self._lock:
            self._exchanges.clear()

    def wait_finished(self, part, seconds=60):
        case.wait_until(lambda: (found := self.exchanges(part, "GET")) and all(one.finished for one in found),
                        f"the upstream to be done with {part}", seconds)

    def relay(self, handler):
        exchange = Exchange(handler.command, handler.path, handler.headers.get("Range", ""))
        with self._lock:
            self._exchanges.append(exchange)
        headers = {}
        for key, value in handler.headers.items():  # Go sends several Accept lines
            if key.lower() not in HOP_BY_HOP:
                headers[key] = f"{headers[key]}, {value}" if key in headers else value
        connection = http.client.HTTPConnection("127.0.0.1", self._target, timeout=60)
        try:
            for hold in self._holds:
                if hold.at is None and hold.method == exchange.method and hold.part in exchange.path:
                    hold.block()
            connection.request(handler.command, handler.path, headers=headers)
            self._answer(handler, connection.getresponse(), exchange)
        except OSError:
            handler.close_connection = True
        finally:
            exchange.finished = True
            connection.close()

    def _answer(self, handler, answer, exchange):
        exchange.status = answer.status
        handler.send_response_only(answer.status, answer.reason)
        for key, value in answer.headers.items():
            if key.lower() not in HOP_BY_HOP:
                handler.send_header(key, value)
        length = answer.headers.get("Content-Length")
        body = None
        if length is None and handler.command != "HEAD":
            body = answer.read()
            length = len(body)
        handler.send_header("Content-Length", str(length or 0))
        exchange.length = int(length or 0)
        if answer.status == 206:
            exchange.start = int(answer.headers["Content-Range"].removeprefix("bytes ").split("-")[0])
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if body is not None:
            self._send(handler, exchange, body)
            return
        while piece := answer.read(self._piece_size(exchange)):
            self._send(handler, exchange, piece)

    def _piece_size(self, exchange):
        """Stops exactly at the byte that a hold names."""
        size = CHUNK
        for hold in self._holds:
            if hold.at is None or hold.part not in exchange.path:
                continue
            here = exchange.start + exchange.body_bytes
            if here == hold.at and exchange.body_bytes < exchange.length:
                hold.block()
            elif here < hold.at:
                size = min(size, hold.at - here)
        return size

    def _send(self, handler, exchange, piece):
        handler.connection.sendall(piece)
        exchange.body_bytes += len(piece)
