"""Paddock on a disk that can be made to fail or to hang: see failing_disk.c."""

import os

from . import case, process
from .paddock import Paddock


class FailingPaddock(Paddock):
    def command(self):
        shim = os.path.join(self._test.folder, "failing_disk.so")
        if not os.path.exists(shim):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "failing_disk.c")
            process.run([case.find_tool("clang-19"), "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"])
        return ["env", f"LD_PRELOAD={shim}", f"FAILING_DISK={self.data}/", f"FAILING_DISK_ERROR={self._flag}",
                f"FAILING_DISK_WAITS={self._waits}",
                f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0", *super().command()]

    @property
    def _flag(self):
        return self._test.path("disk-fails")

    @property
    def _waits(self):
        return self._test.path("disk-waits")

    @staticmethod
    def _write(path, text):
        with open(path + ".new", "w") as flag:
            flag.write(text)
        os.rename(path + ".new", path)

    def fail_with(self, number):
        self._write(self._flag, str(number))

    def mend(self):
        os.unlink(self._flag)

    def hang_at(self, ending):
        """Opening a file of the store whose path ends so waits, until release()."""
        self._write(self._waits, ending)

    def hangs(self):
        return os.path.exists(self._waits + ".reached")

    def release(self):
        os.unlink(self._waits)
