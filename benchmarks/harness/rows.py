"""Every row of the comparison: its name, what it means, how it is measured. `benchmarks/README.md` says more."""

from dataclasses import dataclass
from typing import Callable

from . import rows_docker, rows_fill, rows_store, rows_warm

CACHES = ["paddock", "nginx-cache", "docker-registry", "distribution", "zot"]
WARM = ["paddock", "nginx-files", "nginx-cache", "docker-registry", "distribution", "zot"]
# To open so many takes a registry that asks its upstream for each manifest minutes.
IDLE = ["paddock", "nginx-files", "nginx-cache"]
DOCKER = ["paddock", "nginx-cache"]
TLS = ["paddock-tls", "nginx-files-tls"]


@dataclass
class Row:
    name: str
    title: str
    peers: list
    metrics: list
    measure: Callable  # (rig, turns, record): see running.py


def all_rows():
    return [
        Row("cold-1", "Cold, 1 client", CACHES, ["cpu_per_gb", "wall", "upstream", "peak"],
            rows_fill.cold("large", 1)),
        Row("cold-8", "Cold, 8 clients at once", CACHES, ["upstream", "wall", "first_byte", "cpu_per_gb", "peak"],
            rows_fill.cold("large", 8)),
        Row("cold-64", "Cold, 64 clients at once (the crowd image)", [*CACHES, "direct"],
            ["first_byte", "first_byte_median", "upstream", "wall", "peak"], rows_fill.cold("crowd", 64)),
        Row("throttled-1", "Upstream at 40 MB/s a connection, cold, 1 client", [*CACHES, "direct-throttled"],
            ["wall", "upstream"], rows_fill.cold("large", 1, "throttled")),
        Row("throttled-8", "Upstream at 40 MB/s a connection, cold, 8 clients", [*CACHES, "direct-throttled"],
            ["wall", "upstream", "first_byte"], rows_fill.cold("large", 8, "throttled")),
        Row("warm-plain", "Warm blobs, plain HTTP, 8 clients", WARM, ["cpu_per_gb", "rate", "peak"],
            rows_warm.blobs("large", 8)),
        Row("warm-tls", "Warm blobs, TLS, 8 clients", TLS, ["cpu_per_gb", "rate", "peak"],
            rows_warm.blobs("large", 8)),
        Row("manifest", "Warm manifest by tag (wrk -t1 -c64)", WARM, ["requests", "p99", "cpu_per_k"],
            rows_warm.manifests),
        Row("idle", "10,000 idle keep-alive connections", IDLE, ["idle_rss", "idle_growth", "kept", "requests", "p99"],
            rows_warm.idle),
        Row("start", "Start with 100,000 blobs stored", ["paddock"], ["ready", "ready_cold"], rows_store.start),
        Row("cold-pages", "Manifest by tag while the blobs are read from the disk", WARM,
            ["beat_p99", "p99", "requests"], rows_warm.cold_pages),
        Row("docker-pull", "`docker pull`, unpacked: the cache cold, then warm", DOCKER,
            ["docker_extra", "docker_cold", "docker_warm"], rows_docker.pulls),
        Row("resume", "Killed with -9 in mid fill, pulled again", CACHES, ["again", "wall"], rows_fill.resume),
    ]
