"""The laws of semcore's kit, for settings of every kind."""

from __future__ import annotations

from semcore import KnowledgeBase
from semcore.testing import conformance
from semcore.testing.internals import samples
from semcore_image.codecs.bitstream import BitstreamEncoder, BitstreamGenerator
from semcore_image.codecs.hevc import HevcIntra
from semcore_image.codecs.jpeg import Jpeg
from semcore_image.codecs.raw import Raw
from semcore_image.codecs.webp import WebP
from semcore_image.selection.first import First


def received(encoder: BitstreamEncoder):
    return encoder.encode(samples(), KnowledgeBase())


test_codecs = conformance(
    Jpeg(quality=10, subsampling="4:4:4"), WebP(lossless=True), HevcIntra(chroma="4:2:0")
)
test_encoder = conformance(BitstreamEncoder(WebP(lossless=True)))
test_generator_of_raw = conformance(
    BitstreamGenerator(Raw(), (32, 32)), batch=received(BitstreamEncoder(Raw()))
)
test_generator_of_files = conformance(
    BitstreamGenerator(WebP()), batch=received(BitstreamEncoder(WebP()))
)
test_selector = conformance(First())
