"""Every component of this package that needs no trained weights keeps the laws of its interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from semcore.testing import conformance, run_laws
from semcore_image.bitstream import BitstreamEncoder, BitstreamGenerator
from semcore_image.codecs import HevcIntra, Jpeg, Png, Raw, WebP
from semcore_image.samples import SamplePictures
from semcore_image.selectors import First
from semcore_image.sources import CIFAR10, ImageFolder

test_codecs = conformance(
    Raw(), Png(), Jpeg(), Jpeg(quality=95, subsampling="4:4:4"), WebP(), WebP(lossless=True), HevcIntra()
)
test_conventional_link = conformance(
    BitstreamEncoder(codec=Jpeg()), BitstreamGenerator(codec=Raw(), size=(32, 32)), BitstreamGenerator(codec=Png()), First()
)
test_samples = conformance(SamplePictures(limit=3))


def test_sources_on_disk(tmp_path: Path):
    for name in ("ship", "truck"):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.fromarray(np.full((32, 32, 3), 9, np.uint8)).save(tmp_path / "test" / name / "0.png")
    for source in (ImageFolder(path=str(tmp_path)), CIFAR10(path=str(tmp_path))):
        assert not [f"{one.law.name}: {one.message}" for one in run_laws(source) if one.result == "broken"]
