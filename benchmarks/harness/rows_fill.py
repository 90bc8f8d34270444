"""Rows in which a peer fills itself from the upstream."""

import subprocess

from . import load, process
from .running import started

DIRECT_KEYS = ("wall", "first_byte", "first_byte_median", "rate")


def cold(tag, clients, front="counting"):
    """Emptied before each round; the pull is what fills it."""
    def measure(rig, turns, record):
        for peer in turns:
            with turns.guard(peer):
                record(peer, _cold_round(rig, peer, tag, clients, rig.url(front)))
    return measure


def _cold_round(rig, peer, tag, clients, upstream):
    if not peer.caches:  # the upstream itself, to compare with
        figures = load.measured_pull(rig, peer, tag, clients)
        return {key: figures[key] for key in DIRECT_KEYS}
    peer.clear()
    try:
        with started(peer, upstream):
            return load.measured_pull(rig, peer, tag, clients)
    finally:
        peer.clear()


def resume(rig, turns, record):
    """Killed when half of the image is on its disk, started again; what the upstream sent beyond one image."""
    for peer in turns:
        with turns.guard(peer):
            peer.clear()
            try:
                record(peer, _killed_round(rig, peer))
            finally:
                peer.clear()


def _killed_round(rig, peer):
    one, upstream = rig.images["large"], rig.url("throttled")
    before = rig.upstream_bytes()
    with started(peer, upstream):
        empty = load.bytes_on_disk(peer.folder)
        command = load.pull_command(rig, peer.base(), one.tag)
        client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=process.clean_environment())
        try:
            load.wait_bytes_on_disk(peer.folder, empty + one.bytes // 2, 300)
            peer.kill()
            client.wait(30)
        finally:
            client.kill()
            client.wait()
    with started(peer, upstream):
        said = load.run_pull(rig, peer.base(), one.tag)
        return {"again": (rig.upstream_bytes() - before - one.total) / 1e6, "wall": said["seconds"]}
