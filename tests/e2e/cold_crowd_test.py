"""Eight cold clients at once: the upstream sends every byte exactly once, in ranges or not."""

import collections

from support import case, image, raw_http
from support.clients import Skopeo
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class ColdCrowdTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([20 * MIB, 500, 64 * MIB, 0, 300, 9 * MIB, 700, 3 * MIB], seed=11)
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)

    def check_upstream_sent_everything_once(self, blob_bytes):
        self.front.wait_finished("/blobs/")
        self.assertEqual(self.front.body_bytes("/blobs/"), blob_bytes)
        gets = collections.Counter((one.path, one.range) for one in self.front.exchanges("/blobs/", "GET"))
        self.assertEqual(set(gets.values()), {1}, gets)
        self.assertEqual(len({path for path, _ in gets}), len(self.image.blobs()))
        self.assertEqual(len(self.front.exchanges("/manifests/", "GET")), 1)

    def test_eight_cold_pulls_cost_one_transfer(self):
        results = raw_http.crowd(8, lambda _: self.paddock.pull(REPOSITORY, "latest"))
        expected = {self.image.manifest.digest, *(blob.digest for blob in self.image.blobs())}
        for pulled in results:
            self.assertEqual(set(pulled), expected)
        self.check_upstream_sent_everything_once(self.image.blob_bytes())
        self.paddock.wait_committed(*expected)
        self.paddock.check_store()

    def test_all_join_one_transfer_that_has_already_begun(self):
        """Held in the middle, so that every client provably comes while the fill runs."""
        largest = self.image.largest()
        hold = self.front.hold(largest.digest, largest.size // 2)
        self.paddock.manifest(REPOSITORY, "latest")
        progress = [0] * 8

        def follow(number):
            return self.paddock.blob(REPOSITORY, largest.digest,
                                     on_bytes=lambda size: progress.__setitem__(number, size))

        tasks = [raw_http.Task(follow, number) for number in range(8)]
        hold.wait_reached()
        case.wait_until(lambda: all(progress), "every client to see the first bytes of a running fill")
        hold.release()
        for task in tasks:
            layer = task.result()
            self.assertTrue(layer.complete, layer)
            self.assertEqual(layer.digest, largest.digest)
        self.front.wait_finished(largest.digest)
        self.assertEqual(self.front.body_bytes(largest.digest), largest.size)

    def test_real_clients_side_by_side(self):
        skopeo = Skopeo(self)
        reference = f"{self.paddock.address}/{REPOSITORY}:latest"
        for folder in raw_http.crowd(4, lambda number: skopeo.copy(reference, f"copy-{number}")):
            self.assertTrue(folder)
        self.check_upstream_sent_everything_once(self.image.blob_bytes())

    def test_range_readers_join_the_same_transfer(self):
        largest = self.image.largest()
        self.paddock.manifest(REPOSITORY, "latest")
        step = largest.size // 8

        def part(number):
            first = number * step
            wanted = {"Range": f"bytes={first}-{first + step - 1}"}
            return first, self.paddock.blob(REPOSITORY, largest.digest, headers=wanted)

        for first, piece in raw_http.crowd(8, part):
            self.assertEqual(piece.status, 206)
            self.assertEqual(piece.digest, image.digest_of(largest.data[first:first + step]))
        self.front.wait_finished(largest.digest)
        self.assertEqual(self.front.body_bytes(largest.digest), largest.size)


if __name__ == "__main__":
    case.main()
