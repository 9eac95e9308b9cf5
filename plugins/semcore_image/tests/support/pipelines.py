"""Pipelines of diffusers without a U-Net, small and of random weights."""

from __future__ import annotations

from typing import Any

import torch

from .tokenizers import WORDS, word_tokenizer

KINDS = ("sd3", "flux", "pixart", "sana")


def _clip_text(projected: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=32,
        max_position_embeddings=77,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    )


def _words(length: int = 77) -> Any:
    tokenizer = word_tokenizer(WORDS)
    tokenizer.model_max_length = length
    return tokenizer


def _vae(channels: int) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        latent_channels=channels,
        norm_num_groups=4,
        shift_factor=0.1,
        scaling_factor=1.5,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def made(kind: str) -> Any:
    """A pipeline of random weights."""
    import diffusers as d

    torch.manual_seed(5)
    flow = d.FlowMatchEulerDiscreteScheduler()
    if kind == "sd3":
        net = d.SD3Transformer2DModel(
            sample_size=16,
            patch_size=1,
            in_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_projection_dim=16,
            joint_attention_dim=64,
            pooled_projection_dim=64,
            out_channels=4,
        )
        encoders = {
            "text_encoder": _clip_text(True),
            "text_encoder_2": _clip_text(True),
            "text_encoder_3": None,
        }
        words = {"tokenizer": _words(), "tokenizer_2": _words(), "tokenizer_3": None}
        return d.StableDiffusion3Pipeline(net, flow, _vae(4), **encoders, **words)
    if kind == "flux":
        net = d.FluxTransformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=[4, 4, 8],
        )
        return d.FluxPipeline(flow, _vae(1), _clip_text(False), _words(), _t5(), _words(), net)
    if kind == "pixart":
        net = d.PixArtTransformer2DModel(
            sample_size=16,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_channels=32,
            in_channels=4,
            cross_attention_dim=16,
            out_channels=8,
            norm_type="ada_norm_single",
        )
        return d.PixArtSigmaPipeline(_words(), _t5(), _vae(4), net, d.DDIMScheduler())
    from transformers import Gemma2Config, Gemma2Model

    net = d.SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=8,
        sample_size=16,
    )
    vae = d.AutoencoderDC(
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
    )
    text = Gemma2Model(
        Gemma2Config(
            head_dim=8,
            hidden_size=8,
            intermediate_size=16,
            num_attention_heads=2,
            num_hidden_layers=1,
            num_key_value_heads=2,
            vocab_size=60,
        )
    )
    return d.SanaPipeline(_words(300), text, vae, net, flow)
