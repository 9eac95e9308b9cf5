"""The frame: TS 38.212's CRC, and a receiver that believes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semcore_channels.coding.crc import crc24, crc24b_bits
from semcore_channels.coding.framing import frame, frame_bytes, header, salvage, unframe
from semcore_channels.sionna_rng import sionna_phy


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_a_frame_gives_its_payload_back_whatever_follows_it(payload, behind):
    assert len(frame(payload)) == frame_bytes(len(payload))
    assert unframe(frame(payload) + behind) == payload
    assert salvage(frame(payload) + behind, len(payload)) == payload


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_burst_of_up_to_24_bits_is_noticed(payload, data):
    whole = bytearray(frame(payload))
    first = len(
        header(len(payload))
    )  # a burst in the header moves the CRC and is noticed with probability 1 - 2^-24
    start = data.draw(st.integers(8 * first, 8 * len(whole) - 24))
    burst = data.draw(st.integers(1, 2**24 - 1))
    damaged = int.from_bytes(whole, "big") ^ burst << (8 * len(whole) - 24 - start)
    assert unframe(damaged.to_bytes(len(whole), "big")) is None


@given(st.binary(max_size=50))
def test_any_bytes_can_be_looked_at(garbage):
    payload = unframe(garbage)
    assert payload is None or len(payload) <= len(garbage)


def test_headers_are_leb128_and_only_in_the_shortest_form():
    assert [header(n) for n in (0, 127, 128, 300)] == [b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02"]
    longer = b"\x80\x00"
    assert unframe(longer + crc24(longer).to_bytes(3, "big")) is None
    assert unframe(b"\xff" * 100) is None and unframe(b"") is None and unframe(b"\x80") is None


@pytest.mark.parametrize("kind", ["A", "B"])
@given(data=st.binary(min_size=1, max_size=50))
def test_the_checks_are_those_of_the_standard(kind, data):
    sionna_phy()
    from sionna.phy.fec.crc import CRCEncoder

    bits = torch.from_numpy(np.unpackbits(np.frombuffer(data, np.uint8))).float()[None]
    expected = CRCEncoder(f"CRC24{kind}", device="cpu")(bits)[0, -24:].int().tolist()
    assert [crc24(data, kind) >> place & 1 for place in range(23, -1, -1)] == expected
    if kind == "B":
        for skipped in range(min(8, len(data) * 8 - 1)):
            front = torch.cat((torch.zeros(1, skipped), bits[:, skipped:]), 1)
            expected = CRCEncoder("CRC24B", device="cpu")(front)[:, -24:].int().numpy()
            assert (crc24b_bits(bits[:, skipped:].numpy().astype(np.uint8)) == expected).all()
