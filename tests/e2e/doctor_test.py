"""Does an image run here? Asked through the cache, of a real upstream, without a byte of a layer."""

import json
import os
import stat

from support import case, image, process, raw_http
from support.front import Front
from support.paddock import UPSTREAM, Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
CUDA118 = ["CUDA_VERSION=11.8.0", "NVIDIA_VISIBLE_DEVICES=all", "NV_CUDA_COMPAT_PACKAGE=cuda-compat-11-8",
           "NVIDIA_REQUIRE_CUDA=cuda>=11.8 brand=tesla,driver>=450,driver<451 brand=tesla,driver>=470,driver<471 "
           "brand=unknown,driver>=470,driver<471 brand=nvidia,driver>=510,driver<511"]


def with_environment(variables, seed, architecture="amd64"):
    """An image whose configuration has these variables."""
    made = image.make_image([image.MIB, 400], seed=seed, architecture=architecture)
    config = json.loads(made.config.data)
    config["config"]["Env"] += variables
    made.config = image.Blob(json.dumps(config).encode(), made.config.media_type)
    manifest = json.loads(made.manifest.data)
    manifest["config"] = made.config.descriptor()
    made.manifest = image.Blob(json.dumps(manifest).encode(), made.manifest.media_type)
    return made


class DoctorTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self)
        self.images = {
            "2.6.2": with_environment(CUDA118, seed=21),
            "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6": with_environment([], seed=22),
            "2.6.2-cpu": with_environment([], seed=23),
            "3.0.0": with_environment(["CUDA_VERSION=13.0.1"], seed=24),
        }
        for tag, made in self.images.items():
            self.registry.push(REPOSITORY, made, tag)
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)

    def doctor(self, tag, *arguments, expect=0, path=None, reference=f"{UPSTREAM}/{REPOSITORY}"):
        environment = process.clean_environment(PATH=f"{path or self.folder}:/usr/bin:/bin")
        done = process.run([case.binary(), "doctor", "--image", f"{reference}:{tag}", "--config",
                            self.paddock.config_file, "--json", *arguments], check=False, env=environment)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def answer(self, tag, driver, expect=0):
        return self.doctor(tag, "--driver", driver, expect=expect)["verdicts"][0]

    def assert_no_layer_was_fetched(self):
        layers = {layer.digest for made in self.images.values() for layer in made.layers}
        for exchange in self.front.exchanges():
            self.assertNotIn(exchange.path.rsplit("/", 1)[-1], layers)

    def test_cuda_11_8_on_drivers_old_and_new(self):
        answers = {driver: self.answer("2.6.2", driver)["answer"] for driver in ("450", "470", "520", "525")}
        self.assertEqual(answers, {"450": "runs_with_limits", "470": "runs_with_limits", "520": "runs", "525": "runs"})
        exact = {"450.80.02": "runs_with_limits", "470.82.01": "runs_with_limits", "520.56.06": "runs_with_limits",
                 "520.61.05": "runs", "525.60.13": "runs"}
        self.assertEqual({driver: self.answer("2.6.2", driver)["answer"] for driver in exact}, exact)
        old = self.answer("2.6.2", "440.33.01", expect=1)
        self.assertEqual((old["answer"], old["least_driver"]), ("does_not_run", "450.80.02"))
        self.assert_no_layer_was_fetched()

    def test_the_requirement_stands_beside_the_answer(self):
        self.assertEqual(self.answer("2.6.2", "525.60.13")["requirement"]["state"], "satisfied")
        refused = self.answer("2.6.2", "460.32.03")
        self.assertEqual((refused["answer"], refused["requirement"]["state"]), ("runs_with_limits", "unsatisfied"))
        self.assertIn("unsatisfied condition: cuda>=11.8", refused["requirement"]["message"])

    def test_a_configuration_without_cuda_leaves_the_tags_word(self):
        tag = "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"
        found = self.doctor(tag, "--driver", "525.60.13")
        self.assertEqual((found["needs"]["cuda"], found["needs"]["cuda_from"]), ("12.0", "tag"))
        self.assertEqual(self.answer(tag, "470.82.01", expect=1)["least_driver"], "525.60.13")
        self.assertEqual(self.answer("2.6.2-cpu", "384.81")["answer"], "needs_no_gpu")
        self.assert_no_layer_was_fetched()

    def test_the_gpus_of_this_machine_by_nvidia_smi(self):
        self.nvidia_smi("echo 'NVIDIA A100-SXM4-80GB, 470.82.01, 8.0'; echo 'NVIDIA GeForce RTX 3090, 470.82.01, 8.6'")
        found = self.doctor("2.6.2")
        if found["host"].get("source") == "NVML":
            self.skipTest("this machine has a driver of its own")
        self.assertEqual([one["answer"] for one in found["verdicts"]], ["runs_with_limits"] * 2)
        self.assertEqual([gpu["data_centre"] for gpu in found["host"]["gpus"]], [True, False])
        self.assertFalse(self.doctor("3.0.0", expect=1)["runs"])
        self.nvidia_smi("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
        broken = self.doctor("2.6.2", expect=1)
        self.assertIn("version mismatch", broken["host"]["error"]["message"])

    def nvidia_smi(self, script):
        path = self.path("nvidia-smi")
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, stat.S_IRWXU)

    def test_the_platform_of_an_index(self):
        arm64 = with_environment(["CUDA_VERSION=12.6.3"], seed=25, architecture="arm64")
        self.registry.push(REPOSITORY, image.make_index([self.images["2.6.2"], arm64]), "multi")
        self.images["arm64"] = arm64
        for platform, cuda in (("linux/amd64", "11.8.0"), ("linux/arm64", "12.6.3")):
            found = self.doctor("multi", "--driver", "535.104.05", "--platform", platform)
            self.assertEqual((found["platform"], found["needs"]["cuda"]), (platform, cuda))
        self.assertIn("linux/ppc64le", self.doctor("multi", "--driver", "535", "--platform", "linux/ppc64le", expect=1))
        self.assert_no_layer_was_fetched()

    def test_what_is_not_there_is_said(self):
        self.assertIn("404", self.doctor("nowhere", "--driver", "535", expect=1))
        self.assertIn(UPSTREAM, self.doctor("2.6.2", "--driver", "535", expect=1, reference="elsewhere.example/a/b"))
        self.paddock.stop()
        self.assertIn("is paddock running there", self.doctor("2.6.2", "--driver", "535", expect=1))

    def test_cached_images_by_driver(self):
        self.paddock.pull(REPOSITORY, "2.6.2")
        self.doctor("2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", "--driver", "535")
        self.paddock.manifest(REPOSITORY, "3.0.0")  # its configuration is not stored
        self.front.stop()
        listed = raw_http.fetch(self.paddock.admin_port, "/api/v1/compat?driver=470.82.01").json()
        self.assertEqual(listed["cuda"], "11.4")
        answers = {one["name"].rsplit(":", 1)[1]: one["answer"] for one in listed["images"]}
        self.assertEqual(answers, {"2.6.2": "runs_with_limits", "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6": "does_not_run",
                                   "3.0.0": None})
        table = process.run([case.binary(), "images", "--driver", "525", "--server",
                             f"http://127.0.0.1:{self.paddock.admin_port}"]).stdout
        self.assertRegex(table, r"paddle:2\.6\.2 .* 11\.8\.0 +runs +450\.80\.02")

    def test_the_machine_itself(self):
        done = process.run([case.binary(), "doctor", "--config", self.paddock.config_file, "--root", self.folder],
                           check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{UPSTREAM} at {self.front.url} answers", done.stdout)
        self.front.stop()
        done = process.run([case.binary(), "doctor", "--config", self.paddock.config_file, "--root", self.folder],
                           check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"wrong +upstream +.* cannot be reached")


if __name__ == "__main__":
    case.main()
