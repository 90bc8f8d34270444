"""The machine that a run was made on, in words."""

import os
import platform


def _first(path, prefix):
    try:
        with open(path) as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith(prefix))
    except (OSError, StopIteration, IndexError):
        return "?"


def system_name():
    try:
        with open("/etc/os-release") as file:
            return next(line.split("=", 1)[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME"))
    except (OSError, StopIteration):
        return platform.system()


def describe(work):
    memory = _first("/proc/meminfo", "MemTotal").split()[0]
    model = _first("/proc/cpuinfo", "model name")
    return {
        "CPU": f"{model if model != '?' else platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{int(memory) / 1048576:.0f} GiB" if memory.isdigit() else "?",
        "system": f"{system_name()}, Linux {platform.release()}",
        "disk": _disk_of(work),
    }


def _disk_of(folder):
    """The file system that `folder` is on."""
    best = ("", "?")
    with open("/proc/mounts") as file:
        for line in file:
            device, point, kind = line.split()[:3]
            inside = point == "/" or (os.path.realpath(folder) + "/").startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best[0]):
                best = (point, f"{kind} on {device}")
    return best[1]
