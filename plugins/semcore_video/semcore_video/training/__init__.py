"""How the shipped numbers of this package are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from semcore.interfaces import ChannelModel, Recipe


@dataclass(frozen=True)
class FaceBasisRecipe(Recipe):
    """Learns the six directions in which expressions move the points of a face, from videos of speaking people.

    Fields:
        data: folder of videos, for example of the GRID corpus
        lips: weight of the points of the lips
        eyes: weight of the points of the eyes
        leave_out: the video of this name is left out, to measure how well the others describe it; null: none
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "lugaresi2019mediapipe")

    data: str
    lips: Annotated[float, Ge(0)] = 3.0
    eyes: Annotated[float, Ge(0)] = 2.0
    leave_out: str | None = None

    def train(self, out: Path) -> None:
        from semcore_video.training.face_basis import train

        train(self, out)


@dataclass(frozen=True)
class MeanFaceRecipe(Recipe):
    """Takes the mean of dlib's embeddings of several people, one a video.

    Fields:
        data: folder of videos, for example of the GRID corpus
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "king2009dlib", "lugaresi2019mediapipe")

    data: str

    def train(self, out: Path) -> None:
        from semcore_video.training.mean_face import train

        train(self, out)


@dataclass(frozen=True)
class VisemesRecipe(Recipe):
    """Learns how the expressions of a face follow from what is said, from clips of the GRID corpus.

    Fields:
        data: folder of clips of the GRID corpus
        ridge: penalty of large coefficients
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "huggins2006pocketsphinx")

    data: str
    ridge: Annotated[float, Ge(0)] = 3.0

    def train(self, out: Path) -> None:
        from semcore_video.training.visemes import train

        train(self, out)


@dataclass(frozen=True)
class LipFitRecipe(Recipe):
    """Learns for the metric lip-fit what lips do when they are heard.

    Fields:
        data: folder of videos with sound, for example of the GRID corpus
        ridge: penalty of large coefficients
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "lugaresi2019mediapipe")

    data: str
    ridge: Annotated[float, Ge(0)] = 100.0

    def train(self, out: Path) -> None:
        from semcore_video.training.lip_fit import train

        train(self, out)


@dataclass(frozen=True)
class TemporalRecipe(Recipe):
    """Trains temporal-durations, -text or -phones: a stream through encoder, noisy channel and decoder, least error (eq. 15).

    Fields:
        of: the stream
        channel: what is trained over, any that is registered; its `snr_db` or `block_snr_db` is drawn anew all the time
        snr_db: lowest and highest Es/N0 of the training, dB
        symbols: fewest and most symbols of a row in the training
        symbols_measured: symbols of a row where the card measures
        epochs: number of checkpoints
        steps: batches between two checkpoints
        batch_size: rows a step
        learning_rate: peak rate (AdamW)
        seed: seed of weights, sentences, order and noise
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)

    of: Literal["durations", "text", "phones"]
    channel: ChannelModel
    snr_db: tuple[Annotated[float, Ge(-50), Le(100)], Annotated[float, Ge(-50), Le(100)]] = (-8.0, 23.0)
    symbols: tuple[Annotated[int, Ge(1)], Annotated[int, Ge(1)]] = (100, 600)
    symbols_measured: Annotated[int, Ge(1)] = 300
    epochs: Annotated[int, Ge(1)] = 16
    steps: Annotated[int, Ge(1)] = 200
    batch_size: Annotated[int, Ge(8)] = 64
    learning_rate: float = 2e-3
    seed: int = 6
    threads: int = 1

    def train(self, out: Path) -> None:
        from semcore_video.training.temporal import train

        train(self, out)


@dataclass(frozen=True)
class MotionCodeRecipe(Recipe):
    """Learns for the transport temporal-motion how likely faces make each cosine of their motion, in a few kinds of clips.

    Fields:
        data: folder of videos of speaking people
        channel: what the card measures over; its `snr_db` or `block_snr_db` is set to each SNR of the table
        kinds: kinds of clips, besides the one that `dct` knows
        symbols: complex symbols of a clip
        times: transmissions that the card takes the mean of
        seed: seed of the clips and their variations
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")

    data: str
    channel: ChannelModel
    kinds: Annotated[int, Ge(1), Le(7)] = 7
    symbols: Annotated[int, Ge(1)] = 300
    times: Annotated[int, Ge(1)] = 8
    seed: int = 6

    def train(self, out: Path) -> None:
        from semcore_video.training.temporal_motion import train

        train(self, out)


@dataclass(frozen=True)
class MelVoiceRecipe(Recipe):
    """Trains the generator fastspeech: phones and durations to a mel spectrogram (eq. 16), on speech of eSpeak NG.

    Fields:
        sentences: number of sentences that are spoken to learn from
        epochs: number of checkpoints
        steps: batches between two checkpoints
        batch_size: sentences a step
        learning_rate: peak rate (AdamW)
        seed: seed of weights, sentences and order
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "ren2021fastspeech")

    sentences: Annotated[int, Ge(100)] = 2000
    epochs: Annotated[int, Ge(1)] = 20
    steps: Annotated[int, Ge(1)] = 250
    batch_size: Annotated[int, Ge(1)] = 12
    learning_rate: float = 1.5e-3
    seed: int = 6
    threads: int = 1

    def train(self, out: Path) -> None:
        from semcore_video.training.voices import train_mel

        train_mel(self, out)


@dataclass(frozen=True)
class LipVoiceRecipe(MelVoiceRecipe):
    """Trains the generator lip-voice: lips and phones to a mel spectrogram (eq. 19 to 23), on portraits made to speak.

    Fields:
        data: folder of clips of the GRID corpus, whose faces and lips are learnt from, too
        leave_out: clips of these names are left out, to be measured with
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")

    data: str = ""
    leave_out: tuple[str, ...] = ()

    def train(self, out: Path) -> None:
        from semcore_video.training.voices import train_lips

        train_lips(self, out)


@dataclass(frozen=True)
class JointRecipe(Recipe):
    """Trains a network that sends what there is itself, through a noisy channel.

    Fields:
        data: folder of videos with sound
        channel: what is trained over, any that is registered; its `snr_db` or `block_snr_db` is drawn anew all the time
        leave_out: clips of these names are left out, to be measured with
        snr_db: lowest and highest Es/N0 of the training, dB
        epochs: number of checkpoints
        steps: batches between two checkpoints
        batch_size: pieces of videos or sounds a step
        learning_rate: peak rate (AdamW)
        seed: seed of weights, order and noise
        threads: CPU threads
    """

    data: str
    channel: ChannelModel
    leave_out: tuple[str, ...] = ()
    snr_db: tuple[Annotated[float, Ge(-50), Le(100)], Annotated[float, Ge(-50), Le(100)]] = (-5.0, 23.0)
    epochs: Annotated[int, Ge(1)] = 20
    steps: Annotated[int, Ge(1)] = 125
    batch_size: Annotated[int, Ge(1)] = 4
    learning_rate: float = 1e-3
    seed: int = 6
    threads: int = 1


@dataclass(frozen=True)
class DeepWiVeRecipe(JointRecipe):
    """Trains the encoder and generator deepwive: frames to numbers and back, through a noisy channel."""

    cites: ClassVar[tuple[str, ...]] = ("tung2022deepwive", "cooke2006audio")

    def train(self, out: Path) -> None:
        from semcore_video.training.joint import train_frames

        train_frames(self, out)


@dataclass(frozen=True)
class DeepSCSRecipe(JointRecipe):
    """Trains the encoder and generator deepsc-s: a waveform to numbers and back, through a noisy channel."""

    cites: ClassVar[tuple[str, ...]] = ("weng2021semantic", "cooke2006audio")

    def train(self, out: Path) -> None:
        from semcore_video.training.joint import train_sound

        train_sound(self, out)
