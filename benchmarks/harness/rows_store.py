"""Rows about a store that is full of blobs."""

import os
import shutil

from . import load
from .errors import BenchError

BLOBS = {"full": 100_000, "small": 2_000}


def make_store(rig, data, blobs):
    """A data folder of Paddock's with so many blobs."""
    os.makedirs(os.path.dirname(data), exist_ok=True)
    _, errors = load.run_program([rig.programs["make_store"], "--blobs", str(blobs), data], 3600)
    if errors:
        raise BenchError(f"make_store failed: {errors.strip()}")


def start(rig, turns, record):
    """From its exec to the first 200 of /readyz; with the pages of its files in memory, and without."""
    blobs = BLOBS[rig.size]
    for peer in list(turns.peers):
        with turns.guard(peer):
            shutil.rmtree(peer.folder, ignore_errors=True)
            rig.say(f"  making a store of {blobs} blobs")
            make_store(rig, os.path.join(peer.folder, "data"), blobs)
    for peer in turns:
        with turns.guard(peer):
            start_once(rig, peer)
            record(peer, {"ready": start_once(rig, peer), "ready_cold": start_cold(rig, peer)})


def start_once(rig, peer):
    peer.start(rig.url("counting"))
    ready = peer.ready_after
    peer.stop()
    return ready


def start_cold(rig, peer):
    load.drop_pages(peer.folder)
    drop_everything()
    return start_once(rig, peer)


def drop_everything():
    """Names and inodes too, where we may."""
    try:
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("3")
    except OSError:
        pass
