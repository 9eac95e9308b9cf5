from .captioning.llava import LlavaCaption as LlavaCaption
from .captioning.mini import MiniCaptionEncoder as MiniCaptionEncoder
from .codecs.bitstream import (
    BitstreamEncoder as BitstreamEncoder,
)
from .codecs.bitstream import (
    BitstreamGenerator as BitstreamGenerator,
)
from .codecs.compressai import CompressAI as CompressAI
from .codecs.hevc import HevcIntra as HevcIntra
from .codecs.jpeg import Jpeg as Jpeg
from .codecs.picture import PictureEncoder as PictureEncoder
from .codecs.picture import PictureGenerator as PictureGenerator
from .codecs.png import Png as Png
from .codecs.raw import Raw as Raw
from .codecs.webp import WebP as WebP
from .generation.mini import MiniDiffusionGenerator as MiniDiffusionGenerator
from .generation.stable_diffusion import StableDiffusion as StableDiffusion
from .jscc.learned import LearnedTransport as LearnedTransport
from .jscc.module_codec import ModuleCodec as ModuleCodec
from .jscc.transport import WITT as WITT
from .jscc.transport import DeepJSCC as DeepJSCC
from .jscc.transport import LaMoSC as LaMoSC
from .metrics.class_accuracy import ClassAccuracy as ClassAccuracy
from .metrics.clip import ClipImage as ClipImage
from .metrics.clip import ClipScore as ClipScore
from .metrics.float_bytes import FloatBytes as FloatBytes
from .metrics.lpips import LPIPS as LPIPS
from .metrics.ms_ssim import MSSSIM as MSSSIM
from .metrics.pyiqa import PyIQA as PyIQA
from .metrics.scene_accuracy import SceneAccuracy as SceneAccuracy
from .metrics.torchmetrics import TorchMetrics as TorchMetrics
from .mmsemcom.encoder import MultiSemEncoder as MultiSemEncoder
from .mmsemcom.generator import ClassDiffusionGenerator as ClassDiffusionGenerator
from .mmsemcom.selectors import (
    Genie as Genie,
)
from .mmsemcom.selectors import (
    Sequential as Sequential,
)
from .mmsemcom.selectors import (
    Simultaneous as Simultaneous,
)
from .selection.clip_score import ClipScoreSelector as ClipScoreSelector
from .selection.first import First as First
from .sources.celeba import CelebA as CelebA
from .sources.cifar10 import CIFAR10 as CIFAR10
from .sources.cifar100 import CIFAR100 as CIFAR100
from .sources.dataset import Dataset as Dataset
from .sources.folder import ImageFolder as ImageFolder
from .sources.samples import SamplePictures as SamplePictures
from .sources.scenes import Scenes as Scenes
from .sources.stl10 import STL10 as STL10
from .training.class_diffusion import ClassDiffusionRecipe as ClassDiffusionRecipe
from .training.deepjscc import DeepJSCCRecipe as DeepJSCCRecipe
from .training.lamosc import LaMoSCRecipe as LaMoSCRecipe
from .training.mini_caption import MiniCaptionRecipe as MiniCaptionRecipe
from .training.mini_classifier import MiniClassifierRecipe as MiniClassifierRecipe
from .training.mini_clip import MiniClipRecipe as MiniClipRecipe
from .training.mini_diffusion import MiniDiffusionRecipe as MiniDiffusionRecipe
from .training.mini_vae import MiniVaeRecipe as MiniVaeRecipe
from .training.multisem import MultiSemRecipe as MultiSemRecipe
from .training.picture_codec import PictureCodecRecipe as PictureCodecRecipe
from .training.scene_judge import SceneJudgeRecipe as SceneJudgeRecipe
from .training.witt import WITTRecipe as WITTRecipe
