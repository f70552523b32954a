"""Header blocks are decoded as the library decodes them, whatever they hold: the same fields, the same table behind them, or an error."""

import random
from collections.abc import Iterator

import hpack
import pytest
from hpack import HPACKError

from argosy.serving import header_decoder
from argosy.serving.header_decoder import HeaderDecoder, UnreadableHeaders

MOST = 4_096
CALL = [
    (b":method", b"POST"),
    (b":path", b"/inference.GRPCInferenceService/ModelInfer"),
    (b"content-type", b"application/grpc"),
    (b"te", b"trailers"),
    (b"authorization", b"Bearer 0123456789abcdefghijklmnop"),
]


def outcome(decoder: HeaderDecoder | hpack.Decoder, block: bytes) -> list[tuple[bytes, bytes]] | None:
    """The fields of *block*; None where it is none."""
    try:
        if isinstance(decoder, HeaderDecoder):
            return decoder.fields(block)[0]
        return [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
    except (UnreadableHeaders, HPACKError, IndexError, ValueError):
        return None


def blocks(chance: random.Random) -> Iterator[bytes]:
    """What a client may send, one after the other: entered, kept out or never to be entered, coded or not, and the table resized."""
    encoder = hpack.Encoder()
    for _ in range(chance.randint(1, 6)):
        if chance.random() < 0.2:
            encoder.header_table_size = chance.choice([0, 60, 200, 4_096])
        traced = [
            (b"traceparent", b"00-%032x-01" % chance.getrandbits(128)),
            (b"x-%d" % chance.randint(0, 9), b"\xff~\0"),
        ]
        fields = [*CALL, *traced * chance.randint(0, 2), (b"long", b"a" * chance.choice([0, 126, 127, 128, 300]))]
        secret = [hpack.NeverIndexedHeaderTuple(*field) if chance.random() < 0.2 else field for field in fields]
        block = encoder.encode(secret, huffman=chance.random() < 0.7)
        if chance.random() < 0.3:
            block += b"\0\x03abc\x02de"  # as gRPC's own clients spell what they do not enter
        yield block


def test_the_library_agrees() -> None:
    """Of four hundred connections, in every second of which a byte is changed, dropped or doubled."""
    chance, refused = random.Random(7), 0
    for number in range(400):
        ours, theirs = HeaderDecoder(MOST), hpack.Decoder(max_header_list_size=MOST)
        for block in blocks(chance):
            sent = bytearray(block)
            if number % 2 and chance.random() < 0.5:
                place = chance.randrange(len(sent))
                sent[place : place + chance.randint(0, 2)] = bytes([chance.randrange(256)]) * chance.randint(0, 2)
            found, expected = outcome(ours, bytes(sent)), outcome(theirs, bytes(sent))
            assert found == expected, bytes(sent)
            if found is None:
                refused += 1
                break  # the connection is at its end
    assert 40 < refused < 160


def test_every_symbol_is_decoded() -> None:
    """Each byte, alone and beside others; codes have up to thirty bits."""
    encoder, chance = hpack.Encoder().huffman_coder, random.Random(7)
    texts = [bytes([symbol]) for symbol in range(256)] + [chance.randbytes(chance.randint(0, 40)) for _ in range(200)]
    for text in texts:
        assert header_decoder.decoded(encoder.encode(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xff", id="eight-ones"),
        pytest.param(b"\xff\xff\xff\xff", id="the-symbol-for-the-end"),
        pytest.param(b"\x1e", id="filled-with-zeros"),
        pytest.param(b"\xff\xff\xff\xfc", id="the-end-and-two-zeros"),
    ],
)
def test_what_is_no_code_is_refused(text: bytes) -> None:
    """A text is filled up with ones, at most seven, and never has the symbol for its end."""
    with pytest.raises(HPACKError):
        header_decoder.decoded(text)


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        pytest.param(b"\x40\x01a\x01b", True, id="a field is entered"),
        pytest.param(b"\x41\x02/o", True, id="a field is entered under a known name"),
        pytest.param(b"\x10\x01a\x01b", False, id="a field is never entered"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_it_says_whether_later_blocks_refer_to_something_else(change: bytes, changes: bool) -> None:
    """Wherever in a block a field is entered, behind fields spelled out, under long references, and references."""
    assert HeaderDecoder(MOST).fields(change)[1] == changes
    assert HeaderDecoder(MOST).fields(b"\x00\x02\x40\x40\x01\x20\x0f\x0f\x01a\x83" + change)[1] == changes


def test_a_table_of_another_size_is_another_table() -> None:
    """The library resizes it, and says so for what follows in the block too."""
    decoder = HeaderDecoder(MOST)
    decoder.fields(b"\x40\x01a\x01b")
    assert decoder.fields(b"\xbe") == ([(b"a", b"b")], False)
    assert decoder.fields(b"\x20\x83") == ([(b":method", b"POST")], True)
    with pytest.raises(UnreadableHeaders):
        decoder.fields(b"\xbe")


def test_few_bytes_that_say_much_are_too_much() -> None:
    """References to one long field."""
    decoder = HeaderDecoder(MOST)
    decoder.fields(hpack.Encoder().encode([(b"long", b"a" * 1_000)]))
    with pytest.raises(UnreadableHeaders, match="more than 4096 bytes"):
        decoder.fields(b"\xbe" * 4)


def test_long_numbers_are_refused() -> None:
    """A number of many bytes, and one that does not end."""
    for block in (b"\xff" + b"\x80" * 30 + b"\x01", b"\xff\xff", b"\0\x7f\xff\xff\xff\xff\x07"):
        with pytest.raises(UnreadableHeaders):
            HeaderDecoder(MOST).fields(block)
