"""nginx in its roles: what stands before the upstream, a cache, and plain files."""

import os

TYPES = ("types { } default_type application/octet-stream;\n"
         "  location ~ /manifests/ { default_type application/vnd.oci.image.manifest.v1+json; }")


def _frame(folder, workers, servers):
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off; worker_processes {workers}; worker_rlimit_nofile 65536; pid {folder}/pid;
error_log {folder}/error.log; {"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 32768; }}
http {{
access_log off; sendfile on; tcp_nopush on; server_tokens off; {temporary}
keepalive_timeout 1h; keepalive_requests 1000000000; reset_timedout_connection on;
{servers}
}}
"""


def _pass(upstream):
    return f"proxy_pass {upstream}; proxy_set_header Host $http_host; proxy_http_version 1.1;"


def front(folder, upstream, port):
    """Before the upstream: writes how many bytes each answer had; one worker, so that its status is exact."""
    return _frame(folder, 1, f"""
log_format bytes "$body_bytes_sent $request_method $status $request_uri";
server {{ listen 127.0.0.1:{port}; access_log {folder}/bytes.log bytes;
  location = /front-status {{ stub_status; access_log off; }}
  location / {{ {_pass(upstream)} proxy_buffering off; }} }}""")


def cache(folder, port, upstream, workers):
    """proxy_cache as people set it up for blobs: one request upstream at a time for each file, the others wait."""
    return _frame(folder, workers, f"""
proxy_cache_path {folder}/cache levels=1:2 keys_zone=blobs:10m max_size=1000g inactive=30d use_temp_path=off;
server {{ listen 127.0.0.1:{port}; location / {{ {_pass(upstream)}
  proxy_cache blobs; proxy_cache_valid 200 206 1d; proxy_cache_lock on; proxy_cache_lock_age 1h;
  proxy_cache_lock_timeout 1h; proxy_read_timeout 1h; }} }}""")


def files(folder, port, root, workers, certificate=None):
    """The blobs as files, with sendfile; `certificate`: (certificate, key) for TLS."""
    tls = f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};" if certificate else ""
    listen = f"{port} ssl" if certificate else str(port)
    return _frame(folder, workers, f"server {{ listen 127.0.0.1:{listen}; {tls} root {root}; {TYPES} }}")
