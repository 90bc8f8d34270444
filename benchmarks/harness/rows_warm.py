"""Rows in which a peer has everything already."""

import contextlib
import json
import resource
import subprocess
import threading

from . import load, process
from .errors import BenchError

IDLE = {"full": 10_000, "small": 1_000}
SECONDS = {"full": 8, "small": 2}  # of wrk


@contextlib.contextmanager
def _warmed(rig, turns):
    """All peers run, and each has been pulled from once."""
    with contextlib.ExitStack() as stack:
        for peer in list(turns.peers):
            with turns.guard(peer):
                peer.clear()
                stack.callback(peer.stop)
                peer.start(rig.url("counting"))
                load.run_pull(rig, peer.base(), "large", 1, peer.ca)
        rig.upstream_bytes()
        yield


def blobs(tag, clients):
    """A pull that nobody measures comes before each that counts, so that the files are in memory."""
    def measure(rig, turns, record):
        with _warmed(rig, turns):
            for peer in turns:
                with turns.guard(peer):
                    load.run_pull(rig, peer.base(), tag, 1, peer.ca)
                    record(peer, load.measured_pull(rig, peer, tag, clients))
    return measure


def manifests(rig, turns, record):
    seconds = SECONDS[rig.size]
    with _warmed(rig, turns):
        for peer in turns:
            with turns.guard(peer):
                load.run_wrk(rig, peer, 1)
                before = process.cpu_seconds(peer.pids())
                figures = load.run_wrk(rig, peer, seconds)
                spent = process.cpu_seconds(peer.pids()) - before
                record(peer, {**figures, "cpu_per_k": spent * 1e6 / max(1, figures["requests"] * seconds)})


def idle(rig, turns, record):
    with _warmed(rig, turns):
        for peer in turns:
            with turns.guard(peer):
                record(peer, _idle_round(rig, peer, IDLE[rig.size]))


def _idle_round(rig, peer, count):
    seconds = SECONDS[rig.size]
    load.run_wrk(rig, peer, 1)
    alone = load.run_wrk(rig, peer, seconds)
    before = process.resident_bytes(peer.pids())
    with held_idle(rig, peer, count):
        among = load.run_wrk(rig, peer, seconds)
        rss = process.resident_bytes(peer.pids())
    return {"idle_rss": rss / 1e6, "idle_growth": (rss - before) / count / 1e3,
            "kept": 100 * among["requests"] / alone["requests"], "requests": among["requests"], "p99": among["p99"]}


@contextlib.contextmanager
def held_idle(rig, peer, count):
    """While inside, `count` connections stand open that have each asked once; all must still stand at the end."""
    command = load.pull_command(rig, peer.base(), "large", 1, peer.ca, ["--idle", str(count)])
    child = subprocess.Popen([*command, "--", "sh", "-c", "echo open; exec cat"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             env=process.clean_environment())
    try:
        line = child.stdout.readline().strip()
        if line == "open":
            yield
            child.stdin.close()
            line = child.stdout.readline()
        if child.wait(60) != 0:
            raise BenchError(f"{count} idle connections could not be held: {_why(line)}")
    finally:
        child.kill()
        child.wait()


def _why(line):
    try:
        said = json.loads(line)
    except ValueError:
        return line.strip() or "pull_load failed"
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (f"{said['open_before']} were opened, {said['open_after']} stayed, limit on open files {limit}"
            + (f"; {said['errors']} errors, first: {said['first_error']}" if said["errors"] else ""))


def cold_pages(rig, turns, record):
    with _warmed(rig, turns):
        for peer in turns:
            with turns.guard(peer), _reading_from_disk(rig, peer):
                paced = load.run_beat(rig, peer, SECONDS[rig.size])
                record(peer, {**paced, **load.run_wrk(rig, peer, SECONDS[rig.size])})


@contextlib.contextmanager
def _reading_from_disk(rig, peer):
    """Meanwhile the blobs are read over and over, their pages dropped from memory before each time."""
    ended, failed = threading.Event(), []
    folder = rig.folder("image") if peer.name.startswith("nginx-files") else peer.folder

    def read():
        while not ended.is_set():
            load.drop_pages(folder)
            try:
                load.run_pull(rig, peer.base(), "large", 1, peer.ca)
            except BenchError as error:
                failed.append(error)
                return
    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join()
    if failed:
        raise failed[0]
