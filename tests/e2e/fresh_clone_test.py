"""The two commands of the README, on a clone of what is committed."""

import os
import shutil

from support import case, image, process, raw_http
from support.front import Front
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"


class FreshCloneTest(case.EndToEndCase):
    def test_clone_and_run(self):
        case.require_tools("git")
        if not os.path.isdir(os.path.join(case.ROOT, ".git")):
            self.skipTest("this tree is no git repository, so there is nothing to clone")
        clone = self.path("paddock")
        process.run(["git", "clone", "--quiet", case.ROOT, clone])
        registry = Registry(self)
        made = image.make_image(seed=60)
        registry.push(REPOSITORY, made, "latest")
        self.front = Front(self, registry.port)
        self.start(clone, seconds=1500)
        expected = raw_http.pull_image(self.port, REPOSITORY, "latest")
        self.assertEqual(self.server.stop(), 0)
        self.assertTrue(os.path.isdir(os.path.join(clone, "var", "blobs")))

        self.front.stop()
        shutil.rmtree(os.path.join(clone, "tests"))  # a second start builds nothing, so it misses nothing
        self.start(clone, seconds=10)
        self.assertIn("up to date", self.server.log_text())
        self.assertEqual(raw_http.pull_image(self.port, REPOSITORY, "latest"), expected)

    def start(self, clone, seconds):
        self.port, admin = process.reserve_port(self), process.reserve_port(self)
        log = self.path(f"run-{self.port}.log")
        self.watch_log(log)
        self.server = process.Process("deploy/run", [
            os.path.join(clone, "deploy", "run"), "--upstream", self.front.url,
            "--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{admin}"], log)
        self.addCleanup(self.server.kill)

        def ready():
            return process.accepts(admin) and raw_http.fetch(admin, "/readyz").status == 200
        self.server.wait_ready(ready, seconds)


if __name__ == "__main__":
    case.main()
