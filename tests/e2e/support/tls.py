"""A server certificate made on the spot, and a client that trusts it, with the version of TLS that a test wants."""

import hashlib
import http.client
import os
import socket
import ssl
import struct

from . import case, process


class Certificate:
    def __init__(self, test, *hosts):
        self.file, self.key = test.path("server.pem"), test.path("server.key")
        process.run([case.find_tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", ",".join(
                         ["subjectAltName=IP:127.0.0.1", *(f"DNS:{host}" for host in hosts)]),
                     "-keyout", self.key, "-out", self.file])

    def client(self, version=None):
        context = ssl.create_default_context(cafile=self.file)
        if version:
            context.minimum_version = context.maximum_version = version
        return context


class Client:
    """One connection. Bodies are read piece by piece and hashed, not kept."""

    def __init__(self, port, context, receive_buffer=0):
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        if receive_buffer:
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            raw.connect(("127.0.0.1", port))
            self._connection.sock = context.wrap_socket(raw, server_hostname="127.0.0.1")

    def get(self, path, begin=0, end=None):
        """Status, cache state, size and digest of the body, or of bytes [begin, end) of it."""
        answer = self.ask(path, begin, end)
        hashed, size, buffer = hashlib.sha256(), 0, bytearray(1 << 20)
        while got := answer.readinto(buffer):
            hashed.update(memoryview(buffer)[:got])
            size += got
        return answer.status, answer.headers["X-Paddock-Cache"], size, "sha256:" + hashed.hexdigest()

    def ask(self, path, begin=0, end=None):
        """The answer, its body unread."""
        ranged = {"Range": f"bytes={begin}-{'' if end is None else end - 1}"} if begin or end is not None else {}
        self._connection.request("GET", path, headers=ranged)
        return self._connection.getresponse()

    def version(self):
        return self._connection.sock.version()

    def reset(self):
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self._connection.sock.detach())  # close() would wait for the answer's object to go

    def close(self):
        self._connection.close()
