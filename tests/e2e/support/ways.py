"""The ways by which a client gets to the cache: what a user types, and what is set up for it."""

from dataclasses import dataclass
from typing import Callable

from .paddock import UPSTREAM
from .world import DOCKER_HUB


@dataclass(frozen=True)
class Way:
    title: str
    reference: Callable  # (world, repository): the image's name, without a tag
    hosts: Callable = lambda world: {}  # (world): names of registries, and where the client finds them
    mirror: bool = False  # the client is told of a mirror, and goes to the registry itself when that fails
    environment: Callable = lambda world: {}  # (world): variables that the client is started with


def by_address(world, repository):
    return f"{world.cache.address}/{UPSTREAM}/{repository}"


def by_name(_, repository):
    return f"{UPSTREAM}/{repository}"


def real(world):
    return {UPSTREAM: world.real_address, DOCKER_HUB: world.real_address}


PREFIX = Way("the cache's address and a prefix", by_address)
HOSTS_TOML = Way("`hosts.toml` (`?ns=`)", by_name, real, mirror=True)
REGISTRIES_CONF = Way("mirror in `registries.conf`", by_name, real, mirror=True)
REGISTRY_MIRRORS = Way("`registry-mirrors` (docker.io)", lambda _, repository: repository, real, mirror=True)
NAME = Way("the registry's name is the cache's (DNS, TLS)", by_name, lambda world: {UPSTREAM: world.named_cache.host})
CONNECT = Way("`HTTPS_PROXY` and a CA", by_name, environment=lambda world: {"HTTPS_PROXY": world.proxy})
