"""A root file system for a virtual machine, as the cpio archive that Linux unpacks into memory at boot ("newc").

Programs come with the shared libraries they need, at the paths they have on this machine.
"""

import os
import re
import stat
import subprocess


class Initramfs:
    def __init__(self):
        self._entries = {}  # path without the leading slash: (mode, content)

    def folder(self, path):
        self._put(path, stat.S_IFDIR | 0o755, b"")

    def text(self, path, content, mode=0o644):
        self._put(path, stat.S_IFREG | mode, content.encode())

    def link(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def file(self, source, path=None):
        """`source` as it is here, a link to it as the file that is meant."""
        with open(source, "rb") as file:
            content = file.read()
        self._put(path or source, stat.S_IFREG | (0o755 if os.access(source, os.X_OK) else 0o644), content)

    def tree(self, source, without=()):
        """All files under `source`; `without` are names of folders and files that are left out."""
        for folder, folders, names in os.walk(source):
            folders[:] = [name for name in folders if name not in without]
            for name in names:
                if name not in without:
                    self.file(os.path.join(folder, name))

    def programs(self, *paths):
        """Each with its libraries."""
        for path in paths:
            self.file(path)
        for library in _libraries(paths):
            self.file(library)

    def write(self, path):
        with open(path, "wb") as out:
            for number, (name, (mode, content)) in enumerate(sorted(self._entries.items()), 1):
                out.write(_record(number, name, mode, content))
            out.write(_record(0, "TRAILER!!!", 0, b""))

    def _put(self, path, mode, content):
        path = path.lstrip("/")
        parent = os.path.dirname(path)
        if parent and parent not in self._entries:
            self.folder(parent)
        self._entries[path] = (mode, content)


def _record(number, name, mode, content):
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def _libraries(paths):
    listed = subprocess.run(["ldd", *paths], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    if missing := re.findall(r"(\S+) => not found", listed):
        raise FileNotFoundError(f"libraries that are not there: {', '.join(missing)}")
    return sorted(set(re.findall(r"(?:=> )?(/\S+) \(0x", listed)))
