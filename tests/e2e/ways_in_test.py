"""An address for one upstream, as Docker Hub's mirrors need it; a cache that is led to itself, and how it is told better."""

from support import case, image, process
from support.clients import Docker
from support.paddock import UPSTREAM, Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
TAG = "2.6.2"


class WaysInCase(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self)
        self.endpoint = f"http://127.0.0.1:{self.registry.port}"


class DockerHubTest(WaysInCase):
    def test_a_registry_mirror_serves_official_images_by_their_bare_names(self):
        official = image.make_image([300_000], seed=221, types=image.DOCKER)
        of_user = image.make_image([400_000], seed=222, types=image.DOCKER)
        self.registry.push("library/debian", official, "12")
        self.registry.push("paddlepaddle/paddle", of_user, TAG)
        port = process.reserve_port(self)
        hub = {"name": "docker.io", "endpoints": [self.endpoint], "listen": f"127.0.0.1:{port}"}
        nobody = {"name": UPSTREAM, "endpoints": [f"http://127.0.0.1:{process.reserve_port(self)}"], "default": True}
        paddock = Paddock(self, self.endpoint, sections={"upstreams": [nobody, hub]})
        docker = Docker(self, **{"registry-mirrors": [f"http://127.0.0.1:{port}"]})
        docker.pull("debian:12")
        self.assertEqual(docker.inspect("debian:12")["Id"], official.config.digest)
        docker.pull(f"paddlepaddle/paddle:{TAG}")
        self.assertEqual(docker.inspect(f"paddlepaddle/paddle:{TAG}")["Id"], of_user.config.digest)
        self.assertIn(f"serving docker.io on 127.0.0.1:{port}", paddock.log_text())


class LoopTest(WaysInCase):
    def start(self, **sections):
        """Its upstream's name leads to itself, as a DNS override would have it."""
        paddock = Paddock(self, self.endpoint)
        paddock.config["upstreams"][0]["endpoints"] = [f"http://registry.test:{paddock.port}"]
        paddock.config.update(resolve={"registry.test": "127.0.0.1"}, **sections)
        paddock.restart()
        return paddock

    def test_a_loop_is_refused_with_the_remedy(self):
        paddock = self.start()
        answer = paddock.manifest(REPOSITORY, TAG)
        self.assertEqual(answer.status, 502)
        self.assertIn("resolve: {registry.test: ADDRESS}", answer.body.decode())

    def test_a_reload_tells_it_where_the_registry_is(self):
        made = image.make_image([100_000], seed=223)
        self.registry.push(REPOSITORY, made, TAG)
        paddock = self.start()
        self.assertEqual(paddock.manifest(REPOSITORY, TAG).status, 502)
        paddock.config["upstreams"][0]["endpoints"] = [f"http://registry.test:{self.registry.port}"]
        paddock.config["resolve"] = {"registry.test": ["127.0.0.2", "127.0.0.1"]}
        paddock.reload()
        case.wait_until(lambda: paddock.manifest(REPOSITORY, TAG).status == 200, "the registry's answer")


if __name__ == "__main__":
    case.main()
