"""What sending a stored blob over TLS costs the server, with the kernel and with OpenSSL in turn: CPU a GB, and the
calls of the server's threads, where strace is there. Run by tests/ktls/run --measure, in the emulated machine.
"""

import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

from support import case  # noqa: E402
from support.paddock import Paddock  # noqa: E402
from support.scripted import Noise, ScriptedRegistry  # noqa: E402
from support.tls import Certificate, Client  # noqa: E402

SIZE = 32 << 20
ROUNDS = 3


def cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(fields[11]) / os.sysconf("SC_CLK_TCK")


class Measure(case.EndToEndCase):
    def test_cpu(self):
        registry, certificate = ScriptedRegistry(self), Certificate(self)
        blob = Noise("measured", SIZE)
        registry.add(blob)
        path = f"/v2/paddlepaddle/paddle/blobs/{blob.digest}"
        servers = {kernel: Paddock(self, registry.url, name=kernel, sections={"server": {"tls": {
            "certificate": certificate.file, "key": certificate.key, "kernel": kernel}}})
            for kernel in ("auto", "off")}
        costs = {kernel: [] for kernel in servers}
        for server in servers.values():
            self.pull(server, certificate, path)
            server.wait_committed(blob.digest)
        for _ in range(ROUNDS):
            for kernel, server in servers.items():
                before = cpu(server.process.pid)
                self.pull(server, certificate, path)
                costs[kernel].append([(now - then) * 1e9 / SIZE for now, then in zip(cpu(server.process.pid), before)])
        for kernel, taken in costs.items():
            total, user = (statistics.median(column) for column in zip(*taken))
            print(f"kernel: {kernel}: {total:.2f} s of CPU a GB, {user:.2f} of it in user space "
                  f"(all: {', '.join(f'{one[0]:.2f}' for one in taken)})")

    def pull(self, server, certificate, path):
        client = Client(server.port, certificate.client())
        self.assertEqual(client.get(path)[2], SIZE)
        client.close()


if __name__ == "__main__":
    case.main()
