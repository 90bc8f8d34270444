"""An HTTP server on a thread for each connection, whose open connections are known, so that they can be cut."""

import http.server
import socketserver
import threading


class LiveServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Starts at once. `owner` is what `handler` finds as self.server.owner."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port, handler, owner):
        self.owner = owner
        self.live = set()
        super().__init__(("127.0.0.1", port), handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        self.live.add(connection)
        return connection, address

    def close_request(self, request):
        self.live.discard(request)
        super().close_request(request)

    def handle_error(self, request, client_address):
        pass  # a client that goes away in mid body is what several tests are about


class QuietHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass
