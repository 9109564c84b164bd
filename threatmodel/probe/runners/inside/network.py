"""The network that a Python handler sees: a few hosts, answered by the caller over its socket; all else is rejected."""

from __future__ import annotations

import errno
import importlib.abc
import importlib.machinery
import json
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

Note = Callable[[str, str, str], None]

_PUBLIC = "52.95.{}.{}"
"""Addresses that names resolve to: public ones, since handlers rightly reject private ones; nothing is sent there."""


def install(path: str, hosts: str, note: Note) -> Callable[[str, str, Mapping[str, Any]], Any]:
    """Replaces what connects and resolves.  Gives the function by which the stubbed SDK asks AWS."""
    allowed, real_connect = re.compile(hosts), socket.socket.connect
    names: dict[str, str] = {}

    def opened(preface: Mapping[str, Any]) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        real_connect(made, path)
        made.sendall(json.dumps(preface).encode() + b"\n")
        return made

    def connect(self: socket.socket, address: Any) -> None:
        if self.family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple):
            real_connect(self, address)  # the audit hook rejects it
            return
        host = names.get(address[0], str(address[0])).lower().rstrip(".")
        if self.type != socket.SOCK_STREAM or not allowed.fullmatch(f"{host}:{address[1]}"):
            note("network", "CONNECT", host if address[1] in {80, 443} else f"{host}:{address[1]}")
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        with opened({"host": host, "port": address[1]}) as made:
            os.dup2(made.fileno(), self.fileno(), inheritable=False)
        self.settimeout(self.gettimeout())

    def connect_ex(self: socket.socket, address: Any) -> int:
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.ECONNREFUSED
        return 0

    def aws(service: str, operation: str, params: Mapping[str, Any]) -> Any:
        with (
            opened({"service": service, "operation": operation, "params": params}) as made,
            made.makefile("rb") as file,
        ):
            return json.loads(file.readline())

    socket.socket.connect = connect  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
    _install_resolver(names)
    _install_options()
    sys.meta_path.insert(0, _PlainTls(path))
    return aws


def _install_resolver(names: dict[str, str]) -> None:
    """Every name resolves to a separate address, without a query."""
    numbers: dict[str, str] = {}

    def address(host: str | bytes | None) -> str:
        name = host.decode() if isinstance(host, bytes) else host or "127.0.0.1"
        if name == "localhost":
            return "127.0.0.1"
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                return socket.inet_ntop(family, socket.inet_pton(family, name))
            except (OSError, ValueError):
                continue
        number = numbers.setdefault(name, _PUBLIC.format(len(numbers) // 250 % 250, len(numbers) % 250 + 1))
        names[number] = name
        return number

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002, ARG001, PLR0913, PLR0917 - the signature of the standard library
        number = address(host)
        shape = socket.AF_INET6 if ":" in number else socket.AF_INET
        if family not in {0, shape}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        at = {"http": 80, "https": 443}.get(port, int(port) if str(port or 0).isdecimal() and port else 0)
        end = (number, at, 0, 0) if shape == socket.AF_INET6 else (number, at)
        kinds = [(socket.SOCK_STREAM, 6), (socket.SOCK_DGRAM, 17)]
        return [(shape, kind, protocol, "", end) for kind, protocol in kinds if type in {0, kind}]

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = address
    socket.gethostbyname_ex = lambda hostname: (hostname, [], [address(hostname)])


def _install_options() -> None:
    """Options of TCP mean nothing to the caller's socket, and must not fail."""
    real = socket.socket.setsockopt

    def setsockopt(self: socket.socket, level: int, *rest: Any) -> None:
        try:
            real(self, level, *rest)
        except OSError:
            if level != socket.IPPROTO_TCP:
                raise

    socket.socket.setsockopt = setsockopt  # type: ignore[method-assign, assignment]


class _PlainTls(importlib.abc.MetaPathFinder):
    """Sees to `ssl` when it is first imported: on a connection to the caller there is no TLS to speak."""

    def __init__(self, path: str) -> None:
        self._path = path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of `ssl`, whose loading also changes it; nothing for other modules."""
        if fullname != "ssl":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        loader, real = spec.loader, spec.loader.exec_module

        def loaded(module: ModuleType) -> None:
            real(module)
            _change_ssl(module, self._path)

        loader.exec_module = loaded  # type: ignore[method-assign]
        return spec


def _change_ssl(ssl: ModuleType, path: str) -> None:
    real = ssl.SSLContext.wrap_socket

    class Plain(socket.socket):
        """A connection to the caller, with what clients ask of one with TLS."""

        context: Any = None
        server_hostname: str | None = None
        session = None
        session_reused = False

        def version(self) -> str:
            return "TLSv1.3"

        def cipher(self) -> tuple[str, str, int]:
            return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)

        def getpeercert(self, binary_form: bool = False) -> Any:  # noqa: FBT001, FBT002 - the standard library's
            return b"" if binary_form else {"subjectAltName": (("DNS", self.server_hostname or ""),)}

        def selected_alpn_protocol(self) -> None:
            return None

        def do_handshake(self, block: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the standard library's
            return None

        def pending(self) -> int:
            return 0

        def unwrap(self) -> socket.socket:
            return self

    def wrap_socket(self: Any, sock: socket.socket, *rest: Any, **options: Any) -> Any:
        if not _leads_to(sock, path):
            return real(self, sock, *rest, **options)
        timeout = sock.gettimeout()
        plain = Plain(fileno=sock.detach())
        plain.settimeout(timeout)
        plain.context, plain.server_hostname = self, options.get("server_hostname")
        return plain

    ssl.SSLContext.wrap_socket = wrap_socket


def _leads_to(sock: socket.socket, path: str) -> bool:
    """Whether a socket is connected to a path; asked of a copy, since this one still takes itself for one of TCP."""
    try:
        with socket.socket(fileno=os.dup(sock.fileno())) as same:
            return bool(same.getpeername() == path)
    except OSError:
        return False
