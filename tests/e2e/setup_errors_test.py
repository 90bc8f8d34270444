"""What a user gets wrong is said in one line on standard error, with the exit status that scripts rely on."""

import fcntl
import os
import shutil
import socket

from support import case, process
from support.paddock import Paddock

NOWHERE = "http://127.0.0.1:9"


class SetupErrorsTest(case.EndToEndCase):
    def serve(self, *arguments):
        return process.run([case.binary(), "serve", *arguments], seconds=60, check=False)

    def arguments(self, data="data", config="", **options):
        path = self.path("config.yaml")
        with open(path, "w") as file:
            file.write(config or f"upstreams: [{{name: up.test, endpoints: ['{NOWHERE}'], default: true}}]\n")
        given = {"config": path, "data": self.path(data), "listen": f"127.0.0.1:{process.reserve_port(self)}",
                 "admin": f"127.0.0.1:{process.reserve_port(self)}", **options}
        return [part for name, value in given.items() for part in (f"--{name}", value)]

    def check_refused(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        self.assertTrue(lines, "nothing on standard error")
        for word in words:
            self.assertIn(word, lines[-1])
        return lines

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.check_refused(self.serve(*self.arguments(listen=address)), 1, address, "in use", "--listen")

    def test_an_admin_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.check_refused(self.serve(*self.arguments(admin=address)), 1, address, "in use", "--admin")

    def test_an_address_of_another_machine(self):
        self.check_refused(self.serve(*self.arguments(listen="192.0.2.1:5000")), 2, "192.0.2.1:5000", "choose one of")

    def test_a_second_server_on_the_same_folder(self):
        first = Paddock(self, NOWHERE)
        done = self.serve(*self.arguments(data=first.data))
        self.check_refused(done, 1, first.data)
        self.assertIn(str(first.process.pid), done.stderr)
        self.assertTrue(first.ready())

    def test_a_folder_that_somebody_else_has_locked(self):
        data = self.path("data")
        os.makedirs(data)
        with open(os.path.join(data, "LOCK"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.check_refused(self.serve(*self.arguments()), 1, data)

    def test_a_folder_that_cannot_be_made(self):
        with open(self.path("file"), "w"):
            pass
        self.check_refused(self.serve(*self.arguments(data="file/data")), 1, self.path("file/data"))

    def test_a_read_only_folder(self):
        """Root writes anywhere, so the file system itself is mounted read-only."""
        case.require_root()
        data = self.path("data")
        os.makedirs(data)
        if process.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", data], check=False).returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(process.run, ["umount", data])
        self.check_refused(self.serve(*self.arguments()), 1, data)

    def test_an_unknown_key_names_file_line_and_the_nearest_key(self):
        config = "server:\n  lisen: 127.0.0.1:5000\n"
        done = self.serve(*self.arguments(config=config))
        self.check_refused(done, 2, "config.yaml:2", "lisen", "listen")

    def test_yaml_that_is_none(self):
        self.check_refused(self.serve(*self.arguments(config="server: [unclosed\n")), 2, "config.yaml")

    def test_a_configuration_file_that_is_not_there(self):
        self.check_refused(self.serve("--config", self.path("no.yaml")), 2, "no.yaml")

    def test_a_value_of_the_wrong_kind(self):
        config = "storage:\n  path: /tmp\n  max_size: plenty\n"
        self.check_refused(self.serve(*self.arguments(config=config)), 2, "config.yaml:3", "max_size")

    def test_an_unknown_flag_and_no_subcommand(self):
        self.assertEqual(self.serve("--frobnicate").returncode, 2)
        self.assertEqual(process.run([case.binary()], check=False).returncode, 2)

    def test_the_run_script_leaves_a_configuration_its_own_folder(self):
        """deploy/run in a made-up tree whose paddock only says how it was called."""
        root = self.path("tree")
        for folder in ("deploy", "storage", "config", "proxy", "build/release"):
            os.makedirs(os.path.join(root, folder))
        for name in ("CMakeLists.txt", "CMakePresets.json", "build/release/paddock",
                     "build/release/.built-by-deploy-run"):
            with open(os.path.join(root, name), "w") as file:
                file.write('#!/bin/sh\necho "called: $*"\n')
        os.chmod(os.path.join(root, "build/release/paddock"), 0o755)
        shutil.copy(os.path.join(case.ROOT, "deploy/run"), os.path.join(root, "deploy/run"))

        def called(*arguments, **environment):
            done = process.run([os.path.join(root, "deploy/run"), *arguments],
                               env=process.clean_environment(**environment))
            return done.stdout.splitlines()[-1].removeprefix("called: serve").strip()

        ours, data = f"--config {root}/config/paddock.yaml", f"--data {root}/var"
        self.assertEqual(called(), f"{ours} {data}")
        self.assertEqual(called("--upstream", "http://x"), f"{ours} {data} --upstream http://x")
        self.assertEqual(called("--data=/d"), f"{ours} --data=/d")
        self.assertEqual(called("--config", "/c"), "--config /c")
        self.assertEqual(called("--config=/c", "--data", "/d"), "--config=/c --data /d")
        self.assertEqual(called(PADDOCK_CONFIG="/c"), "")
        self.assertEqual(called(PADDOCK_STORAGE_PATH="/d"), ours)

    def test_files_that_the_configuration_names(self):
        """Said by `serve` and by `config check` alike, with status 2 and without a library's error codes."""
        absent = self.path("absent")
        with open(self.path("junk"), "w") as file:
            file.write("junk")
        upstream = f"name: up.test, endpoints: ['{NOWHERE}'], default: true"
        plain = f"upstreams: [{{{upstream}}}]\n"
        for config, key, named in (
                (f"upstreams: [{{{upstream}, username: me, password_file: {absent}}}]\n", "password_file", absent),
                (f"upstreams: [{{{upstream}, ca_file: {self.path('junk')}}}]\n", "ca_file", self.path("junk")),
                (plain + f"admin: {{token_file: {absent}}}\n", "token_file", absent),
                (plain + f"server: {{tls: {{certificate: {absent}, key: {absent}}}}}\n", "server.tls", absent)):
            with self.subTest(key):
                lines = self.check_refused(self.serve(*self.arguments(config=config)), 2, key, named)
                self.assertNotIn("error:", lines[-1])
                done = process.run([case.binary(), "config", "check", self.path("config.yaml")], check=False)
                self.check_refused(done, 2, key, named)

    def test_config_check_says_the_same_without_starting(self):
        path = self.path("config.yaml")
        with open(path, "w") as file:
            file.write("server:\n  lisen: 127.0.0.1:5000\n")
        done = process.run([case.binary(), "config", "check", path], check=False)
        self.check_refused(done, 2, "config.yaml:2", "listen")
        shipped = os.path.join(case.ROOT, "config", "paddock.yaml")
        self.assertEqual(process.run([case.binary(), "config", "check", shipped]).returncode, 0)

    def test_status_of_a_server_that_is_not_there(self):
        server = f"http://127.0.0.1:{process.reserve_port(self)}"
        done = process.run([case.binary(), "status", "--server", server], check=False)
        self.check_refused(done, 1, server)

    def test_status_of_a_server_that_never_answers(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            server = f"http://127.0.0.1:{silent.getsockname()[1]}"
            done = process.run([case.binary(), "status", "--server", server], check=False, seconds=20)
            self.check_refused(done, 1, server, "does not answer")


if __name__ == "__main__":
    case.main()
