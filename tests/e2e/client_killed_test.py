"""A client that dies in the middle of a cold pull disturbs nobody, and the fill goes on to its end."""

import socket
import struct

from support import case, image, raw_http
from support.clients import Skopeo
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class ClientKilledTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([600, 24 * MIB, 2 * MIB], seed=12)
        self.layer = self.image.largest()
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)
        self.hold = self.front.hold(self.layer.digest, 8 * MIB)
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)

    def doomed_client(self):
        """A connection that has received some of the layer, to be cut with a reset rather than politely."""
        connection = socket.create_connection(("127.0.0.1", self.paddock.port), timeout=60)
        connection.sendall(f"GET /v2/{REPOSITORY}/blobs/{self.layer.digest} HTTP/1.1\r\n"
                           f"Host: {self.paddock.address}\r\n\r\n".encode())
        received = 0
        while received < MIB:
            received += len(connection.recv(65536))
        return connection

    @staticmethod
    def cut(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def test_the_others_go_on(self):
        doomed = self.doomed_client()
        seen = []
        others = [raw_http.Task(lambda: self.paddock.blob(REPOSITORY, self.layer.digest, on_bytes=seen.append))
                  for _ in range(3)]
        self.hold.wait_reached()
        self.cut(doomed)
        self.hold.release()
        for other in others:
            layer = other.result()
            self.assertTrue(layer.complete, layer)
            self.assertEqual(layer.digest, self.layer.digest)
        self.front.wait_finished(self.layer.digest)
        self.assertEqual(self.front.body_bytes(self.layer.digest), self.layer.size)

    def test_the_fill_ends_with_nobody_left(self):
        doomed = self.doomed_client()
        self.hold.wait_reached()
        self.cut(doomed)
        self.hold.release()
        self.front.wait_finished(self.layer.digest)
        case.wait_until(lambda: self.layer.digest in self.paddock.blob_files(), "the layer to be committed")
        self.front.stop()
        layer = self.paddock.blob(REPOSITORY, self.layer.digest)
        self.assertTrue(layer.complete, layer)
        self.assertEqual(layer.digest, self.layer.digest)

    def test_a_real_client_killed_and_started_again(self):
        skopeo = Skopeo(self)
        reference = f"{self.paddock.address}/{REPOSITORY}:latest"
        first = skopeo.start(reference, "killed")
        self.addCleanup(first.kill)
        self.hold.wait_reached()
        first.kill()
        self.hold.release()
        self.assertTrue(skopeo.copy(reference, "again"))
        self.front.wait_finished(self.layer.digest)
        self.assertEqual(self.front.body_bytes(self.layer.digest), self.layer.size)


if __name__ == "__main__":
    case.main()
