"""Runs on pictures of 12 and 50 megapixels, each in a process whose memory is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PIPELINE = """\
semcore: 1
source: {{use: image-folder, path: {folder}}}
encoder: {{use: bitstream, codec: {{use: jpeg, quality: 10}}}}
transport: {{use: ldpc}}
channel: {{use: awgn, snr_db: 12}}
generator: {{use: bitstream, codec: {{use: jpeg}}}}
metrics: [psnr, ssim, ms-ssim]
"""
MEASURED = """\
import resource, sys
import scipy.ndimage, torch
import semcore_channels.transports.ldpc, semcore_image.codecs.jpeg, semcore_image.metrics.ms_ssim
from semcore.cli import main
rest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code
print("above rest:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - rest)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width", "most_gb"), [(3000, 4000, 2), (6120, 8160, 6)])
def test_a_run_takes_little_memory_on_top_of_the_process_at_rest(
    tmp_path: Path, height: int, width: int, most_gb: float
) -> None:
    (tmp_path / "in").mkdir()
    small = np.random.default_rng(0).integers(0, 256, (height // 40, width // 40, 3), np.uint8)
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(
        tmp_path / "in" / "a.jpg", quality=90
    )
    (tmp_path / "p.yaml").write_text(PIPELINE.format(folder=tmp_path / "in"))
    arguments = ["run", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.rpartition("above rest:")[2]) * 1024 < most_gb * 1e9
