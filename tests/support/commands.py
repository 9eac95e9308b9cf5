"""Commands that are called in this process."""

from __future__ import annotations

import pytest

from semcore.cli import main


def call(*arguments: object) -> int:
    """Call `semcore` with these arguments; returns the exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    return int(ended.value.code or 0)


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code of `semcore` with these arguments, and all that it prints."""
    capsys.readouterr()
    code = call(*arguments)
    printed = capsys.readouterr()
    return code, printed.out + printed.err
