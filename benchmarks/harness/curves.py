"""Scaling curves: one figure against the number of something, for Paddock and where it makes sense for nginx."""

import os
import shutil
from dataclasses import dataclass, field
from typing import Callable

from . import load, process, rows_store, rows_warm
from .running import Turns, started

CLIENTS = {"full": [1, 2, 4, 8, 16, 32, 64, 128, 256], "small": [1, 4, 16]}
BLOBS = {"full": [1_000, 10_000, 100_000, 1_000_000], "small": [1_000, 4_000]}
CONNECTIONS = {"full": [10, 100, 1_000, 5_000, 10_000], "small": [10, 100, 1_000]}
LEAST_CLIENTS = {"full": 16, "small": 64}  # pulls in one measurement: CPU time is counted in hundredths of a second


@dataclass
class Curve:
    """label -> x -> [a value a round]"""
    name: str
    title: str
    x_label: str
    y_label: str
    points: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)

    def add(self, label, x, value):
        self.points.setdefault(label, {}).setdefault(x, []).append(value)

    def cannot(self, peer, why):
        self.missing[peer.label] = why


@dataclass
class Family:
    """Curves that are measured together."""
    name: str
    title: str
    measure: Callable  # (rig, rounds) -> [Curve]


def families():
    return [
        Family("clients", "CPU a GB of warm blobs against clients", _clients),
        Family("blobs", "Start-up and manifests against stored blobs", _blobs),
        Family("connections", "Memory against idle connections", _connections),
    ]


def _clients(rig, rounds):
    curve = Curve("clients", "Server CPU a GB of warm blobs", "clients at once", "s a GB")
    turns = Turns([rig.peers["paddock"], rig.peers["nginx-files"]], rounds, curve, rig.say)
    for peer in list(turns.peers):
        with turns.guard(peer):
            peer.clear()
            peer.start(rig.url("counting"))
            load.run_pull(rig, peer.base(), "crowd")
    for peer in turns:
        with turns.guard(peer):
            for clients in CLIENTS[rig.size]:
                curve.add(peer.label, clients, _cpu_per_gb(rig, peer, clients))
            rig.say(f"  {peer.label}: {_shown(curve, peer.label)}")
    return [curve]


def _cpu_per_gb(rig, peer, clients):
    pulls = max(1, LEAST_CLIENTS[rig.size] // clients)
    before, sent = process.cpu_seconds(peer.pids()), 0
    for _ in range(pulls):
        sent += load.run_pull(rig, peer.base(), "crowd", clients)["bytes"]
    return (process.cpu_seconds(peer.pids()) - before) / (sent / 1e9)


def _blobs(rig, rounds):
    ready = Curve("start", "From start to ready", "blobs stored", "s")
    median = Curve("manifest-median", "Warm manifest by tag, median (wrk -t1 -c64)", "blobs stored", "ms")
    tail = Curve("manifest-p99", "Warm manifest by tag, 99th percentile (wrk -t1 -c64)", "blobs stored", "ms")
    peer = rig.peers["paddock"]
    turns = Turns([peer], 1, ready, rig.say)
    for blobs in BLOBS[rig.size]:
        with turns.guard(peer):
            shutil.rmtree(peer.folder, ignore_errors=True)
            rig.say(f"  making a store of {blobs} blobs")
            rows_store.make_store(rig, os.path.join(peer.folder, "data"), blobs)
            for _ in range(rounds):
                ready.add("in memory", blobs, rows_store.start_once(rig, peer))
                ready.add("from the disk", blobs, rows_store.start_cold(rig, peer))
            _manifest_points(rig, peer, blobs, rounds, median, tail)
            rig.say(f"  {blobs}: ready {ready.points['in memory'][blobs][-1]:.3f} s, "
                    f"median {median.points[peer.label][blobs][-1]:.3f} ms")
    return [ready, median, tail]


def _manifest_points(rig, peer, blobs, rounds, median, tail):
    with started(peer, rig.url("counting")):
        load.run_pull(rig, peer.base(), "crowd")
        load.run_wrk(rig, peer, 1)
        for _ in range(rounds):
            figures = load.run_wrk(rig, peer, rows_warm.SECONDS[rig.size])
            median.add(peer.label, blobs, figures["p50"])
            tail.add(peer.label, blobs, figures["p99"])


def _connections(rig, rounds):
    curve = Curve("connections", "Resident memory of the server", "idle connections", "MB")
    turns = Turns([rig.peers["paddock"], rig.peers["nginx-cache"]], rounds, curve, rig.say)
    for peer in turns:
        with turns.guard(peer):
            peer.clear()
            with started(peer, rig.url("counting")):
                load.run_pull(rig, peer.base(), "crowd")
                for count in CONNECTIONS[rig.size]:
                    with rows_warm.held_idle(rig, peer, count):
                        curve.add(peer.label, count, process.resident_bytes(peer.pids()) / 1e6)
            rig.say(f"  {peer.label}: {_shown(curve, peer.label)}")
    return [curve]


def _shown(curve, label):
    return ", ".join(f"{x}: {values[-1]:.3g}" for x, values in curve.points[label].items())


def run(rig, family, rounds):
    try:
        return family.measure(rig, rounds)
    finally:
        for peer in rig.peers.values():
            peer.stop()
            peer.clear()
