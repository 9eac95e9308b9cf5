"""What memory this process holds."""

from __future__ import annotations

from pathlib import Path

MIB = 2**20


def resident() -> int:
    """Resident memory now, bytes.

    Raises:
        OSError: the system does not report it (Linux does)
    """
    return _line("VmRSS")


def peak() -> int:
    """The most that it ever was, or since `forget_peak`, bytes.

    Raises:
        OSError: the system does not report it (Linux does)
    """
    return _line("VmHWM")


def forget_peak() -> None:
    """Reset the peak; that of `getrusage` includes the parent.

    Raises:
        OSError: the system cannot (Linux can)
    """
    Path("/proc/self/clear_refs").write_text("5")


def _line(name: str) -> int:
    status = Path("/proc/self/status").read_text().split()
    return 1024 * int(status[status.index(f"{name}:") + 1])
