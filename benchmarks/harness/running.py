"""How a row goes: its peers in turn, round after round; what one of them cannot do costs the others nothing."""

import contextlib

from .errors import BenchError, NotMeasured
from .results import RowResult

OPTIONAL = {"distribution": ("distribution v3 proxy", "`registry` is not on PATH"),
            "zot": ("zot", "`zot` is not on PATH")}


class Absent:
    """A peer that is not on this machine."""

    def __init__(self, name):
        self.name = name
        self.label = OPTIONAL[name][0]


class Turns:
    """Iterating gives each peer in each round, in another order each time; drops those that failed."""

    def __init__(self, peers, rounds, result, say):
        self.peers, self.rounds, self._result, self._say = list(peers), rounds, result, say

    def __iter__(self):
        for number in range(self.rounds):
            shift = number % max(1, len(self.peers))
            for peer in self.peers[shift:] + self.peers[:shift]:
                if peer in self.peers:
                    yield peer

    @contextlib.contextmanager
    def guard(self, peer):
        """What goes wrong in here is that peer's reason not to be measured any further."""
        try:
            yield
        except (BenchError, NotMeasured) as error:
            self._say(f"  {peer.label}: not measured: {error}")
            self._result.cannot(peer, str(error))
            self.peers = [other for other in self.peers if other is not peer]


@contextlib.contextmanager
def started(peer, upstream):
    peer.start(upstream)
    try:
        yield peer
    finally:
        peer.stop()


def run_row(rig, row, rounds):
    result = RowResult(row.name, row.title)
    for name in row.peers:
        if name not in rig.peers:
            result.cannot(Absent(name), OPTIONAL[name][1])
    present = [rig.peers[name] for name in row.peers if name in rig.peers]
    turns = Turns(present, rounds, result, rig.say)

    def record(peer, figures):
        result.add(peer, figures, row.metrics)
        shown = ", ".join(f"{key} {figures[key]:.4g}" for key in row.metrics if key in figures)
        rig.say(f"  {peer.label}: {shown}")

    try:
        row.measure(rig, turns, record)
    finally:
        for peer in present:
            peer.stop()
            peer.clear()
    return result
