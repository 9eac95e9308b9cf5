"""The frame: TS 38.212's CRC, and a receiver that believes nothing."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from semcore_channels.framing import crc24a, frame, frame_bytes, header, salvage, unframe
from semcore_channels.sionna_rng import sionna_phy


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_a_frame_gives_its_payload_back_whatever_follows_it(payload, behind):
    assert len(frame(payload)) == frame_bytes(len(payload))
    assert unframe(frame(payload) + behind) == payload
    assert salvage(frame(payload) + behind, len(payload)) == payload


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_burst_of_up_to_24_bits_is_noticed(payload, data):
    whole = bytearray(frame(payload))
    first = len(header(len(payload)))  # a burst in the header moves the CRC and is noticed with probability 1 - 2^-24
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
    assert unframe(longer + crc24a(longer).to_bytes(3, "big")) is None
    assert unframe(b"\xff" * 100) is None and unframe(b"") is None and unframe(b"\x80") is None


def test_the_crc_is_that_of_sionna():
    sionna_phy()
    from sionna.phy.fec.crc import CRCEncoder

    data = bytes(range(1, 40))
    bits = torch.tensor([[byte >> place & 1 for byte in data for place in range(7, -1, -1)]], dtype=torch.float32)
    check = CRCEncoder("CRC24A", device="cpu")(bits)[0, -24:]
    assert crc24a(data) == int("".join(str(int(bit)) for bit in check), 2)
