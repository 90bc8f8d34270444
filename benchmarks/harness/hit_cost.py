"""System calls and heap allocations of one hit: those of many, divided."""

import hashlib
import http.client
import os
import signal
import ssl
import struct
import subprocess
import time
from dataclasses import dataclass

from . import image, load, programs
from .errors import BenchError

SHOWN = 0.005  # system calls a hit that are worth a word


@dataclass
class Cost:
    kind: str
    calls: dict  # system call -> how many a hit
    allocations: float
    allocated: float  # bytes


def build_counter(folder):
    """The library that counts allocations, compiled; its path."""
    source = os.path.join(programs.ROOT, "benchmarks", "load", "count_allocations.c")
    target = os.path.join(folder, "count_allocations.so")
    done = subprocess.run([os.environ.get("CC", "clang-19"), "-O2", "-shared", "-fPIC", "-o", target, source],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError("count_allocations.c did not compile: " + done.stderr.strip().splitlines()[0])
    return target


def measure(rig, requests):
    costs = []
    for name, kinds in (("paddock", _plain_kinds(rig)), ("paddock-tls", _tls_kinds(rig))):
        peer = rig.peers[name]
        counters = os.path.join(rig.work, name + ".counters")
        with _counted(peer, rig, counters):
            for kind, method, path, headers in kinds:
                costs.append(_cost(peer, counters, requests, kind, (method, path, headers)))
    return costs


class _counted:
    """The peer runs with the counting library, and is warm."""

    def __init__(self, peer, rig, counters):
        self._peer, self._rig, self._counters = peer, rig, counters

    def __enter__(self):
        preload = {"LD_PRELOAD": self._rig.programs["count_allocations"], "COUNT_ALLOCATIONS": self._counters}
        self._peer.start(self._rig.url("counting"), preload)
        load.run_pull(self._rig, self._peer.base(), "large", 1, self._peer.ca)

    def __exit__(self, *_):
        self._peer.stop()
        self._peer.clear()


def _blob(rig, mebibytes):
    """The path of the layer of about that size."""
    one = rig.images["large"]
    digest = min(one.blobs, key=lambda digest: abs(os.path.getsize(one.blobs[digest]) - mebibytes * image.MIB))
    return f"/v2/{one.repository}/blobs/{digest}"


def _plain_kinds(rig):
    one = rig.images["large"]
    path = f"/v2/{one.repository}/manifests/{one.tag}"
    accept = dict([load.ACCEPT.split(": ")])
    digest = "sha256:" + hashlib.sha256(one.manifest).hexdigest()
    return [("manifest by tag", "GET", path, accept), ("the same, HEAD", "HEAD", path, accept),
            ("the same, If-None-Match (304)", "GET", path, {**accept, "If-None-Match": f'"{digest}"'}),
            ("blob of 1 MiB", "GET", _blob(rig, 1), {}), ("blob of 28 MiB", "GET", _blob(rig, 28), {})]


def _tls_kinds(rig):
    return [("blob of 1 MiB over TLS", "GET", _blob(rig, 1), {}),
            ("blob of 28 MiB over TLS", "GET", _blob(rig, 28), {})]


class _Client:
    def __init__(self, peer):
        if peer.ca:
            context = ssl.create_default_context(cafile=peer.ca)
            self._connection = http.client.HTTPSConnection("127.0.0.1", peer.port, timeout=30, context=context)
        else:
            self._connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=30)
        self._buffer = bytearray(1 << 20)

    def ask(self, method, path, headers):
        self._connection.request(method, path, headers=headers)
        answer = self._connection.getresponse()
        while answer.readinto(self._buffer):
            pass
        if answer.status not in (200, 304):
            raise BenchError(f"{method} {path}: {answer.status}")


def _cost(peer, counters, requests, kind, what):
    client = _Client(peer)
    for _ in range(20):  # what is made once is made now
        client.ask(*what)
    before = _read(counters)
    for _ in range(requests):
        client.ask(*what)
    allocations, allocated = (after - was for after, was in zip(_read(counters), before))
    calls = _system_calls(peer, client, requests, what)
    return Cost(kind, calls, allocations / requests, allocated / requests)


def _read(counters):
    with open(counters, "rb") as file:
        return struct.unpack("=QQ", file.read(16))


def _system_calls(peer, client, requests, what):
    strace = subprocess.Popen(["strace", "-f", "-c", "-p", str(peer.pids()[0])], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
    try:
        line = strace.stderr.readline()
        if "attached" not in line:
            raise BenchError("strace: " + line.strip())
        _wait_traced(peer.pids()[0])
        for _ in range(requests):
            client.ask(*what)
        strace.send_signal(signal.SIGINT)
        _, said = strace.communicate(timeout=30)
    finally:
        strace.kill()
        strace.wait()
    return {name: count / requests for name, count in _parse(said).items()}


def _wait_traced(pid):
    """Until every thread is."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        states = []
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status") as file:
                states.append(next(line for line in file if line.startswith("TracerPid:")).split()[1] != "0")
        if all(states):
            return
        time.sleep(0.01)
    raise BenchError("strace did not attach to every thread")


def _parse(text):
    """The table of `strace -c`: name -> calls."""
    counts = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[0][0].isdigit() and fields[-1] != "total":
            counts[fields[-1]] = int(fields[3])
    return counts


def table(costs, requests):
    lines = [f"Of one hit, the average of {requests}:", "",
             "| hit | system calls | which | allocations | bytes |", "| --- | --- | --- | --- | --- |"]
    for cost in costs:
        calls = sorted(cost.calls.items(), key=lambda item: -item[1])
        which = ", ".join(f"{name} {count:.2f}" for name, count in calls if count >= SHOWN)
        lines.append(f"| {cost.kind} | {sum(cost.calls.values()):.1f} | {which} | {cost.allocations:.1f} | "
                     f"{cost.allocated:,.0f} |")
    return "\n".join(lines)
