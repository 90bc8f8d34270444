"""The time that a CI job waits: `docker pull`, unpacking included."""

from .docker import Docker
from .running import started


def pulls(rig, turns, record):
    """Cold and warm for the cache, never for Docker: every pull begins without any of the layers."""
    with Docker(rig.programs, rig.folder("docker")) as docker:
        for peer in turns:
            with turns.guard(peer):
                peer.clear()
                try:
                    with started(peer, rig.url("counting")):
                        image = rig.images["large"]
                        reference = f"127.0.0.1:{peer.port}/{image.repository}:{image.tag}"
                        cold, warm = docker.pull(reference), docker.pull(reference)
                        record(peer, {"docker_cold": cold, "docker_warm": warm, "docker_extra": cold / warm})
                finally:
                    peer.clear()
