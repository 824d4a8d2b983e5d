"""What tells the system to start the daemon."""

from __future__ import annotations

import plistlib
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import Run

from secondme.daemon.units import agent, notify, unit_path, unit_text

COMMAND = ["/home/ann/my venv/100%/bin/python", "-m", "secondme", "daemon", "run"]


def test_a_unit_quotes_what_the_system_would_expand() -> None:
    text = unit_text(COMMAND, {"SECONDME_HOME": '/data/$x "y"'})
    assert 'ExecStart="/home/ann/my venv/100%%/bin/python" "-m" "secondme" "daemon" "run"\n' in text
    assert 'Environment="SECONDME_HOME=/data/$$x \\"y\\""\n' in text
    for line in ("Type=notify", "Nice=5", "IOSchedulingClass=idle", "UMask=0077", "NoNewPrivileges=yes"):
        assert f"\n{line}\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "secondme.service"
    command = [shutil.which("true") or "/bin/true", "-m", "secondme"]
    path.write_text(unit_text(command, {"SECONDME_HOME": "/data/my notes"}), encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", path], capture_output=True, text=True, check=False
    )
    problems = [line for line in checked.stderr.splitlines() if "secondme" in line]
    assert problems == []


def test_an_agent_is_a_property_list_that_restarts_after_a_crash_only() -> None:
    found = plistlib.loads(agent(COMMAND, {"SECONDME_HOME": "/data"}, Path("/logs/daemon.log")))
    assert found["ProgramArguments"] == COMMAND
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert found["EnvironmentVariables"] == {"SECONDME_HOME": "/data"}


def test_it_is_written_and_removed_where_no_systemd_answers(
    call: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    installed = call("daemon", "install")
    assert (installed.code, installed.stdout) == (0, f"{unit_path()}\n")
    assert "secondme daemon start" in installed.stderr
    assert unit_path().exists()
    assert call("daemon", "uninstall").code == 0
    assert not unit_path().exists()
    assert call("daemon", "uninstall").code == 0


def test_the_service_manager_is_told_when_all_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"{folder}/notify")
        monkeypatch.setenv("NOTIFY_SOCKET", f"{folder}/notify")
        notify("READY=1")
        assert listening.recv(100) == b"READY=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")
