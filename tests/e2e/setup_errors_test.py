"""What a user gets wrong is said in one line on standard error, with the exit status that scripts rely on."""

import fcntl
import os
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
        given = {"config": path, "data": self.path(data), "listen": f"127.0.0.1:{process.free_port()}",
                 "admin": f"127.0.0.1:{process.free_port()}", **options}
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
            self.check_refused(self.serve(*self.arguments(listen=address)), 1, address, "in use")

    def test_an_admin_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.check_refused(self.serve(*self.arguments(admin=address)), 1, address, "in use")

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

    def test_config_check_says_the_same_without_starting(self):
        path = self.path("config.yaml")
        with open(path, "w") as file:
            file.write("server:\n  lisen: 127.0.0.1:5000\n")
        done = process.run([case.binary(), "config", "check", path], check=False)
        self.check_refused(done, 2, "config.yaml:2", "listen")
        shipped = os.path.join(case.ROOT, "config", "paddock.yaml")
        self.assertEqual(process.run([case.binary(), "config", "check", shipped]).returncode, 0)

    def test_status_of_a_server_that_is_not_there(self):
        server = f"http://127.0.0.1:{process.free_port()}"
        done = process.run([case.binary(), "status", "--server", server], check=False)
        self.check_refused(done, 1, server)


if __name__ == "__main__":
    case.main()
