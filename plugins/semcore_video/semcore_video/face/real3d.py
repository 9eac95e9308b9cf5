"""Real3D-Portrait, which is no package: its authors' own program is called, in an environment of
its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Gt, Le

from semcore.errors import RunError
from semcore.fingerprint.content import fingerprint
from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.face.reference import newest_picture
from semcore_video.licences import REAL3D
from semcore_video.media.reading import read_clip
from semcore_video.paper import PAPER
from semcore_video.resampling import nearest

FOLDER, PYTHON = "REAL3D_PORTRAIT", "REAL3D_PORTRAIT_PYTHON"
"""Environment variables: the folder of the program, and the interpreter that runs it. A pipeline
cannot name either, for it would start what somebody else wrote."""
PROGRAM = "inference/real3d_infer.py"
NEEDED = (
    PROGRAM,
    "deep_3drecon/BFM/BFM_model_front.mat",
    "checkpoints/240210_real3dportrait_orig/audio2secc_vae/model_ckpt_steps_400000.ckpt",
    "checkpoints/240210_real3dportrait_orig/secc2plane_torso_orig/model_ckpt_steps_100000.ckpt",
    "checkpoints/pretrained_ckpts/mit_b0.pth",
)
"""What the program needs, in its folder."""
HOME = "github.com/yerfor/Real3DPortrait"


@dataclass(frozen=True)
class Real3DPortrait(Generator):
    """Video from audio by Real3D-Portrait: its audio-to-motion (eq. 17) and its renderer (eq. 18)
    move the reference picture.

    It hears what the voice says, and needs a reference picture of the user in the knowledge base;
    without one there is sound alone. The program of its authors is started once a sample, in the
    folder that the environment variable REAL3D_PORTRAIT names, by the interpreter in
    REAL3D_PORTRAIT_PYTHON, or else by this one.

    Errors: RunError if the program or one of its checkpoints is missing, or if it fails.

    Fields:
        voice: makes the sound
        temperature: how freely the motion is drawn
        mouth: factor of the opening of the mouth
        patience_s: longest run for one sample, s
    """

    licences: ClassVar[tuple[str, ...]] = (REAL3D,)
    reference: ClassVar[str] = f"Z. Ye et al., Real3D-Portrait, ICLR 2024; {PAPER}, eq. 17 and 18"
    cites: ClassVar[tuple[str, ...]] = ("ye2024real3d", "liu2026semantic")
    test_settings = ({"voice": {"use": "espeak"}},)

    voice: Generator
    temperature: Annotated[float, Gt(0), Le(10)] = 0.2
    mouth: Annotated[float, Gt(0), Le(5)] = 0.45
    patience_s: Annotated[float, Gt(0)] = 1800.0

    def identity(self) -> Any:
        """The digests of the program and of what it needs; None: it is not there."""
        named = os.environ.get(FOLDER)
        if not named:
            return None
        folder = Path(named).expanduser()
        code = fingerprint(folder, ("*.py", "*.yaml", "*.yml", "*.json"))
        return {"program": code, **{Path(name).name: fingerprint(folder / name) for name in NEEDED}}

    @property
    def accepts(self) -> Mapping[str, tuple[type[Stream], ...]]:  # type: ignore[override]  # of a class until its voice is known
        return self.voice.accepts

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        heard = self.voice.generate(batch, kb, rng.at("voice"))
        return [
            Candidates([self._seen(got, one.samples[0], kb)])
            for got, one in zip(batch, heard, strict=True)
        ]

    def _seen(self, got: Semantics, sound: Sample, kb: KnowledgeBase) -> Sample:
        picture = newest_picture(kb, got.user)
        if picture is None or sound.audio is None or not sound.sample_rate_hz:
            return sound
        video, fps = self._moved(picture, sound.audio, sound.sample_rate_hz)
        frames, granted = got.extent.pictures(fps)
        return replace(sound, video=nearest(video, frames) if frames else video, fps=granted)

    def _moved(
        self, picture: np.ndarray, audio: np.ndarray, sample_rate_hz: int
    ) -> tuple[np.ndarray, float]:
        """The picture uint8 (H, W, 3) as it speaks: frames of its size, and how many a second."""
        import soundfile
        from PIL import Image

        folder = program_folder()
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            Image.fromarray(picture).save(place / "reference.png")
            soundfile.write(place / "speech.wav", audio, sample_rate_hz)
            asked = {
                "src_img": place / "reference.png",
                "drv_aud": place / "speech.wav",
                "out_name": place / "video.mp4",
                "out_mode": "final",
                "temperature": self.temperature,
                "mouth_amp": self.mouth,
            }
            command = [os.environ.get(PYTHON) or sys.executable, PROGRAM]
            command += [word for key, value in asked.items() for word in (f"--{key}", str(value))]
            self._run(command, folder)
            if not (place / "video.mp4").is_file():
                raise RunError(f"Real3DPortrait: {PROGRAM} in {folder} ended, but wrote no video")
            frames, fps, _ = read_clip(place / "video.mp4", sample_rate_hz)
        size = (picture.shape[1], picture.shape[0])
        resized = [
            np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC))
            for one in frames
        ]
        return np.stack(resized), fps

    def _run(self, command: Sequence[str], folder: Path) -> None:
        known: dict[str, Any] = {
            "cwd": folder,
            "env": {**os.environ, "PYTHONPATH": str(folder)},
            "timeout": self.patience_s,
        }
        try:
            done = subprocess.run(command, capture_output=True, check=False, **known)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RunError(f"Real3DPortrait: {PROGRAM} in {folder} did not run: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise RunError(
                f"Real3DPortrait: {PROGRAM} in {folder} failed: "
                f"{said[-1] if said else done.returncode}"
            )


def program_folder() -> Path:
    """The folder of the program, with all that it needs.

    Raises:
        RunError: it is not named, or files are missing, each of which is told
    """
    named = os.environ.get(FOLDER)
    if not named:
        raise RunError(
            f"Real3DPortrait: set {FOLDER} to a checkout of {HOME} with its checkpoints, and "
            f"{PYTHON} to the interpreter of "
            "its environment"
        )
    folder = Path(named).expanduser()
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise RunError(
            f"Real3DPortrait: {folder} lacks {', '.join(missing)}; the README of {HOME} tells "
            "where to fetch them"
        )
    return folder
