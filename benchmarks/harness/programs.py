"""The programs that a run needs: packages installed, Paddock and the load generator built, peers looked up."""

import os
import shutil
import subprocess

from .errors import BenchError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = ["paddock", "pull_load", "make_store", "throttle"]
NEEDED = {"docker-registry": "docker-registry", "nginx": "nginx-core", "wrk": "wrk", "curl": "curl",
          "openssl": "openssl", "dockerd": "docker.io", "docker": "docker.io", "strace": "strace"}
OPTIONAL = ["registry", "zot"]


def _find(name):
    """Debian keeps servers where a user's PATH does not look."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def install():
    if all(_find(name) for name in NEEDED):
        return
    done = subprocess.run([os.path.join(ROOT, "benchmarks", "setup")], check=False)
    absent = [package for name, package in NEEDED.items() if not _find(name)]
    if done.returncode != 0 or absent:
        raise BenchError("missing: " + ", ".join(absent) + "; benchmarks/setup could not install it")


def _jobs():
    """Each compiler wants more than a gigabyte."""
    with open("/proc/meminfo") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    return str(max(1, min(os.cpu_count(), available // 1_500_000)))


def build(folder, say, targets=None):
    """A release build of its own; returns where the programs are."""
    say(f"building in {os.path.relpath(folder, ROOT)}")
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or _jobs()
    environment = {**os.environ, "CCACHE_BASEDIR": ROOT, "CCACHE_NOHASHDIR": "1"}
    targets = targets or BUILT
    for step in (["cmake", "--preset", "release", "-B", folder, "-DPADDOCK_TESTS=OFF", "-DPADDOCK_BENCHMARKS=ON"],
                 ["cmake", "--build", folder, "--parallel", jobs, "--target", *targets]):
        done = subprocess.run(step, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
            raise BenchError(f"`{' '.join(step)}` failed: {(lines or ['no message'])[0].strip()}; "
                             "deploy/setup installs what building needs")
    return {name: os.path.join(folder, name) for name in targets}


def find_all(folder, say):
    """name -> path; optional ones may be absent."""
    install()
    found = build(folder, say)
    found.update({name: _find(name) for name in NEEDED})
    found.update({name: path for name in OPTIONAL if (path := _find(name))})
    return found


def _line_of(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    return ((done.stdout + done.stderr).strip().splitlines() or ["?"])[0]


def versions(programs):
    asked = {"Paddock": [programs["paddock"], "version"], "nginx": [programs["nginx"], "-v"],
             "docker-registry": [programs["docker-registry"], "--version"], "wrk": [programs["wrk"], "-v"],
             "OpenSSL": [programs["openssl"], "version"]}
    if "registry" in programs:
        asked["distribution"] = [programs["registry"], "--version"]
    if "zot" in programs:
        asked["zot"] = [programs["zot"], "--version"]
    return {name: _line_of(command) for name, command in asked.items()}
