from .face.encoder import FaceMotion as FaceMotion
from .face.generator import MeshWarp as MeshWarp
from .face.keypoints import FaceKeypoints as FaceKeypoints
from .face.keypoints import KeypointWarp as KeypointWarp
from .face.real3d import Real3DPortrait as Real3DPortrait
from .jscc.components import (
    DeepSCSEncoder as DeepSCSEncoder,
)
from .jscc.components import (
    DeepSCSGenerator as DeepSCSGenerator,
)
from .jscc.components import (
    DeepWiVeEncoder as DeepWiVeEncoder,
)
from .jscc.components import (
    DeepWiVeGenerator as DeepWiVeGenerator,
)
from .kb.face import FaceKB as FaceKB
from .kb.policies import AlwaysKB as AlwaysKB
from .kb.policies import PsnrKB as PsnrKB
from .kb.policies import StaticKB as StaticKB
from .metrics.arcface import ArcFaceCSIM as ArcFaceCSIM
from .metrics.faces import (
    AKD as AKD,
)
from .metrics.faces import (
    CSIM as CSIM,
)
from .metrics.faces import (
    CentredCSIM as CentredCSIM,
)
from .metrics.faces import (
    FramePSNR as FramePSNR,
)
from .metrics.faces import (
    LipCorrelation as LipCorrelation,
)
from .metrics.frames import Frames as Frames
from .metrics.lip_fit import LipFit as LipFit
from .metrics.lip_fit import LipFitLag as LipFitLag
from .metrics.speech import (
    PESQ as PESQ,
)
from .metrics.speech import (
    STOI as STOI,
)
from .metrics.speech import (
    EnvelopeCorrelation as EnvelopeCorrelation,
)
from .metrics.speech import (
    SpeechWER as SpeechWER,
)
from .metrics.sync import LipSync as LipSync
from .metrics.sync import SyncLag as SyncLag
from .metrics.syncnet import LSEC as LSEC
from .metrics.syncnet import LSED as LSED
from .sources.clips import Clips as Clips
from .sources.clips import Grid as Grid
from .sources.layouts import LRS2 as LRS2
from .sources.layouts import VoxCeleb as VoxCeleb
from .sources.sequences import PictureSequences as PictureSequences
from .sources.talking_samples import TalkingSamples as TalkingSamples
from .speech.encoder import Audiovisual as Audiovisual
from .speech.encoder import Speech as Speech
from .speech.fastspeech2 import FastSpeech2 as FastSpeech2
from .speech.generator import EspeakVoice as EspeakVoice
from .speech.lip_timing import LipTiming as LipTiming
from .speech.mel_voices import FastSpeech as FastSpeech
from .speech.mel_voices import LipVoice as LipVoice
from .speech.moonshine import Moonshine as Moonshine
from .speech.recognise import PocketSphinx as PocketSphinx
from .speech.talking_head import TalkingHead as TalkingHead
from .speech.viseme_motion import VisemeMotion as VisemeMotion
from .speech.vocoders import GriffinLim as GriffinLim
from .speech.vocoders import HifiGan as HifiGan
from .speech.whisper import Whisper as Whisper
from .training.deepsc_s import DeepSCSRecipe as DeepSCSRecipe
from .training.deepwive import DeepWiVeRecipe as DeepWiVeRecipe
from .training.face_basis import FaceBasisRecipe as FaceBasisRecipe
from .training.fastspeech import MelVoiceRecipe as MelVoiceRecipe
from .training.lip_fit import LipFitRecipe as LipFitRecipe
from .training.lip_voice import LipVoiceRecipe as LipVoiceRecipe
from .training.mean_face import MeanFaceRecipe as MeanFaceRecipe
from .training.temporal import TemporalRecipe as TemporalRecipe
from .training.temporal_motion import MotionCodeRecipe as MotionCodeRecipe
from .training.visemes import VisemesRecipe as VisemesRecipe
from .transports.dct import DCT as DCT
from .transports.temporal import (
    TemporalDurations as TemporalDurations,
)
from .transports.temporal import (
    TemporalMotion as TemporalMotion,
)
from .transports.temporal import (
    TemporalPhones as TemporalPhones,
)
from .transports.temporal import (
    TemporalText as TemporalText,
)
from .video_codec import VideoDecoder as VideoDecoder
from .video_codec import VideoEncoder as VideoEncoder
