"""A client as engines are: what breaks off it takes up again by Range. Every byte is compared with the truth."""

import http.client
import time
from dataclasses import dataclass, field


@dataclass
class Patience:
    header: float = 30.0  # seconds for an answer to begin
    gap: float = 30.0     # and between two of its bytes
    tries: int = 4        # in a row that bring nothing new
    pause: float = 0.25   # before another
    until: float = float("inf")  # monotonic; no try begins after it


@dataclass
class Outcome:
    right: bool = False
    hung: str = ""                    # waited longer than Patience says
    wrong: str = ""                   # an answer came whole, from the first byte on, with a byte that is not the blob's
    spoilt: int = 0                   # times that a wrong byte was seen some other way; it begins anew then
    connections: int = 0
    cut: int = 0                      # of them broke off after their header
    received: int = 0
    longest: float = 0.0              # wait for a header or a byte
    ends: list = field(default_factory=list)  # why each of the others ended

    def __str__(self):
        if self.wrong:
            return f"WRONG: {self.wrong}"
        if self.hung:
            return f"HANGS: {self.hung}"
        return "right" if self.right else "fails"


class ResumingClient:
    """Bytes [begin, end) of `blob`, which has size and piece(begin, end)."""

    def __init__(self, port, path, blob, patience, begin=0, end=None):
        self._port, self._path, self._blob, self._patience = port, path, blob, patience
        self._begin = self._position = self._furthest = begin
        self._end = blob.size if end is None else end
        self._spoilt_at = None
        self._buffer = bytearray(256 * 1024)
        self.outcome = Outcome()

    def run(self, starts_over=False):
        outcome, patience, fruitless = self.outcome, self._patience, 0
        while fruitless < patience.tries and time.monotonic() < patience.until:
            if starts_over:
                self._anew()
            asked_at, before = self._position, self._furthest
            outcome.connections += 1
            reason = self._once()
            if outcome.hung or outcome.wrong:
                return outcome
            if self._position == self._end and not reason:
                if self._spoilt_at is None:
                    outcome.right = True
                    return outcome
                if asked_at == 0 and self._end == self._blob.size:
                    outcome.wrong = f"byte {self._spoilt_at} in an answer that is whole"
                    return outcome
                reason = f"byte {self._spoilt_at} was wrong"
                outcome.spoilt += 1
                self._anew()
            outcome.ends.append(reason)
            fruitless = 0 if self._furthest > before else fruitless + 1
            time.sleep(patience.pause * max(1, fruitless))
        return outcome

    def _anew(self):
        self._position, self._spoilt_at = self._begin, None

    def _once(self):
        """Why it ended; empty when all that was asked for has come."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience.header)
        self._last, begun = time.monotonic(), False
        try:
            headers = {}
            if self._position > 0 or self._end < self._blob.size:
                headers["Range"] = f"bytes={self._position}-{self._end - 1}"
            connection.request("GET", self._path, headers=headers)
            answer = connection.getresponse()
            self._waited()
            if answer.status not in (200, 206):
                return f"{answer.status} {answer.read(300).decode(errors='replace')}"
            if answer.status == 200:  # whatever part was asked for
                self._position, self._spoilt_at = (0, None) if self._position else (0, self._spoilt_at)
            elif not answer.headers["Content-Range"].startswith(f"bytes {self._position}-"):
                self.outcome.wrong = f"{answer.headers['Content-Range']} for {headers}"
                return "wrong"
            if connection.sock:
                connection.sock.settimeout(self._patience.gap)
            begun = True
            reason = self._body(answer)
            self.outcome.cut += bool(reason)
            return reason
        except TimeoutError:
            self._waited()
            self.outcome.hung = f"{time.monotonic() - self._last:.1f} s at byte {self._position}"
            return "hung"
        except (OSError, http.client.HTTPException) as error:
            self._waited()
            self.outcome.cut += begun
            return f"{type(error).__name__} at byte {self._position}"
        finally:
            connection.close()

    def _body(self, answer):
        end = self._end if answer.status == 206 else self._blob.size
        while count := answer.readinto(self._buffer):
            self._waited()
            got = memoryview(self._buffer)[:count]
            if got != self._blob.piece(self._position, self._position + count) and self._spoilt_at is None:
                self._spoilt_at = self._position
            self._position += count
            self._furthest = max(self._furthest, self._position)
            self.outcome.received += count
        if self._position != end:
            return f"ended at byte {self._position}"
        self._position = self._end
        return ""

    def _waited(self):
        now = time.monotonic()
        self.outcome.longest = max(self.outcome.longest, now - self._last)
        self._last = now
