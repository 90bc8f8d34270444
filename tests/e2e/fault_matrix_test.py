"""Every fault that an upstream has, before every kind of client: right bytes, or a clean end in time.

A fault either passes, and then the bytes must be right in the end, or stays for good. What must come of each cell is
written in the table below; a client that waits longer than the configured timeouts explain hangs, and never may. The
cells run side by side on one server, each with an upstream of its own, so that none spoils another's endpoints.
"""

import concurrent.futures
import sys
import time
from dataclasses import dataclass
from typing import Callable

from support import case, faults, raw_http
from support.paddock import Paddock
from support.resuming import Patience, ResumingClient
from support.scripted import Noise, ScriptedRegistry

MIB = 1 << 20
SIZE = 17 * MIB + 123       # three chunks
AT = 9 * MIB + 5            # in the second
CONNECT, HEADERS, STALL = 1.0, 1.0, 1.0
SLACK = 4.0                 # for a machine that is busy with everything else
# An answer begins within 25 s (the engines give up at 30), and its bytes stop for no longer than twice the stall.
PATIENCE = Patience(header=25 + SLACK, gap=2 * STALL + SLACK)
AT_ONCE = 12                # cells: more, and two cores are late where the faults alone should be
# A client gives up after four tries that bring nothing, and every chunk may bring it four more.
LIMIT = 3 * PATIENCE.tries * (2 * STALL + 2 * PATIENCE.pause) + 2 * SLACK

RIGHT, FAILS = "right", "fails"


@dataclass
class Kind:
    """`passes` makes the fault that passes, given the cell's servers, `stays` the other, of which `outcome` comes."""

    name: str
    passes: Callable
    stays: Callable
    outcome: str
    endpoints: int = 1  # more: of its own, as they go down
    spoils: bool = False  # a client may see wrong bytes, but never in an answer that is whole


def refusal(status, headers=None):
    return (lambda _: faults.Refusal(status, headers, times=2)), (lambda _: faults.Refusal(status, headers))


def once(fault, *arguments):
    return (lambda _: fault(*arguments, times=1)), (lambda _: fault(*arguments))


KINDS = [
    Kind("stalls at once", *once(faults.Stall, 0), FAILS),
    Kind("stalls", *once(faults.Stall, AT), FAILS),
    Kind("does not answer", *once(faults.NoAnswer), FAILS),
    Kind("resets at once", *once(faults.Reset, 0), FAILS),
    Kind("resets", *once(faults.Reset, AT), FAILS),
    Kind("truncates", *once(faults.Truncate, AT), FAILS),
    Kind("lies", *once(faults.Lie, AT), FAILS, spoils=True),
    Kind("401, token expired", *once(faults.TokenExpires), FAILS),
    Kind("401, no challenge", *refusal(401), FAILS),
    Kind("403", *refusal(403), FAILS),
    Kind("429, Retry-After", *refusal(429, {"Retry-After": "1"}), FAILS),
    Kind("503", *refusal(503), FAILS),
    Kind("no ranges", *once(faults.NoRanges), RIGHT),
    Kind("wrong Content-Range", *once(faults.WrongContentRange), RIGHT),
    Kind("other ETag", *once(faults.OtherETag), RIGHT),
    Kind("other length", *once(faults.OtherLength), RIGHT),
    Kind("slow", lambda _: faults.Slow(100 * 1024, times=1), lambda _: faults.Slow(3 * MIB), RIGHT),
    Kind("one endpoint goes down", lambda servers: faults.GoesDown(AT, servers[:1], 1.5),
         lambda servers: faults.GoesDown(AT, servers[:1]), RIGHT, endpoints=2),
    Kind("one is down", lambda servers: faults.Down(servers[:1], 1.5),
         lambda servers: faults.Down(servers[:1]), RIGHT, endpoints=2),
    Kind("all go down", lambda servers: faults.GoesDown(AT, servers, 1.5),
         lambda servers: faults.GoesDown(AT, servers), FAILS, endpoints=2),
    Kind("all are down", lambda servers: faults.Down(servers, 0.7), faults.Down, FAILS, endpoints=2),
]
# Readers of a cell, each by the part of the blob that it reads, in quarters.
CLIENTS = {"one": [(0, 4)], "eight": [(0, 4)] * 8, "ranges": [(0, 1), (1, 2), (2, 3), (3, 4), (1, 4)]}


class Cell:
    def __init__(self, test, number, kind, stays, clients):
        self.kind, self.stays, self.clients = kind, stays, clients
        self.upstream, self.repository = f"cell-{number}.example", f"cells/{number}"
        self.blob = Noise(self.upstream, SIZE)
        servers = [ScriptedRegistry(test) for _ in range(kind.endpoints)] if kind.endpoints > 1 else [test.registry]
        self.endpoints = [server.url for server in servers]
        self.fault = (kind.stays if stays else kind.passes)(servers)
        for server in servers:
            server.add(self.blob)
            server.set_fault(self.repository, self.fault)
        self.outcomes = []
        self.afterwards = None
        self.seconds = 0.0

    @property
    def expected(self):
        return self.kind.outcome if self.stays else RIGHT

    @property
    def how(self):
        return "for good" if self.stays else "passing"

    def __str__(self):
        return f"{self.kind.name}, {self.how}, {self.clients}"

    def run(self, port):
        path = f"/v2/{self.repository}/blobs/{self.blob.digest}?ns={self.upstream}"
        self.fault.begin()
        began = time.monotonic()
        tasks = [raw_http.Task(ResumingClient(port, path, self.blob, PATIENCE, *part).run) for part in self.parts]
        self.outcomes = [task.result(200) for task in tasks]
        self.seconds = time.monotonic() - began
        self.fault.mend()
        # What came wrong twice is refused for a while.
        if self.expected == FAILS and not self.kind.spoils:
            self.afterwards = ResumingClient(port, path, self.blob, PATIENCE).run()

    @property
    def parts(self):
        cuts = [SIZE * quarter // 4 for quarter in range(5)]
        return [(cuts[begin], cuts[end]) for begin, end in CLIENTS[self.clients]]

    def summary(self):
        found = {str(outcome) for outcome in self.outcomes}
        return "/".join(sorted(found))

    def connections(self):
        """Of each client, in the mean."""
        return round(sum(outcome.connections for outcome in self.outcomes) / len(self.outcomes), 1)

    def longest(self):
        return max(outcome.longest for outcome in self.outcomes)

    def problems(self):
        for (begin, end), outcome in zip(self.parts, self.outcomes):
            if outcome.hung or outcome.wrong:
                yield str(outcome)
            if outcome.spoilt and not self.kind.spoils:
                yield f"{outcome.spoilt} times a wrong byte"
            at = AT if self.fault.at is None else self.fault.at
            lucky = self.expected == FAILS and not begin <= at < end  # has no need of the byte that cannot be had
            if str(outcome) != self.expected and not lucky:
                yield f"{outcome}: {outcome.ends[-3:]}"
        if self.afterwards and not self.afterwards.right:
            yield f"after it had passed: {self.afterwards}: {self.afterwards.ends[-3:]}"
        if self.fault.hits == 0:
            yield "the fault never struck"
        if self.seconds > LIMIT:
            yield f"it took {self.seconds:.1f} s"


class FaultMatrixTest(case.EndToEndCase):
    def make_cells(self, kinds, clients, storage):
        self.registry = ScriptedRegistry(self)
        cells = [(kind, stays, some) for stays in (True, False) for kind in kinds for some in clients]
        self.cells = [Cell(self, number, *cell) for number, cell in enumerate(cells)]
        deadlines = {"connect": f"{CONNECT:g}s", "headers": f"{HEADERS:g}s", "stall": f"{STALL:g}s"}
        self.paddock = Paddock(self, self.registry.url, sections={
            "storage": storage,
            "fills": {"at_once": len(self.cells)},
            "upstreams": [{"name": cell.upstream, "endpoints": cell.endpoints, "connections": 4, "deadlines": deadlines}
                          for cell in self.cells]})
        self.addCleanup(lambda: [cell.fault.mend() for cell in self.cells])

    def run_cells(self):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda cell: cell.run(self.paddock.port), self.cells))
        self.show(time.monotonic() - began)
        self.assertIsNone(self.paddock.process.exit_status(), "the server died")
        self.assertEqual(raw_http.fetch(self.paddock.admin_port, "/healthz").status, 200)
        problems = [f"{cell}: {problem}" for cell in self.cells for problem in cell.problems()]
        self.assertEqual(problems, [], "\n".join(problems))

    def test_fills(self):
        self.make_cells(KINDS, CLIENTS, {"max_size": "8GiB", "min_free": "64MiB"})
        self.run_cells()
        wanted = [cell.blob.digest for cell in self.cells if not (cell.stays and cell.kind.spoils)]
        self.paddock.wait_committed(*wanted)
        self.paddock.check_store()

    def test_where_nothing_can_be_kept(self):
        """One request for the whole: nothing is asked for in the middle, unless that breaks off."""
        kinds = [kind for kind in KINDS if not isinstance(kind.passes([]), (faults.InTheMiddle, faults.TokenExpires))]
        self.make_cells(kinds, ["one", "eight"], {"max_size": "1MiB", "min_free": "64MiB"})
        self.run_cells()
        self.assertEqual(self.paddock.check_store(), set())

    def show(self, seconds):
        def row_of(kind):
            return sorted((cell for cell in self.cells if cell.kind is kind), key=lambda cell: cell.stays)

        lines = [f"{'fault':22}" + "".join(f"{f'{cell.clients}, {cell.how}':>30}" for cell in row_of(KINDS[0]))]
        for kind in KINDS:
            row = row_of(kind)
            if not row:
                continue
            lines.append(f"{kind.name:22}" + "".join(
                f"{f'{cell.summary()} {cell.connections():g} {cell.seconds:.1f}s {cell.longest():.1f}s':>30}"
                for cell in row))
        lines.append(f"{len(self.cells)} cells in {seconds:.0f} s; each: outcome, requests of a client, time, "
                     "longest wait")
        print("\n" + "\n".join(lines), file=sys.stderr, flush=True)


if __name__ == "__main__":
    case.main()
