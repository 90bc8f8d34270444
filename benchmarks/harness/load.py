"""Load, and what it cost the server: pulls, requests for a manifest, pages dropped."""

import json
import os
import re
import subprocess
import time

from . import image, process
from .errors import BenchError

ACCEPT = "Accept: " + image.MANIFEST_TYPE
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}


def pull_command(rig, base, tag, clients=1, ca=None, options=()):
    command = [rig.programs["pull_load"], "--clients", str(clients), *options]
    if ca:
        command += ["--ca", ca]
    return command + [f"{base}/v2/{rig.images[tag].repository}", tag]


def run_program(command, seconds):
    """(its output, its errors)"""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False,
                              env=process.clean_environment())
    except subprocess.TimeoutExpired:
        raise BenchError(f"{os.path.basename(command[0])} did not end within {seconds} s") from None
    return done.stdout, done.stderr


def run_pull(rig, base, tag, clients=1, ca=None):
    """What pull_load says; any error of it ends the run."""
    return parse_pull(*run_program(pull_command(rig, base, tag, clients, ca), 1200), base)


def parse_pull(out, err, base):
    try:
        said = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise BenchError(f"pull_load failed against {base}: {err.strip()}") from None
    if said["errors"]:
        raise BenchError(f"{said['errors']} errors in a pull from {base}, first: {said['first_error']}")
    return said


def measured_pull(rig, peer, tag, clients):
    """One pull by many clients, with the server's CPU time, peak memory and the bytes it took from the upstream."""
    pids = peer.pids()
    upstream = rig.upstream_bytes() if peer.caches else 0
    process.reset_peak(pids)
    before = process.cpu_seconds(pids)
    said = run_pull(rig, peer.base(), tag, clients, peer.ca)
    pids = peer.pids()
    # What it still does for these bytes counts too: the last piece from upstream comes to rest first.
    taken = rig.upstream_bytes() - upstream if peer.caches else 0
    cpu = process.cpu_seconds(pids) - before
    expected = rig.images[tag].total * clients
    if said["bytes"] != expected:
        raise BenchError(f"{peer.label} sent {said['bytes']} bytes, not {expected}")
    gigabytes = said["bytes"] / 1e9
    return {
        "wall": said["seconds"],
        "rate": gigabytes / said["seconds"],
        "cpu_per_gb": cpu / gigabytes,
        "upstream": taken / rig.images[tag].total,
        "peak": process.resident_bytes(pids, "VmHWM") / 1e6,
        "first_byte": said["first_byte_longest"],
        "first_byte_median": said["first_byte_median"],
    }


def run_beat(rig, peer, seconds, tag="large"):
    """The 99th percentile, in milliseconds, of one client that asks for the manifest once a millisecond."""
    options = ["--beat", "1", "--seconds", str(seconds)]
    said = parse_pull(*run_program(pull_command(rig, peer.base(), tag, 1, peer.ca, options), seconds + 60), peer.base())
    return {"beat_p99": said["p99"]}


def manifest_url(rig, peer, tag="large"):
    return f"{peer.base()}/v2/{rig.images[tag].repository}/manifests/{tag}"


def run_wrk(rig, peer, seconds, connections=64):
    """Requests a second, and the median and 99th percentile of their times in milliseconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "20s", "-H", ACCEPT,
               manifest_url(rig, peer)]
    return parse_wrk(*run_program(command, seconds + 60), peer.label)


def parse_wrk(out, err, label):
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    shares = {share: float(value) * _MILLISECONDS[unit]
              for share, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)\b", out)}
    if not rate or len(shares) != 2:
        raise BenchError(f"wrk failed against {label}: {(err or out).strip()[:200]}")
    if wrong := re.search(r"(Non-2xx[^\n]*|Socket errors:[^\n]*)", out):
        raise BenchError(f"wrk met errors at {label}: {wrong[1]}")
    return {"requests": float(rate[1]), "p50": shares["50"], "p99": shares["99"]}


def drop_pages(folder):
    """The files' pages leave memory, as far as the kernel lets go of them."""
    os.sync()
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                descriptor = os.open(os.path.join(where, name), os.O_RDONLY)
            except OSError:
                continue
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def wait_bytes_on_disk(folder, wanted, seconds):
    """Until the files there take so many bytes."""
    end = time.monotonic() + seconds
    while (there := bytes_on_disk(folder)) < wanted:
        if time.monotonic() > end:
            raise BenchError(f"{folder} came to {there} bytes only within {seconds} s")
        time.sleep(0.01)


def bytes_on_disk(folder):
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(where, name)).st_blocks * 512
            except OSError:
                pass
    return total
