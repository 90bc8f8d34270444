"""Figures as they come in: for each row, peer and metric one value a round."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    label: str
    unit: str
    more_is_better: bool = False


METRICS = {
    "cpu_per_gb": Metric("server CPU a GB sent", "s"),
    "wall": Metric("wall time", "s"),
    "rate": Metric("throughput", "GB/s", True),
    "upstream": Metric("bytes from upstream", "x the image"),
    "peak": Metric("peak memory", "MB"),
    "first_byte": Metric("longest wait for a first byte", "s"),
    "first_byte_median": Metric("median wait for a first byte", "s"),
    "requests": Metric("requests", "/s", True),
    "p99": Metric("99th percentile", "ms"),
    "beat_p99": Metric("99th percentile of a client that asks once a millisecond", "ms"),
    "cpu_per_k": Metric("server CPU a 1000 requests", "ms"),
    "idle_rss": Metric("memory with the idle connections", "MB"),
    "idle_growth": Metric("memory for one idle connection", "KB"),
    "kept": Metric("throughput kept", "%", True),
    "ready": Metric("ready after", "s"),
    "ready_cold": Metric("ready after, nothing in memory", "s"),
    "docker_cold": Metric("the cache cold", "s"),
    "docker_warm": Metric("the cache warm", "s"),
    "docker_extra": Metric("cold over warm", "x"),
    "again": Metric("fetched a second time", "MB"),
}


@dataclass
class RowResult:
    name: str
    title: str
    values: dict = field(default_factory=dict)  # peer's label -> metric -> [a value a round]
    missing: dict = field(default_factory=dict)  # peer's label -> why
    ours: set = field(default_factory=set)  # labels that are Paddock

    def add(self, peer, figures, metrics):
        of_peer = self.values.setdefault(peer.label, {})
        for key in metrics:
            if key in figures:
                of_peer.setdefault(key, []).append(figures[key])
        self._note_ours(peer)

    def cannot(self, peer, why):
        self.missing[peer.label] = why
        self._note_ours(peer)

    def _note_ours(self, peer):
        if peer.name.startswith("paddock"):
            self.ours.add(peer.label)

    def metrics(self):
        return [key for key in METRICS if any(key in of_peer for of_peer in self.values.values())]

    def median(self, label, key):
        values = self.values.get(label, {}).get(key)
        return statistics.median(values) if values else None

    def ratio(self, key):
        """Our median over that of the best of the others; None when there are not both."""
        def medians(labels):
            return [value for label in labels if (value := self.median(label, key)) is not None]
        ours = medians(self.ours)
        others = medians(set(self.values) - self.ours)
        if not ours or not others:
            return None
        best = max(others) if METRICS[key].more_is_better else min(others)
        return ours[0] / best if best else None

    def failed(self):
        """Whether Paddock itself is what could not be measured."""
        return [label for label in self.missing if label in self.ours]
