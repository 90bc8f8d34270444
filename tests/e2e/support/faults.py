"""What an upstream does wrong, for scripted.py: each strikes `times` times, or for good, until mend()."""

import select
import socket
import struct
import threading


class Cut(Exception):
    """The connection ends here."""


class Fault:
    """None: the base of the others. Called on the threads of connections."""

    at = None  # the byte of the blob before which on_byte() is called, whichever range it comes in

    def __init__(self, times=None):
        self._times = times
        self._lock = threading.Lock()
        self._mended = threading.Event()
        self.hits = 0

    def strikes(self):
        with self._lock:
            if self._mended.is_set() or (self._times is not None and self.hits >= self._times):
                return False
            self.hits += 1
            return True

    def mend(self):
        """It strikes no more. Nobody may be told before this returns."""
        self._mended.set()

    def begin(self):
        """The test begins now."""

    def hold(self, handler):
        """Until the other side has had enough."""
        while not self._mended.is_set() and not select.select([handler.connection], [], [], 0.05)[0]:
            pass
        raise Cut

    def token(self):
        return "any"

    def on_answer(self, handler, blob, answer):
        pass

    def on_byte(self, handler):
        pass

    def on_data(self, handler, position, data):
        return data


class AtByte(Fault):
    def __init__(self, at, times=None):
        super().__init__(times)
        self.at = at


class Stall(AtByte):
    def on_byte(self, handler):
        if self.strikes():
            self.hold(handler)


class Reset(AtByte):
    def on_byte(self, handler):
        if self.strikes():
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Cut


class Truncate(AtByte):
    """A clean end, too early."""

    def on_byte(self, handler):
        if self.strikes():
            raise Cut


class Lie(AtByte):
    def on_data(self, handler, position, data):
        if position != self.at or not self.strikes():
            return data
        return bytes([data[0] ^ 0xFF]) + bytes(data[1:])


class Down(Fault):
    """Nobody answers from the start, for `seconds` or until mend()."""

    def __init__(self, servers, seconds=None):
        super().__init__(times=1)
        self._servers, self._seconds = servers, seconds
        self._ended = threading.Event()
        self._ended.set()

    def begin(self):
        if self.strikes():
            self._ended.clear()
            self._go_down()
            threading.Thread(target=self._come_back, daemon=True).start()

    def _go_down(self):
        for server in self._servers:
            server.stop()

    def _come_back(self):
        self._mended.wait(self._seconds)
        for server in self._servers:
            server.start()
        self._ended.set()

    def mend(self):
        super().mend()
        self._ended.wait(30)


class GoesDown(Down):
    """When byte `at` is due."""

    def __init__(self, at, servers, seconds=None):
        super().__init__(servers, seconds)
        self.at = at

    def begin(self):
        pass

    def on_byte(self, handler):
        if self.hits == 0:
            super().begin()
            raise Cut


class InTheMiddle(Fault):
    """Concerns answers to requests for anything but the beginning."""

    def on_answer(self, handler, blob, answer):
        if handler.command == "GET" and answer.begin > 0 and self.strikes():
            self.change(blob, answer)

    def change(self, blob, answer):
        raise NotImplementedError


class Refusal(InTheMiddle):
    def __init__(self, status, headers=None, times=None):
        super().__init__(times)
        self._status = status
        self._headers = headers or {}

    def change(self, blob, answer):
        answer.status, answer.headers, answer.body = self._status, dict(self._headers), b'{"errors":[]}'


class NoAnswer(InTheMiddle):
    def on_answer(self, handler, blob, answer):
        if handler.command == "GET" and answer.begin > 0 and self.strikes():
            self.hold(handler)


class WrongContentRange(InTheMiddle):
    def change(self, blob, answer):
        answer.headers["Content-Range"] = f"bytes {answer.begin + 1}-{answer.end}/{blob.size}"


class OtherLength(InTheMiddle):
    def change(self, blob, answer):
        answer.headers["Content-Range"] = f"bytes {answer.begin}-{answer.end - 1}/{blob.size + 100}"


class OtherETag(InTheMiddle):
    def change(self, blob, answer):
        answer.headers["ETag"] = f'"number {self.hits}"'


class NoRanges(Fault):
    """The whole, whatever part was asked for."""

    def on_answer(self, handler, blob, answer):
        if answer.status == 206 and self.strikes():
            answer.status, answer.begin, answer.end = 200, 0, blob.size
            del answer.headers["Content-Range"]


class Slow(InTheMiddle):
    def __init__(self, rate, times=None):
        super().__init__(times)
        self._rate = rate

    def change(self, blob, answer):
        answer.pace = self._rate


class TokenExpires(Fault):
    """Each token is good for the beginning; then it is not, `times` times."""

    def __init__(self, times=None):
        super().__init__(times)
        self._good = "token-0"

    def token(self):
        with self._lock:
            return self._good

    def on_answer(self, handler, blob, answer):
        given = handler.headers.get("Authorization", "")
        if given == f"Bearer {self.token()}" and not (answer.begin > 0 and self.strikes()):
            return
        if given == f"Bearer {self.token()}":
            with self._lock:
                self._good = f"token-{self.hits}"
        host = handler.headers["Host"]
        answer.status, answer.body = 401, b'{"errors":[{"code":"UNAUTHORIZED"}]}'
        answer.headers = {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="scripted",'
                                              f'scope="repository:{handler.path.split("/blobs/")[0][4:]}:pull"'}
