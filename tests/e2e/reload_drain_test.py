"""SIGHUP takes over what can be changed while running; SIGTERM lets a pull in progress end first."""

import json

from support import case, image, process, raw_http
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class ReloadDrainTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([12 * MIB, 400], seed=50)
        self.layer = self.image.largest()
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url, sections={"server": {"drain": "60s"}})

    def test_sigterm_lets_a_pull_end_and_then_exits_0(self):
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.paddock.process.signal(15)
        case.wait_until(lambda: not process.accepts(self.paddock.port), "new connections to be refused")
        self.assertIsNone(self.paddock.process.exit_status(), "it did not wait for the pull")
        hold.release()
        layer = pull.result()
        self.assertTrue(layer.complete, layer)
        self.assertEqual(layer.digest, self.layer.digest)
        self.assertEqual(self.paddock.process.wait(30), 0)

    def test_sigterm_while_idle_is_quick(self):
        self.paddock.pull(REPOSITORY, "latest")
        self.paddock.process.signal(15)
        self.assertEqual(self.paddock.process.wait(10), 0)

    def test_a_pull_longer_than_the_drain_is_cut(self):
        self.paddock.stop()
        self.paddock.config["server"]["drain"] = "1s"
        self.paddock.start()
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.paddock.process.signal(15)
        self.assertEqual(self.paddock.process.wait(30), 0)
        self.assertFalse(pull.result().complete)

    def test_sighup_takes_new_upstream_options(self):
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)
        self.paddock.config["upstreams"][0]["allow"] = ["nothing/at-all"]
        self.paddock.reload()
        case.wait_until(lambda: self.paddock.manifest(REPOSITORY, "latest").status == 403, "the new allow list to hold")

    def test_sighup_does_not_disturb_a_pull(self):
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.paddock.config["upstreams"][0]["allow"] = ["nothing/at-all"]
        self.paddock.reload()
        case.wait_until(lambda: self.paddock.manifest(REPOSITORY, "latest").status == 403, "the reload to be done")
        hold.release()
        self.assertEqual(pull.result().digest, self.layer.digest)

    def test_a_broken_file_keeps_the_old_configuration(self):
        with open(self.paddock.config_file, "w") as file:
            file.write("server:\n  lisen: 1\n")
        self.paddock.process.signal(1)
        case.wait_until(lambda: "lisen" in self.paddock.log_text(), "the log to say what is wrong")
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)

    def test_operating_basics(self):
        self.paddock.pull(REPOSITORY, "latest")
        admin = self.paddock.admin_port
        self.assertEqual(raw_http.fetch(admin, "/healthz").status, 200)
        self.assertEqual(raw_http.fetch(admin, "/readyz").status, 200)
        self.assertGreater(self.paddock.metric("paddock_requests_total", code="200"), 2)
        self.assertGreaterEqual(self.paddock.metric("paddock_upstream_bytes_total"), self.image.blob_bytes())
        self.assertGreaterEqual(self.paddock.metric("paddock_served_bytes_total"), self.image.blob_bytes())
        server = ["--server", f"http://127.0.0.1:{admin}"]
        self.assertIn(REPOSITORY, process.run([case.binary(), "images", *server]).stdout)
        self.assertTrue(json.loads(process.run([case.binary(), "images", "--json", *server]).stdout))
        self.assertTrue(json.loads(process.run([case.binary(), "status", "--json", *server]).stdout))
        self.assertRegex(process.run([case.binary(), "version"]).stdout, r"\d+\.\d+\.\d+")


if __name__ == "__main__":
    case.main()
