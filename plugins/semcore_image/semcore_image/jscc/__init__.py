"""Learned joint source-channel coding: pictures to symbols and noisy symbols to pictures."""
