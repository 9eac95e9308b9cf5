"""Videos with their sound as files that a browser plays."""

from __future__ import annotations

import io

import numpy as np

from semcore.types import Sample

RATE_HZ = 48000
"""Of the sound in a clip; AAC knows few rates, and every player knows this one."""


def mp4(sample: Sample) -> bytes | None:
    """The video of a sample with its sound, H.264 and AAC; None without a video, or without PyAV.

    One thread encodes, so that equal samples give equal bytes.
    """
    if sample.video is None or not len(sample.video):
        return None
    try:
        import av
    except ImportError:
        return None
    from fractions import Fraction

    buffer = io.BytesIO()
    # colour has half the resolution
    height, width = (side + side % 2 for side in sample.video.shape[1:3])
    with av.open(buffer, "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=Fraction(sample.fps or 25).limit_denominator(1001))
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = {"crf": "20", "threads": "1", "preset": "veryfast"}
        sound = None
        if sample.audio is not None and sample.sample_rate_hz and len(sample.audio):
            sound = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        for pixels in sample.video:
            whole = np.pad(
                pixels,
                ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)),
                "edge",
            )
            out.mux(
                video.encode(
                    av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="rgb24")
                )
            )
        out.mux(video.encode(None))
        if sound is not None and sample.audio is not None:
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sample.audio[None]), format="fltp", layout="mono"
            )
            frame.sample_rate = sample.sample_rate_hz or RATE_HZ
            resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
            for decoded in (frame, None):
                for part in resampler.resample(decoded):
                    out.mux(sound.encode(part))
            out.mux(sound.encode(None))
    return buffer.getvalue()
