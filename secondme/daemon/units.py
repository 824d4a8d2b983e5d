"""Has the system start the daemon: a systemd user unit or a launchd agent, written, enabled and removed."""

from __future__ import annotations

import os
import plistlib
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

LABEL = "secondme"
_PASSED_ON = ("SECONDME_HOME", "SECONDME_MODELS", "SECONDME_KEY_FILE", "SECONDME_KEY_COMMAND")
_UNIT = """\
[Unit]
Description=secondme memory daemon
StartLimitIntervalSec=60
StartLimitBurst=4

[Service]
Type=notify
ExecStart={command}
{environment}Restart=on-failure
RestartSec=2
TimeoutStopSec=10
Slice=background.slice
Nice=5
IOSchedulingClass=idle
CPUWeight=20
MemoryHigh=60%
OOMPolicy=continue
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
SystemCallArchitectures=native
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
# It never uses the network, and could not; a server on this machine is reached where models.endpoint names one.
RestrictAddressFamilies={families}

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What installing or uninstalling did."""

    path: Path
    is_enabled: bool
    """True where the system starts or stopped it by itself now."""
    what_to_do: str
    """What the user has to do, where it is not."""


def unit_path() -> Path:
    """Return where the service of this user is described."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    return Path(platformdirs.user_config_path()) / "systemd" / "user" / f"{LABEL}.service"


def unit_text(command: list[str], environment: dict[str, str], *, has_endpoint: bool = False) -> str:
    """Return the systemd unit that runs `command`; with an endpoint it may open more than local sockets."""
    lines = "".join(f'Environment="{name}={_escaped(value)}"\n' for name, value in environment.items())
    families = "AF_UNIX AF_INET AF_INET6" if has_endpoint else "AF_UNIX"
    called = " ".join(f'"{_escaped(part)}"' for part in command)
    return _UNIT.format(command=called, environment=lines, families=families)


def agent(command: list[str], environment: dict[str, str], log: Path) -> bytes:
    """Return the launchd agent that runs `command`."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": command,
            "EnvironmentVariables": environment,
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ProcessType": "Background",
            "LowPriorityIO": True,
            "Nice": 5,
            "StandardErrorPath": str(log),
        }
    )


def install(log: Path, *, has_endpoint: bool = False) -> Installed:
    """Describe the service to the system and have it started, now and at each login."""
    path, command = unit_path(), [sys.executable, "-P", "-m", "secondme", "daemon", "run"]
    environment = {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
    is_mac = sys.platform == "darwin"
    content = (
        agent(command, environment, log)
        if is_mac
        else unit_text(command, environment, has_endpoint=has_endpoint).encode()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if is_mac:
        return Installed(path, _ran("launchctl", "bootstrap", _domain(), str(path)), f"launchctl load {path}")
    is_enabled = _ran("systemctl", "--user", "daemon-reload") and _ran(
        "systemctl", "--user", "enable", "--now", path.name
    )
    return Installed(path, is_enabled, "no systemd answers for this user: secondme daemon start")


def uninstall() -> Installed:
    """End the service and remove its description; nothing else is touched."""
    path = unit_path()
    if sys.platform == "darwin":
        stopped = _ran("launchctl", "bootout", f"{_domain()}/{LABEL}")
    else:
        stopped = _ran("systemctl", "--user", "disable", "--now", path.name)
    path.unlink(missing_ok=True)
    if sys.platform != "darwin":
        _ran("systemctl", "--user", "daemon-reload")
    return Installed(path, stopped, "a daemon that runs is not ended by this: secondme daemon stop")


def notify(state: str) -> None:
    """Tell the service manager how things are, where one started this process and wants to know."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def _escaped(text: str) -> str:
    """Return text as it is written between quotes in a unit, where % and $ and \\ have meanings."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")


def _ran(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _domain() -> str:
    return f"gui/{os.getuid()}"
