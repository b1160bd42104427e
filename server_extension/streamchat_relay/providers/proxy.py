"""Which proxy the environment asks for, for a given origin."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

import msgspec

from streamchat_relay.providers.failures import ConnectFailed


class Proxy(msgspec.Struct, frozen=True):
    """A HTTP proxy; `authorization` is the value of Proxy-Authorization, or empty."""

    host: str
    port: int
    tls: bool = False
    authorization: bytes = b""

    def __repr__(self) -> str:
        """Without the password."""
        return f"Proxy({self.host}:{self.port})"


def is_loopback(host: str) -> bool:
    """True for this machine's own names and addresses.

    >>> is_loopback("localhost"), is_loopback("127.8.0.1"), is_loopback("::1"), is_loopback("a.org")
    (True, True, True, False)
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def proxy_for(
    scheme: str, host: str, port: int, environ: Mapping[str, str] = os.environ
) -> Proxy | None:
    """The proxy for an origin, by `HTTP(S)_PROXY`, `ALL_PROXY` and `NO_PROXY`; None for direct.

    Loopback is never proxied: a local model server is not reachable from elsewhere. Raises
    `ConnectFailed` for a proxy of a kind that we do not speak.
    """
    if is_loopback(host):
        return None
    proxies = getproxies_environment() if environ is os.environ else _from(environ)
    address = proxies.get(scheme) or proxies.get("all")
    if not address or _bypassed(host, port, proxies.get("no", "")):
        return None
    if "://" not in address:
        address = f"http://{address}"
    try:
        url = urlsplit(address)
        port = url.port or (443 if url.scheme == "https" else 8080)
    except ValueError as error:
        raise ConnectFailed("the proxy in the environment is not a valid address") from error
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConnectFailed(
            f"the proxy in the environment is of the kind {url.scheme!r}; "
            "set HTTPS_PROXY to an http:// proxy, or NO_PROXY for this host"
        )
    authorization = b""
    if url.username:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        authorization = b"Basic " + base64.b64encode(pair.encode())
    return Proxy(url.hostname, port, url.scheme == "https", authorization)


def _bypassed(host: str, port: int, no_proxy: str) -> bool:
    # The convention of curl and Python: `*`, names with all names below them, ports, networks.
    name = host.lower().rstrip(".")
    for entry in no_proxy.lower().split(","):
        pattern = entry.strip().lstrip(".")
        if pattern in {"*", name, f"{name}:{port}"} or (pattern and name.endswith(f".{pattern}")):
            return True
        try:
            if "/" in pattern and ipaddress.ip_address(name) in ipaddress.ip_network(pattern):
                return True
        except ValueError:
            continue
    return False


def _from(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.lower().removesuffix("_proxy"): value
        for name, value in environ.items()
        if name.lower().endswith("_proxy") and value
    }
