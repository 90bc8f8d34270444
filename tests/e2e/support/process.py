"""Programs that a test runs beside itself: started with a log, ended by their own process id, never by name."""

import os
import random
import signal
import socket
import subprocess

from . import case


def reserve_port(test):
    """A port that is this test's until it ends, below the range that outgoing connections take theirs from.

    A socket stays bound to it without listening: connections are refused, and a server of this test may listen there,
    stop and come back, as every server sets SO_REUSEADDR. Binding it without that option is what keeps others out.
    """
    for _ in range(200):
        port = random.randrange(20000, 32000)
        if _hold(test, "127.0.0.1", port):
            return port
    raise AssertionError("no free port between 20000 and 32000")


def reserve_address(test, port):
    """The same for a port that clients do not let one choose: an address of loopback where it is this test's."""
    for _ in range(200):
        address = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        if _hold(test, address, port):
            return address
    raise AssertionError(f"no loopback address with port {port} free")


def _hold(test, address, port):
    holder = socket.socket()
    try:
        holder.bind((address, port))
    except OSError:
        holder.close()
        return False
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    test.addCleanup(holder.close)
    return True


def accepts(port, address="127.0.0.1"):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


def clean_environment(**extra):
    """No proxy of this machine may stand between a client and the cache, nor its user configure the cache."""
    kept = {key: value for key, value in os.environ.items()
            if not key.lower().endswith("_proxy") and not key.startswith("PADDOCK_")}
    kept.update(extra)
    return kept


def run(argv, seconds=300, check=True, env=None, cwd=None):
    """A program that ends by itself. Output is captured; a failure shows it."""
    done = subprocess.run(argv, env=env or clean_environment(), cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=seconds)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Process:
    """A server. stop() asks, kill() does not."""

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self._child = subprocess.Popen(argv, env=env or clean_environment(), cwd=cwd, stdin=subprocess.DEVNULL,
                                           stdout=output, stderr=output)

    @property
    def pid(self):
        return self._child.pid

    def exit_status(self):
        return self._child.poll()

    def wait(self, seconds=30):
        return self._child.wait(seconds)

    def signal(self, number):
        self._child.send_signal(number)

    def stop(self, seconds=30):
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} did not end within {seconds} s of SIGTERM")
        return self._child.returncode

    def kill(self):
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait(30)

    def wait_ready(self, condition, seconds=60):
        """`condition` becomes true, or the reason why it never will."""
        def ready_or_dead():
            return condition() or self._child.poll() is not None
        case.wait_until(ready_or_dead, f"{self.name} to be ready", seconds)
        if self._child.poll() is not None:
            raise AssertionError(f"{self.name} ended with status {self._child.returncode} while starting:\n"
                                 + self.log_tail())

    def log_text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def log_tail(self, lines=30):
        return "\n".join(self.log_text().splitlines()[-lines:])
