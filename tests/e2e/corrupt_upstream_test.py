"""Rot on the upstream's disk: no client ever gets such a blob whole, and the cache never keeps it.

Real clients fail in client_matrix_test.py."""

from support import case, image
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class CorruptUpstreamTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([6 * MIB, 900], seed=14)
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)

    def check_never_whole(self, layer, at):
        self.registry.flip_byte(layer.digest, at)
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)
        for _ in range(2):  # the second time nothing may have been kept from the first
            got = self.paddock.blob(REPOSITORY, layer.digest)
            self.assertFalse(got.complete, got)
            self.assertIn(got.status, (200, 502))
            if got.status == 200:
                self.assertLess(got.size, layer.size)
            self.assertNotIn(layer.digest, self.paddock.check_store())
        self.assertGreaterEqual(self.paddock.metric("paddock_verify_failures_total"), 1)
        self.paddock.wait_logged(layer.digest)
        self.registry.flip_byte(layer.digest, at)
        self.assertEqual(self.paddock.blob(REPOSITORY, layer.digest).status, 502, "refused for a while")
        self.paddock.restart()
        good = self.paddock.blob(REPOSITORY, layer.digest)
        self.assertTrue(good.complete, good)
        self.assertEqual(good.digest, layer.digest)

    def test_a_large_layer_wrong_in_its_first_byte(self):
        self.check_never_whole(self.image.layers[0], 0)

    def test_a_large_layer_wrong_in_its_last_byte(self):
        self.check_never_whole(self.image.layers[0], self.image.layers[0].size - 1)

    def test_a_small_layer_that_fits_one_buffer(self):
        self.check_never_whole(self.image.layers[1], self.image.layers[1].size // 2)

    def test_a_range_up_to_the_end_is_cut(self):
        """The last bytes are held back until the digest is verified, whoever asks for them."""
        layer = self.image.layers[0]
        self.registry.flip_byte(layer.digest, 0)
        self.paddock.manifest(REPOSITORY, "latest")
        tail = self.paddock.blob(REPOSITORY, layer.digest, headers={"Range": "bytes=-1000"})
        self.assertFalse(tail.complete, tail)
        self.assertNotIn(layer.digest, self.paddock.check_store())

    def test_a_range_of_the_beginning_is_cut_or_what_the_upstream_sent(self):
        """It may have been sent before anybody could know that another part is wrong."""
        layer = self.image.layers[0]
        self.registry.flip_byte(layer.digest, layer.size - 1)
        self.paddock.manifest(REPOSITORY, "latest")
        head = self.paddock.blob(REPOSITORY, layer.digest, headers={"Range": "bytes=0-999"})
        self.assertTrue(not head.complete or head.digest == image.digest_of(layer.data[:1000]), head)
        self.assertNotIn(layer.digest, self.paddock.check_store())

    def test_a_layer_that_the_upstream_says_is_empty(self):
        """Nothing of an empty body can be held back, so that such a size is not believed at all."""
        for layer in self.image.layers:
            self.registry.truncate(layer.digest, 0)
            self.paddock.manifest(REPOSITORY, "latest")
            for headers in ({}, {"Range": "bytes=0-0"}, {"Range": "bytes=-1"}, {"Range": "bytes=500000-"}):
                got = self.paddock.blob(REPOSITORY, layer.digest, headers=headers)
                self.assertEqual(got.status, 502, got)
            head = self.paddock.get(f"/v2/{REPOSITORY}/blobs/{layer.digest}", method="HEAD")
            self.assertEqual(head.status, 502)
            self.assertNotIn(layer.digest, self.paddock.check_store())

    def test_a_range_beyond_a_size_that_is_too_small(self):
        """416 would say for good that the rest does not exist."""
        layer = self.image.layers[0]
        self.registry.truncate(layer.digest, MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        got = self.paddock.blob(REPOSITORY, layer.digest, headers={"Range": f"bytes={2 * MIB}-"})
        self.assertEqual(got.status, 502, got)
        self.assertNotIn(layer.digest, self.paddock.check_store())

    def test_a_corrupt_manifest_is_refused(self):
        self.registry.flip_byte(self.image.manifest.digest, 5)
        answer = self.paddock.manifest(REPOSITORY, self.image.manifest.digest)
        self.assertGreaterEqual(answer.status, 500)
        self.assertIn("errors", answer.json())
        self.assertNotIn(self.image.manifest.digest, self.paddock.check_store())


if __name__ == "__main__":
    case.main()
