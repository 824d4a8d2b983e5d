"""Takes the network away from this process: promise and enforcement in one place.

On Linux a filter in the kernel (seccomp) refuses every socket but local ones, to this process and to all it starts, for
good. Elsewhere, and in processes that start programs of the user such as an editor, a hook in the interpreter lets
Python code reach this machine only; it binds neither native code nor other programs.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from secondme.errors import ConfigError

How = Literal["kernel", "interpreter"]


class _Machine(NamedTuple):
    """The numbers by which the kernel knows what is refused or needed, on one kind of processor."""

    audit: int
    socket: int
    seccomp: int
    ptrace: int
    process_vm_writev: int


_MACHINES = {
    "x86_64": _Machine(0xC000003E, socket=41, seccomp=317, ptrace=101, process_vm_writev=311),
    "aarch64": _Machine(0xC00000B7, socket=198, seccomp=277, ptrace=117, process_vm_writev=271),
}
# The same everywhere: rings take socket calls around the filter, pidfd_getfd takes a socket out of another process.
_IO_URING = (425, 426, 427)
_PIDFD_GETFD = 438
_OTHER_INTERFACE = 0x40000000
"""From here on the numbers are those of another interface of x86-64 (x32), with another one for each call."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER, _ALL_THREADS = 38, 1, 1

_NAMED = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}
"""What the interpreter tells before it asks who has a name, and where among what it tells the name is."""
_ADDRESSED = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getnameinfo")


def give_up(*, keeps_loopback: bool = False) -> How:
    """Take the network away from this process, all its threads and all it starts, and return who sees to it.

    `keeps_loopback` leaves servers on this machine in reach, by the weaker way: the kernel's filter sees no addresses.
    """
    # Both: a service for names, asked through a local socket, would ask the network for us.
    keep_to_this_machine()
    return "kernel" if not keeps_loopback and _filter_sockets() else "interpreter"


def give_up_as_set(settings: Path) -> How:
    """Take the network away as far as the settings in this file allow: an endpoint is on this machine."""
    from secondme.config import load_config

    try:
        endpoint = load_config(settings).models.endpoint
    except ConfigError:
        endpoint = ""  # whoever needs the settings says what is wrong with them
    return give_up(keeps_loopback=bool(endpoint))


@cache
def keep_to_this_machine() -> None:
    """Let Python code in this process reach this machine only; it cannot be undone."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in _NAMED:
        host = arguments[_NAMED[event]]
    elif event in _ADDRESSED:
        address = arguments[-1]
        # A path is the address of a local socket, and what is sent without one goes where the socket is connected to.
        if not isinstance(address, tuple):
            return
        host = address[0]
    else:
        return
    if not _is_here(host):
        raise PermissionError(errno.EACCES, "secondme uses no network")


def _is_here(host: object) -> bool:
    from ipaddress import ip_address

    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return name == "localhost" or ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _filter_sockets() -> bool:
    """Have the kernel refuse what is not local; return whether it does."""
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None or sys.maxsize < 2**32:
        return False
    program = b"".join(_program(machine))
    code = ctypes.create_string_buffer(program, len(program))
    given = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, given) == 0)


def _program(machine: _Machine) -> Iterator[bytes]:
    """Yield the instructions of the filter, which go forward only; jumps count those that are left out."""
    refused = (machine.ptrace, machine.process_vm_writev, _PIDFD_GETFD, *_IO_URING)
    end = 6 + len(refused)  # where it is refused; allowed is right after
    yield _instruction(_LOAD, _ARCHITECTURE_AT)
    yield _instruction(_EQUAL, machine.audit, no=end - 1)
    yield _instruction(_LOAD, _NUMBER_AT)
    yield _instruction(_AT_LEAST, _OTHER_INTERFACE, yes=end - 3)
    for at, number in enumerate(refused, start=4):
        yield _instruction(_EQUAL, number, yes=end - at)
    yield _instruction(_EQUAL, machine.socket, no=3)
    yield _instruction(_LOAD, _FIRST_ARGUMENT_AT)
    yield _instruction(_EQUAL, socket.AF_UNIX, yes=1)
    yield _instruction(_RETURN, _REFUSE)
    yield _instruction(_RETURN, _ALLOW)


def _instruction(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def main() -> int:
    """Give up the network, try to use it, and say who keeps it away: `python -m secondme.network`."""
    how = give_up()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
            # An address kept for documents: nothing is sent, and nothing is there.
            tried.connect(("192.0.2.1", 9))
    except PermissionError:
        sys.stdout.write(f"{how}\n")
        return 0
    return os.EX_SOFTWARE


if __name__ == "__main__":
    sys.exit(main())
