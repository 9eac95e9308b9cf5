"""Memory of runs over clips of many segments: it does not grow with their number."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FRAGMENTS = """\
import sys
import numpy as np
from semcore.runs.allocator import return_large_blocks

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

return_large_blocks()
for _ in range(2):  # from now on glibc takes such blocks from its heap, unless it is told not to
    del (block := [np.ones(31 * 2**20, np.uint8)])[0]
before, kept = resident(), []
for step in range(40):
    blocks = [np.ones(15 * 2**20 - step * 1000 + other * 777, np.uint8) for other in range(4)]
    kept.append([bytearray(3000) for _ in range(50)])
    more = np.ones((20 + step % 7) * 2**20, np.uint8)
    kept.append(bytearray(100_000))
    del blocks, more
print(resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_blocks_that_were_freed_go_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FRAGMENTS], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 32 * 2**20


PIPELINE = """\
semcore: 1
source: {{use: av-clips, path: {path}, face: false, segment_s: 1, size: [128, 128]}}
encoder: {{use: video-codec}}
transport: {{use: ldpc}}
channel: {{use: awgn, snr_db: 12}}
generator: {{use: video-codec}}
metrics: [frame-psnr]
"""
MEASURED = """\
import resource, sys
from semcore.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code
print("peak:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def clip(place: Path, seconds: int) -> Path:
    """Smooth noise that moves, 640x360, 25 frames a second."""
    import av
    from PIL import Image

    place.parent.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (45, 80, 3), np.uint8)
    picture = np.asarray(Image.fromarray(noise).resize((640, 360), Image.Resampling.BICUBIC))
    with av.open(str(place), "w") as out:
        video: Any = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        video.options = {"preset": "ultrafast", "threads": "1"}
        for index in range(25 * seconds):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 4 * index, 1), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return place


@pytest.mark.slow
def test_ten_times_as_many_segments_take_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for seconds in (12, 120):
        (tmp_path / f"{seconds}.yaml").write_text(
            PIPELINE.format(path=clip(tmp_path / str(seconds) / "a.mp4", seconds))
        )
        arguments = [
            "run",
            str(tmp_path / f"{seconds}.yaml"),
            "--out",
            str(tmp_path / f"run-{seconds}"),
        ]
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.rpartition("peak:")[2]))
    assert peaks[1] < peaks[0] + 64e6
