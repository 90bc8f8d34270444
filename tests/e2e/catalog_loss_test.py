"""The catalog is an index: lost or damaged, it is rebuilt from the files, and everything is served without upstream."""

import os
import random
import shutil

from support import case, image
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"


class CatalogLossTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        registry = Registry(self)
        self.images = [image.make_image(seed=17), image.make_image(seed=18, types=image.DOCKER)]
        index = image.make_index([image.make_image(seed=19)])
        registry.push(REPOSITORY, self.images[0], "one")
        registry.push(REPOSITORY, self.images[1], "two")
        registry.push("library/nested", index, "three")
        self.front = Front(self, registry.port)
        self.paddock = Paddock(self, self.front.url)
        self.references = [(REPOSITORY, "one"), (REPOSITORY, "two"), ("library/nested", "three")]
        self.expected = self.pull_all()
        self.paddock.wait_committed(*(digest for pulled in self.expected.values() for digest in pulled))
        self.front.stop()
        self.assertEqual(self.paddock.stop(), 0)
        self.catalog = os.path.join(self.paddock.data, "catalog")

    def pull_all(self):
        return {reference: self.paddock.pull(*reference) for reference in self.references}

    def check_all_is_there(self):
        self.paddock.start()
        self.assertEqual(self.pull_all(), self.expected)
        repositories = self.paddock.get("/v2/_catalog").json()["repositories"]
        self.assertEqual(repositories, ["library/nested", REPOSITORY])
        stolen = self.images[0].layers[0].digest
        self.assertNotEqual(self.paddock.get(f"/v2/library/nested/blobs/{stolen}").status, 200,
                            "access by repository was lost in the rebuild")
        self.paddock.restart()
        self.assertEqual(self.pull_all(), self.expected)

    def test_deleted(self):
        shutil.rmtree(self.catalog)
        self.check_all_is_there()

    def test_emptied_files(self):
        for name in os.listdir(self.catalog):
            os.truncate(os.path.join(self.catalog, name), 0)
        self.check_all_is_there()

    def test_flipped_bytes(self):
        """In every file, in many places, so that whatever is read first is wrong."""
        chance = random.Random(1)
        for name in os.listdir(self.catalog):
            path = os.path.join(self.catalog, name)
            with open(path, "r+b") as file:
                content = bytearray(file.read())
                for _ in range(min(len(content), 40)):
                    content[chance.randrange(len(content))] ^= 0xA5
                file.seek(0)
                file.write(content)
        self.check_all_is_there()

    def test_the_manifest_of_the_index_gone(self):
        for name in os.listdir(self.catalog):
            if name.startswith(("MANIFEST", "CURRENT")):
                os.unlink(os.path.join(self.catalog, name))
        self.check_all_is_there()

    def test_a_blob_that_vanished_is_fetched_again(self):
        layer = self.images[0].largest()
        os.unlink(self.paddock.blob_files()[layer.digest])
        self.front.start()
        self.paddock.start()
        self.assertEqual(self.pull_all(), self.expected)
        self.paddock.wait_committed(layer.digest)
        self.paddock.check_store()


if __name__ == "__main__":
    case.main()
