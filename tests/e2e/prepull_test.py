"""`paddock prepull` with Debian's own engines: images come through the cache and stand under their original names."""

import base64
import crypt
import json
import os
import signal
import time

from support import case, image, process
from support.clients import Containerd, Docker, Podman
from support.front import Front
from support.paddock import UPSTREAM, Paddock
from support.tls import Certificate
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
ORIGINAL = f"{UPSTREAM}/{REPOSITORY}"
TAG = "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"
REFERENCE = f"{ORIGINAL}:{TAG}"


class DockerNode:
    name = "docker"

    def __init__(self, test):
        self.docker = Docker(test)
        self.options = ["--engine", "docker", "--socket", self.docker.socket]
        self.variables = {}

    def names(self):
        """Every name that it has for images, those by digest too."""
        found = self.docker.run("images", "--all", "--digests", "--no-trunc", "--format",
                                "{{.Repository}}:{{.Tag}}@{{.Digest}}").stdout.split()
        return {name.removesuffix("@<none>") for name in found}

    def architecture(self, reference):
        return self.docker.inspect(reference)["Architecture"]

    def create(self, reference, check=True):
        """What a job does with `image: reference`, but that it may not pull."""
        return self.docker.run("create", "--pull=never", reference, "sh", check=check)


class ContainerdNode:
    name = "containerd"

    def __init__(self, test):
        self.containerd = Containerd(test, "127.0.0.1:1", "unused.example")
        self.options = ["--engine", "containerd", "--socket", self.containerd.socket, "--namespace", "e2e"]
        self.variables = {"CONTAINERD_SNAPSHOTTER": self.containerd.snapshotter}

    def names(self):
        return set(self.containerd.run("images", "ls", "--quiet").stdout.split())

    def create(self, reference, check=True):
        return self.containerd.run("containers", "create", "--snapshotter", self.containerd.snapshotter, reference,
                                   f"job-{time.monotonic_ns()}", check=check)


class PodmanNode:
    name = "podman"

    def __init__(self, test):
        self.podman = Podman(test, "127.0.0.1:1", "unused.example")
        self.options = ["--engine", "podman"]
        self.variables = self.podman.variables()

    def names(self):
        found = self.podman.run("images", "--all", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
        return set(found)

    def architecture(self, reference):
        return self.podman.run("image", "inspect", "--format", "{{.Architecture}}", reference).stdout.strip()

    def create(self, reference, check=True):
        return self.podman.run("create", "--pull=never", "--network=none", reference, "sh", check=check)


class PrepullCase(case.EndToEndCase):
    def start(self, **sections):
        self.image = image.make_image([300_000, 2_000_000, 400, 0], seed=71, types=image.DOCKER)
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, TAG)
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url, sections=sections)
        self.cache = self.paddock.address

    def prepull(self, node, *arguments, cache=None):
        return process.run([case.binary(), "prepull", *arguments, "--cache", cache or self.cache, *node.options],
                           check=False, env=process.clean_environment(**node.variables))

    def outcomes(self, node, *arguments, status=0, **more):
        done = self.prepull(node, *arguments, "--json", **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)["images"]

    def ready(self, node, *arguments, **more):
        return [(found["state"], found["digest"]) for found in self.outcomes(node, *arguments, **more)]

    def blob_requests(self):
        return self.paddock.log_text().count("/blobs/")


class EngineCases:
    """Each case with each engine."""

    def setUp(self):
        super().setUp()
        self.node = self.Node(self)
        self.start()

    def test_an_image_is_left_under_its_original_name_alone_and_a_job_starts_without_a_download(self):
        done = self.prepull(self.node, REFERENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{REFERENCE}: pulled ({self.image.manifest.digest})", done.stdout)
        self.assertIn("1 of 1 images are ready: 0 already there, 1 pulled", done.stdout)
        self.assertIn(f"with {self.node.name}", done.stdout)
        self.assertEqual(self.node.names(), {REFERENCE})
        self.front.stop()
        self.paddock.stop()
        self.node.create(REFERENCE)

    def test_what_is_there_is_not_pulled_again(self):
        self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", self.image.manifest.digest)])
        asked = self.blob_requests()
        self.front.stop()
        done = self.prepull(self.node, REFERENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{REFERENCE}: already there", done.stdout)
        self.assertEqual(self.blob_requests(), asked)

    def test_a_warm_cache_serves_while_the_upstream_is_away(self):
        self.paddock.pull(REPOSITORY, TAG)
        self.paddock.wait_committed(*(blob.digest for blob in self.image.blobs()))
        self.front.stop()
        self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", self.image.manifest.digest)])

    def test_a_tag_that_has_moved_is_pulled_again(self):
        self.paddock.config["upstreams"][0]["tag_ttl"] = "0s"
        self.paddock.restart()
        self.ready(self.node, REFERENCE)
        newer = image.make_image([300_000, 1_000_000], seed=72, types=image.DOCKER)
        self.registry.push(REPOSITORY, newer, TAG)
        self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", newer.manifest.digest)])
        self.assertEqual(self.ready(self.node, REFERENCE), [("present", newer.manifest.digest)])
        self.assertNotIn(self.cache, "".join(self.node.names()))

    def test_of_an_index_this_machines_image_is_pulled(self):
        index = image.make_index([image.make_image(seed=20), image.make_image(seed=21, architecture="arm64")])
        self.registry.push(REPOSITORY, index, "both")
        self.assertEqual(self.ready(self.node, f"{ORIGINAL}:both"), [("pulled", index.manifest.digest)])
        self.assertEqual(self.ready(self.node, f"{ORIGINAL}:both"), [("present", index.manifest.digest)])
        self.node.create(f"{ORIGINAL}:both")

    def test_what_fails_does_not_keep_the_others_away(self):
        done = self.prepull(self.node, f"{ORIGINAL}:nosuch", "ghcr.io/a/b:1", REFERENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"paddock: {ORIGINAL}:nosuch: ", done.stderr)
        self.assertIn("ghcr.io/a/b:1: ", done.stderr)
        self.assertIn("no upstream is named 'ghcr.io'", done.stderr)
        self.assertIn("1 of 3 images are ready", done.stdout)
        self.assertEqual(self.node.names(), {REFERENCE})

    def test_without_the_cache_an_image_that_is_there_is_not_known_to_be_the_one(self):
        self.ready(self.node, REFERENCE)
        self.paddock.stop()
        done = self.prepull(self.node, REFERENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot reach the cache at http://{self.cache}", done.stderr)
        self.assertIn("only the cache can say whether it is the one", done.stderr)
        self.assertEqual(self.node.names(), {REFERENCE})

    def test_a_broken_pull_fails_and_the_next_run_mends_it(self):
        largest = self.image.largest()
        hold = self.front.hold(largest.digest, largest.size // 2)
        started = process.Process("prepull", [case.binary(), "prepull", REFERENCE, "--cache", self.cache,
                                              *self.node.options], self.path("prepull.log"),
                                  env=process.clean_environment(**self.node.variables))
        self.addCleanup(started.kill)
        hold.wait_reached()
        started.signal(signal.SIGINT)
        self.assertEqual(started.wait(), 1)
        self.assertIn("interrupted", started.log_text())
        self.assertEqual(self.node.names(), set())
        hold.release()
        self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", self.image.manifest.digest)])
        self.assertEqual(self.node.names(), {REFERENCE})


class DigestCases:
    """Engines that know names by digest."""

    def test_by_digest_the_engine_alone_can_tell(self):
        reference = f"{ORIGINAL}@{self.image.manifest.digest}"
        self.assertEqual(self.ready(self.node, reference), [("pulled", self.image.manifest.digest)])
        self.paddock.stop()
        self.assertEqual(self.ready(self.node, reference), [("present", self.image.manifest.digest)])
        self.node.create(reference)

    def test_with_a_tag_and_a_digest_the_digest_counts(self):
        reference = f"{REFERENCE}@{self.image.manifest.digest}"
        self.assertEqual(self.ready(self.node, reference), [("pulled", self.image.manifest.digest)])
        self.paddock.stop()
        self.assertEqual(self.ready(self.node, reference), [("present", self.image.manifest.digest)])


class PlatformCases:
    """Engines that say which platform's image they hold."""

    def test_what_is_there_for_another_platform_is_not_the_one(self):
        index = image.make_index([image.make_image(seed=20), image.make_image(seed=21, architecture="arm64")])
        self.registry.push(REPOSITORY, index, "both")
        reference, digest = f"{ORIGINAL}:both", index.manifest.digest
        for architecture, options in (("arm64", ["--platform", "linux/arm64"]), ("amd64", []),
                                      ("arm64", ["--platform", "linux/arm64"])):
            self.assertEqual(self.ready(self.node, reference, *options), [("pulled", digest)])
            self.assertEqual(self.node.architecture(reference), architecture)
            self.assertEqual(self.ready(self.node, reference, *options), [("present", digest)])


class DockerTest(PlatformCases, EngineCases, PrepullCase):
    Node = DockerNode

    def test_two_images_of_one_name_are_refused(self):
        other = image.make_image([1000], seed=74, types=image.DOCKER)
        self.registry.push(REPOSITORY, other, "other")
        pinned = f"{REFERENCE}@{other.manifest.digest}"
        found = self.outcomes(self.node, REFERENCE, f"{REFERENCE}@{self.image.manifest.digest}", pinned, status=1)
        self.assertEqual([one["state"] for one in found], ["pulled", "present", "failed"])
        self.assertIn(f"would keep it as {REFERENCE}", found[2]["error"]["message"])
        self.assertEqual(self.ready(self.node, REFERENCE), [("present", self.image.manifest.digest)])

    def test_a_tag_at_the_cache_that_somebody_has_pulled_is_left(self):
        own = f"{self.cache}/{REFERENCE}"
        self.node.docker.pull(own)
        self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", self.image.manifest.digest)])
        self.assertEqual(self.ready(self.node, REFERENCE), [("present", self.image.manifest.digest)])
        self.node.create(own)
        self.node.create(REFERENCE)

    def test_a_name_by_digest_takes_a_tag(self):
        reference = f"{ORIGINAL}@{self.image.manifest.digest}"
        refused = self.outcomes(self.node, reference, status=1)[0]
        self.assertIn("give it a tag too", refused["error"]["message"])
        found = self.outcomes(self.node, f"{ORIGINAL}:pinned@{self.image.manifest.digest}")[0]
        self.assertIn(f"it is kept as {ORIGINAL}:pinned", found["notes"][0])
        self.assertEqual(self.node.names(), {f"{ORIGINAL}:pinned"})

    def test_what_an_interruption_left_of_the_caches_name_is_taken_away(self):
        self.ready(self.node, REFERENCE)
        by_digest = f"{self.cache}/{ORIGINAL}@{self.image.manifest.digest}"
        self.node.docker.pull(by_digest)
        self.assertNotEqual(self.node.names(), {REFERENCE})
        self.assertEqual(self.ready(self.node, REFERENCE), [("present", self.image.manifest.digest)])
        self.assertEqual(self.node.names(), {REFERENCE})

    def test_an_image_in_use_stays_in_use_while_its_tag_moves(self):
        self.paddock.config["upstreams"][0]["tag_ttl"] = "0s"
        self.paddock.restart()
        self.ready(self.node, REFERENCE)
        self.node.create(REFERENCE)
        newer = image.make_image([100_000], seed=73, types=image.DOCKER)
        self.registry.push(REPOSITORY, newer, TAG)
        self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", newer.manifest.digest)])

    def test_ones_own_name_at_the_cache_is_left_alone(self):
        own = f"{self.cache}/{REPOSITORY}:{TAG}"
        self.assertEqual(self.ready(self.node, own), [("pulled", self.image.manifest.digest)])
        self.assertEqual(self.ready(self.node, own), [("present", self.image.manifest.digest)])
        self.ready(self.node, REFERENCE)
        self.node.create(own)
        self.node.create(REFERENCE)

    def test_without_being_told_which_engine_docker_is_found(self):
        self.node.options, self.node.variables = [], {"DOCKER_HOST": f"unix://{self.node.docker.socket}"}
        done = self.prepull(self.node, REFERENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"with docker 20.10.24+dfsg1 at {self.node.docker.socket}", done.stdout)
        self.node.variables = {"DOCKER_HOST": "tcp://127.0.0.1:2375"}
        done = self.prepull(self.node, REFERENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("through a unix:// socket", done.stderr)

    def test_what_a_file_and_a_pipeline_name(self):
        with open(self.path("images"), "w") as file:
            file.write(f"# for the night\n{REFERENCE}  # GPU\n")
        with open(self.path(".gitlab-ci.yml"), "w") as file:
            file.write(f"test:\n  image: {REFERENCE}\n  services: [ghcr.io/other/service:1]\n  script: [make]\n")
        done = self.prepull(self.node, "--file", self.path("images"), "--from-ci", self.path(".gitlab-ci.yml"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ghcr.io/other/service:1: left out", done.stdout)
        self.assertIn("1 of 1 images are ready", done.stdout)
        found = self.outcomes(self.node, "--from-ci", self.path(".gitlab-ci.yml"))
        self.assertEqual([one["state"] for one in found], ["present", "elsewhere"])
        with open(self.path(".gitlab-ci.yml"), "w") as file:
            file.write("test:\n  image: ghcr.io/other/service:1\n  script: [make]\n")
        self.outcomes(self.node, "--from-ci", self.path(".gitlab-ci.yml"), status=1)


class ContainerdTest(DigestCases, EngineCases, PrepullCase):
    Node = ContainerdNode

    def test_what_has_lost_some_of_its_content_is_pulled_again(self):
        self.ready(self.node, REFERENCE)
        for blob in (self.image.manifest, self.image.config, self.image.largest()):
            self.node.containerd.run("content", "rm", blob.digest)
            self.assertEqual(self.ready(self.node, REFERENCE), [("pulled", self.image.manifest.digest)])
            self.assertIn(blob.digest, self.node.containerd.content())
        self.assertEqual(self.ready(self.node, REFERENCE), [("present", self.image.manifest.digest)])

    def test_another_platforms_image_is_refused_and_ours_pulled_over_it(self):
        refused = self.outcomes(self.node, REFERENCE, "--platform", "linux/arm64", status=1)[0]
        self.assertEqual(refused["error"]["code"], "unsupported")
        index = image.make_index([image.make_image(seed=20), image.make_image(seed=21, architecture="arm64")])
        self.registry.push(REPOSITORY, index, "both")
        at_cache, reference = f"{self.cache}/{ORIGINAL}:both", f"{ORIGINAL}:both"
        self.node.containerd.run("images", "pull", "--plain-http", "--platform", "linux/arm64", "--snapshotter",
                                 self.node.containerd.snapshotter, at_cache)
        self.node.containerd.run("images", "tag", at_cache, reference)
        self.assertEqual(self.ready(self.node, reference), [("pulled", index.manifest.digest)])
        self.assertEqual(self.ready(self.node, reference), [("present", index.manifest.digest)])


class KubernetesTest(PrepullCase):
    """What the DaemonSet of deploy/prepull does, with the rights that its container has."""

    def test_the_kubelet_has_the_image_and_no_privilege_was_needed(self):
        case.require_tools("setpriv")
        containerd = Containerd(self, "127.0.0.1:1", "unused.example", kubernetes=True)
        self.start()
        process.run(["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", case.binary(), "prepull",
                     REFERENCE, "--cache", self.cache, "--engine", "containerd", "--socket", containerd.socket],
                    env=process.clean_environment(CONTAINERD_SNAPSHOTTER=containerd.snapshotter))
        # containerd tells its interface for the kubelet of new images a moment later.
        case.wait_until(lambda: "io.cri-containerd.image=managed" in
                        containerd.run("images", "ls", f"name=={REFERENCE}").stdout, "the kubelet's view")
        names = set(containerd.run("images", "ls", "--quiet").stdout.split())
        self.assertEqual(names, {REFERENCE, self.image.config.digest})


class PodmanTest(PlatformCases, DigestCases, EngineCases, PrepullCase):
    Node = PodmanNode


def command_lines():
    """Of every process, by its number."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found[int(pid)] = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass  # it has ended
    return found


def children(parent):
    with open(f"/proc/{parent}/task/{parent}/children") as file:
        return [int(pid) for pid in file.read().split()]


class SecretsTest(PrepullCase):
    """A cache that speaks TLS and asks for a name: each engine gets in, nothing of it stands on a command line while it
    does, and no file with it is left."""

    PASSWORD = "prepull-test-secret"

    def setUp(self):
        super().setUp()
        case.require_tools("openssl")
        self.certificate = Certificate(self)
        with open(self.path("htpasswd"), "w") as file:
            file.write(f"ci:{crypt.crypt(self.PASSWORD, '$2b$05$abcdefghijklmnopqrstuu')}\n")
        with open(self.path("password"), "w") as file:
            file.write(self.PASSWORD + "\n")
        self.start(server={"auth": {"htpasswd": self.path("htpasswd"), "anonymous_pull": False},
                           "tls": {"certificate": self.certificate.file, "key": self.certificate.key}})

    def folders(self):
        return [name for name in os.listdir(self.path("temporary")) if name.startswith("paddock-prepull-")]

    def check(self, node, program=None):
        url = f"https://{self.cache}"
        known = ["--ca", self.certificate.file]
        for options, why in (([], "certificate is not trusted"), (known, "--password-file")):
            refused = self.outcomes(node, REFERENCE, *options, cache=url, status=1)[0]
            self.assertIn(why, refused["error"]["message"])
        largest = self.image.largest()
        hold = self.front.hold(largest.digest, largest.size // 2)
        os.makedirs(self.path("temporary"))
        started = process.Process("prepull", [
            case.binary(), "prepull", REFERENCE, "--cache", url, *known, "--user", "ci", "--password-file",
            self.path("password"), *node.options], self.path("prepull.log"),
            env=process.clean_environment(TMPDIR=self.path("temporary"), **node.variables))
        self.addCleanup(started.kill)
        hold.wait_reached()
        lines = command_lines()
        running = [lines.get(pid, "") for pid in children(started.pid)]
        self.assertEqual([program for line in running if f"{program} " in line], [program] if program else [])
        self.assertEqual(len(self.folders()), len(running))
        basic = base64.b64encode(f"ci:{self.PASSWORD}".encode()).decode()
        for secret in (self.PASSWORD, basic):
            self.assertEqual([line for line in lines.values() if secret in line], [])
        hold.release()
        self.assertEqual(started.wait(120), 0, started.log_text())
        self.assertEqual(self.folders(), [])
        self.assertEqual(node.names(), {REFERENCE})

    def test_docker(self):
        self.check(DockerNode(self))

    def test_containerd(self):
        self.check(ContainerdNode(self), "ctr")

    def test_podman(self):
        self.check(PodmanNode(self), "podman")


if __name__ == "__main__":
    case.main()
