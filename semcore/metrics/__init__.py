"""Metrics of any link, and what metrics of plugins are built from."""

from semcore.metrics.builtin import MSE, PSNR, SSIM, RecordMetric, pictures
from semcore.metrics.similarity import WINDOW, Border, ms_ssim, ssim

__all__ = ["Border", "MSE", "PSNR", "RecordMetric", "SSIM", "WINDOW", "ms_ssim", "pictures", "ssim"]
