"""Learned joint source-channel coding: networks that turn a picture into symbols and noisy symbols into a picture."""
