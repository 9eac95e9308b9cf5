"""Real3D-Portrait. It is not a package; the authors' program runs in its own environment."""

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

from semcore import (
    Candidates,
    Generator,
    KnowledgeBase,
    Rng,
    RunError,
    Sample,
    Semantics,
    Stream,
    extra,
    path_digest,
)
from semcore_video.face.reference import newest_picture
from semcore_video.licences import REAL3D
from semcore_video.media.reading import read_clip
from semcore_video.media.scaling import resized
from semcore_video.paper import PAPER
from semcore_video.resampling import nearest_frames

FOLDER, PYTHON = "REAL3D_PORTRAIT", "REAL3D_PORTRAIT_PYTHON"
"""Environment variables: the folder of the program, and its Python interpreter. A pipeline cannot
set either, because that would run arbitrary code."""
PROGRAM = "inference/real3d_infer.py"
NEEDED = (
    PROGRAM,
    "deep_3drecon/BFM/BFM_model_front.mat",
    "checkpoints/240210_real3dportrait_orig/audio2secc_vae/model_ckpt_steps_400000.ckpt",
    "checkpoints/240210_real3dportrait_orig/secc2plane_torso_orig/model_ckpt_steps_100000.ckpt",
    "checkpoints/pretrained_ckpts/mit_b0.pth",
)
"""Files required in the folder of the program."""
HOME = "github.com/yerfor/Real3DPortrait"


@dataclass(frozen=True)
class Real3DPortrait(Generator):
    """Video from audio by Real3D-Portrait: its audio-to-motion network (eq. 17) and renderer (eq.
    18) animate the reference picture.

    Its input is the sound of the voice, and a reference picture of the user in the knowledge base;
    without a picture the result is the sound alone. The program of its authors is run once per
    sample, in the folder given by the environment variable REAL3D_PORTRAIT, with the interpreter
    given by REAL3D_PORTRAIT_PYTHON, or by default the current one.

    Errors: RunError if the program or one of its checkpoints is missing, or if it fails.

    Fields:
        voice: makes the sound
        temperature: sampling temperature of the motion
        mouth: factor of the mouth opening
        patience_s: time limit per sample, s
    """

    licences: ClassVar[tuple[str, ...]] = (REAL3D,)
    reference: ClassVar[str] = f"Z. Ye et al., Real3D-Portrait, ICLR 2024; {PAPER}, eq. 17 and 18"
    cites: ClassVar[tuple[str, ...]] = ("ye2024real3d", "liu2026semantic")
    test_settings = ({"voice": {"use": "espeak"}},)

    voice: Generator
    temperature: Annotated[float, Gt(0), Le(10)] = 0.2
    mouth: Annotated[float, Gt(0), Le(5)] = 0.45
    patience_s: Annotated[float, Gt(0)] = 1800.0

    def libraries(self) -> Mapping[str, str]:
        return {"soundfile": "semcore-video[speech]"}

    def identity(self) -> Any:
        """The digests of the program and of the files it needs; None: not installed."""
        folder_name = os.environ.get(FOLDER)
        if not folder_name:
            return None
        folder = Path(folder_name).expanduser()
        code = path_digest(folder, ("*.py", "*.yaml", "*.yml", "*.json"))
        return {"program": code, **{Path(name).name: path_digest(folder / name) for name in NEEDED}}

    @property
    def accepts(self) -> Mapping[str, tuple[type[Stream], ...]]:  # type: ignore[override]  # of a class until its voice is known
        return self.voice.accepts

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        sounds = self.voice.generate(batch, kb, rng.at("voice"))
        return [
            Candidates([self._result(received, sound.samples[0], kb)])
            for received, sound in zip(batch, sounds, strict=True)
        ]

    def _result(self, received: Semantics, sound: Sample, kb: KnowledgeBase) -> Sample:
        picture = newest_picture(kb, received.user)
        if picture is None or sound.audio is None or not sound.sample_rate_hz:
            return sound
        video, fps = self._render(picture, sound.audio, sound.sample_rate_hz)
        frames, granted = received.extent.pictures(fps)
        return replace(sound, video=nearest_frames(video, frames) if frames else video, fps=granted)

    def _render(
        self, picture: np.ndarray, audio: np.ndarray, sample_rate_hz: int
    ) -> tuple[np.ndarray, float]:
        """The picture uint8 (H, W, 3) animated by a sound: frames of the same size, and their
        rate."""
        from PIL import Image

        with extra("semcore-video[speech]", "sound files are written by soundfile"):
            import soundfile

        folder = program_folder()
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            Image.fromarray(picture).save(place / "reference.png")
            soundfile.write(place / "speech.wav", audio, sample_rate_hz)
            arguments = {
                "src_img": place / "reference.png",
                "drv_aud": place / "speech.wav",
                "out_name": place / "video.mp4",
                "out_mode": "final",
                "temperature": self.temperature,
                "mouth_amp": self.mouth,
            }
            command = [os.environ.get(PYTHON) or sys.executable, PROGRAM]
            for key, value in arguments.items():
                command += [f"--{key}", str(value)]
            self._run(command, folder)
            if not (place / "video.mp4").is_file():
                raise RunError(
                    f"Real3DPortrait: {PROGRAM} in {folder} ended without writing a video"
                )
            frames, fps, _ = read_clip(place / "video.mp4", sample_rate_hz)
        size = (picture.shape[0], picture.shape[1])
        return np.stack([resized(frame, size) for frame in frames]), fps

    def _run(self, command: Sequence[str], folder: Path) -> None:
        options: dict[str, Any] = {
            "cwd": folder,
            "env": {**os.environ, "PYTHONPATH": str(folder)},
            "timeout": self.patience_s,
        }
        try:
            done = subprocess.run(command, capture_output=True, check=False, **options)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RunError(
                f"Real3DPortrait: {PROGRAM} in {folder} could not run: {error}"
            ) from error
        if done.returncode:
            error_lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise RunError(
                f"Real3DPortrait: {PROGRAM} in {folder} failed: "
                f"{error_lines[-1] if error_lines else done.returncode}"
            )


def program_folder() -> Path:
    """The folder of the program.

    Raises:
        RunError: it is not set, or required files are missing; the message lists them
    """
    folder_name = os.environ.get(FOLDER)
    if not folder_name:
        raise RunError(
            f"Real3DPortrait: set {FOLDER} to a checkout of {HOME} with its checkpoints, and "
            f"{PYTHON} to the interpreter of its environment"
        )
    folder = Path(folder_name).expanduser()
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise RunError(
            f"Real3DPortrait: {folder} lacks {', '.join(missing)}; the README of {HOME} states "
            "where to get them"
        )
    return folder
