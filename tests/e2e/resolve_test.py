"""A cache that is led to itself, and how it is told better."""

from support import case, image
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
TAG = "2.6.2"


class LoopTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self)
        self.endpoint = f"http://127.0.0.1:{self.registry.port}"

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
