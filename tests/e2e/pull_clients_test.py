"""The engines that unpack pull a GPU-shaped image through the cache, and again when the upstream has gone.

What else clients do, with small images: client_matrix_test.py."""

from support import case, image, raw_http
from support.clients import Containerd, Docker, Skopeo
from support.front import Front
from support.paddock import Paddock, UPSTREAM
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
TAG = "2.6.1-gpu-cuda12.0-cudnn8.9-trt8.6"


class PullClientsTest(case.EndToEndCase):
    @classmethod
    def setUpClass(cls):
        cls.image = image.make_image(image.GPU_SHAPE, seed=7, types=image.DOCKER)
        assert cls.image.blob_bytes() >= 400e6

    def setUp(self):
        super().setUp()
        case.require_tools("docker-registry")

    def start(self):
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, TAG)
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)
        self.by_address = f"{self.paddock.address}/{REPOSITORY}:{TAG}"
        self.by_name = f"{UPSTREAM}/{REPOSITORY}:{TAG}"

    def test_docker_pulls_cold_then_without_upstream_then_after_a_restart(self):
        docker = Docker(self)
        self.start()
        self.assertIn(self.image.manifest.digest, docker.pull(self.by_address).stdout)
        self.check_docker_image(docker)
        self.front.stop()
        docker.remove(self.by_address)
        docker.pull(self.by_address)
        self.check_docker_image(docker)
        self.paddock.restart()
        docker.remove(self.by_address)
        docker.pull(self.by_address)
        self.check_docker_image(docker)

    def check_docker_image(self, docker):
        found = docker.inspect(self.by_address)
        self.assertEqual(found["Id"], self.image.config.digest)
        self.assertEqual(len(found["RootFS"]["Layers"]), len(self.image.layers))

    def test_containerd_pulls_under_the_original_name(self):
        self.start()
        containerd = Containerd(self, self.paddock.address, UPSTREAM)
        containerd.pull(self.by_name)
        everything = {self.image.manifest.digest, *(blob.digest for blob in self.image.blobs())}
        self.assertEqual(containerd.content(), everything)
        containerd.remove(self.by_name)
        self.front.stop()
        containerd.pull(self.by_name)
        self.assertEqual(containerd.content(), everything)


class PlatformsTest(case.EndToEndCase):
    """An image for two platforms, of either family of media types, is taken apart by a real client."""

    def test_an_oci_index_and_a_docker_list_are_pulled_whole(self):
        registry = Registry(self)
        skopeo = Skopeo(self)
        paddock = Paddock(self, Front(self, registry.port).url)
        for name, types in (("oci", image.OCI), ("docker", image.DOCKER)):
            images = [image.make_image(seed=20, types=types),
                      image.make_image(seed=21, types=types, architecture="arm64")]
            index = image.make_index(images, types)
            registry.push("paddlepaddle/paddle", index, name)
            folder = skopeo.copy(f"{paddock.address}/paddlepaddle/paddle:{name}", name, "--all")
            with open(f"{folder}/manifest.json", "rb") as file:
                self.assertEqual(file.read(), index.manifest.data)
            got = raw_http.pull_image(paddock.port, "paddlepaddle/paddle", name)
            self.assertIn(images[0].config.digest, got)


if __name__ == "__main__":
    case.main()
