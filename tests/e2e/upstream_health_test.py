"""How the upstreams are doing, as /metrics, the API and `paddock status` show it."""

import json

from support import case, image, process, raw_http
from support.front import Front
from support.paddock import UPSTREAM, Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class UpstreamHealthTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([12 * MIB, 400], seed=51)
        self.layer = self.image.largest()
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.host = self.front.url.removeprefix("http://")

    def status(self, paddock, *arguments):
        return process.run([case.binary(), "status", "--server", f"http://127.0.0.1:{paddock.admin_port}",
                            *arguments]).stdout

    def state(self, paddock, host):
        found = [state for state in ("ok", "slow", "resting", "distrusted")
                 if paddock.metric("paddock_upstream_endpoint_state", endpoint=host, state=state) == 1]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_an_endpoint_that_is_away_rests_and_the_other_works(self):
        away = f"127.0.0.1:{process.reserve_port(self)}"
        paddock = Paddock(self, self.front.url, endpoints=[f"http://{away}", self.front.url])
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.assertEqual(self.state(paddock, away), "resting")
        self.assertEqual(self.state(paddock, self.host), "ok")
        self.assertGreaterEqual(paddock.metric("paddock_upstream_transfers", endpoint=self.host), 1)
        upstream = json.loads(self.status(paddock, "--json"))["upstreams"][0]
        self.assertEqual([(entry["endpoint"], entry["state"]) for entry in upstream["health"]],
                         [(away, "resting"), (self.host, "ok")])
        self.assertIn(f"{away} resting\n", self.status(paddock))
        self.assertIn(f"{self.host} ok, ", self.status(paddock))
        hold.release()
        self.assertEqual(pull.result().digest, self.layer.digest)
        case.wait_until(lambda: paddock.metric("paddock_upstream_transfers") == 0, "the transfers to end")
        # Bytes are counted under the same names, each once.
        self.assertGreaterEqual(paddock.metric("paddock_upstream_bytes_total", upstream=UPSTREAM, endpoint=self.host),
                                self.layer.size)
        self.assertEqual(paddock.metric("paddock_upstream_bytes_total", endpoint=self.front.url), 0)

    def test_a_limit_that_holds_fills_back_is_seen(self):
        paddock = Paddock(self, self.front.url, bandwidth=4 * MIB)
        self.assertEqual(paddock.metric("paddock_upstream_limit_reached"), 0)
        paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(paddock.blob, REPOSITORY, self.layer.digest)
        case.wait_until(lambda: paddock.metric("paddock_upstream_limit_reached", limit="bandwidth") == 1,
                        "the bandwidth's limit to hold")
        self.assertEqual(json.loads(self.status(paddock, "--json"))["upstreams"][0]["limits"]["bandwidth"], 4 * MIB)
        self.assertEqual(pull.result().digest, self.layer.digest)

    def with_mirror(self, **options):
        """An upstream that is away and has a mirror, which has `options`."""
        away = f"http://127.0.0.1:{process.reserve_port(self)}"
        mirror = {"name": "mirror.example", "endpoints": [self.front.url], **options}
        return Paddock(self, away, sections={"upstreams": [
            {"name": UPSTREAM, "endpoints": [away], "default": True, "mirrors": ["mirror.example"]}, mirror]})

    def test_a_mirrors_bandwidth_holds_for_whoever_is_asked_and_a_reload_lifts_it(self):
        paddock = self.with_mirror(bandwidth=65536)
        pull = raw_http.Task(paddock.blob, REPOSITORY, self.layer.digest)
        case.wait_until(lambda: paddock.metric("paddock_upstream_limit_reached", upstream="mirror.example") == 1,
                        "the mirror's bandwidth to hold")
        self.assertEqual(paddock.metric("paddock_upstream_limit_reached", upstream=UPSTREAM), 0)
        paddock.config["upstreams"][1]["bandwidth"] = 0
        paddock.reload()
        self.assertEqual(pull.result(30).digest, self.layer.digest)  # of minutes that it would have taken

    def test_a_mirror_is_not_asked_for_what_it_does_not_allow(self):
        paddock = self.with_mirror(allow=["open/**"])
        self.assertEqual(paddock.blob(REPOSITORY, self.layer.digest).status, 502)
        self.assertEqual(paddock.metric("paddock_upstream_requests_total", upstream="mirror.example"), 0)

    def test_a_fill_in_line_is_seen(self):
        paddock = Paddock(self, self.front.url, sections={"fills": {"at_once": 1}})
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        small = min(self.image.layers, key=lambda layer: layer.size)
        second = raw_http.Task(paddock.blob, REPOSITORY, small.digest)
        case.wait_until(lambda: paddock.metric("paddock_fills", state="waiting") == 1, "the second fill to wait")
        self.assertIn("1 wait in line", self.status(paddock))
        hold.release()
        self.assertEqual(pull.result().digest, self.layer.digest)
        self.assertEqual(second.result().digest, small.digest)


if __name__ == "__main__":
    case.main()
