"""Decodes the header blocks of one HTTP/2 connection (HPACK, RFC 7541): what ``hpack`` does, in a third of the time.

A client that is traced says something else in each call, so that nothing of its blocks can be kept, and ``hpack`` goes through them with an
object for each step and half a byte of Huffman's code at a time. Its table of fields is used here, and what it has about the code; a block
that resizes the table, as one does once in a connection, is its business as a whole.
"""

from functools import cache

from hpack import Decoder, HPACKDecodingError, HPACKError
from hpack.exceptions import OversizedHeaderListError
from hpack.hpack import decode_integer
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

Fields = list[tuple[bytes, bytes]]
FIELD_BYTES = 32
"""That HTTP/2 counts for each field besides its name and value."""
_REFERENCE, _ENTERED, _RESIZED = 0x80, 0x40, 0x20
"""Bits of a field's first byte: it is in the table; it is entered there; it is no field but the table's size. None: it leaves no trace."""
_INTEGER_BYTES = 16
"""More than any integer has that the library takes."""


class UnreadableHeaders(Exception):
    """A block is none, or too large. What later ones refer to is not known any more: the connection cannot go on."""


class HeaderDecoder:
    """The decoder of one connection."""

    def __init__(self, most_bytes: int) -> None:
        """*most_bytes*: of all headers of a block, as HTTP/2 counts them."""
        self._library = Decoder(max_header_list_size=most_bytes)
        self._table = self._library.header_table
        self._most_bytes = most_bytes

    def fields(self, block: bytes) -> tuple[Fields, bool]:
        """The fields of *block*, and whether it changed what later ones refer to.

        Raises UnreadableHeaders.
        """
        try:
            return self._fields(block)
        except (HPACKError, IndexError, ValueError) as error:
            raise UnreadableHeaders(str(error)) from error

    def _fields(self, block: bytes) -> tuple[Fields, bool]:
        if block and block[0] & (_REFERENCE | _ENTERED | _RESIZED) == _RESIZED:
            return [(bytes(name), bytes(value)) for name, value in self._library.decode(block, raw=True)], True
        found: Fields = []
        position, end, size, changed = 0, len(block), 0, False
        while position < end:
            field, position, entered = self._field(block, position)
            changed = changed or entered
            found.append(field)
            size += len(field[0]) + len(field[1]) + FIELD_BYTES
            if size > self._most_bytes:
                raise OversizedHeaderListError(f"the headers have more than {self._most_bytes} bytes")
        return found, changed

    def _field(self, block: bytes, position: int) -> tuple[tuple[bytes, bytes], int, bool]:
        """The field at *position*, where the next one begins, and whether it was entered in the table."""
        first = block[position]
        if first & _REFERENCE:
            index, position = _integer(block, position, 7)
            return self._table.get_by_index(index), position, False
        entered = bool(first & _ENTERED)
        if first & _RESIZED and not entered:
            raise HPACKDecodingError("the table is resized behind a field")
        index, position = _integer(block, position, 6 if entered else 4)
        if index:
            name = self._table.get_by_index(index)[0]
        else:
            name, position = _text(block, position)
        value, position = _text(block, position)
        if entered:
            self._table.add(name, value)
        return (name, value), position, entered


def _integer(block: bytes, position: int, bits: int) -> tuple[int, int]:
    """The number in the last *bits* of the byte at *position* and what goes on behind it; where that ends."""
    most = (1 << bits) - 1
    number = block[position] & most
    if number < most:
        return number, position + 1
    number, size = decode_integer(block[position : position + _INTEGER_BYTES], bits)
    return number, position + size


def _text(block: bytes, position: int) -> tuple[bytes, int]:
    """The text at *position*, and where it ends."""
    coded = block[position] & 0x80
    length, begin = _integer(block, position, 7)
    end = begin + length
    text = block[begin:end]
    if len(text) != length:
        raise HPACKDecodingError("a text ends before its length says so")
    return (decoded(text) if coded else text), end


_BROKEN, _LEAF = -1, 256
"""In Huffman's code: no state, behind what is no code; and what is added to a symbol where a number is either a state or a symbol."""
_END = 256
"""The symbol for a text's end, which no text has: thirty ones."""


def decoded(text: bytes) -> bytes:
    """The symbols that *text* is Huffman's code of. Raises HPACKDecodingError where it is none."""
    state, found = 0, []
    for byte in text:
        state, symbols = _row(state)[byte]
        if state == _BROKEN:
            raise HPACKDecodingError("a text has what is no code")
        found.append(symbols)
    if state not in _tree()[1]:
        raise HPACKDecodingError("a text ends within a code")
    return b"".join(found)


@cache
def _row(state: int) -> list[tuple[int, bytes]]:
    """For each byte that may follow *state*: the state behind it, and the symbols that end in it."""
    steps, _ = _tree()
    row = []
    for byte in range(256):
        now, symbols = state, bytearray()
        for place in range(7, -1, -1):
            now = steps[now][byte >> place & 1]
            if now == _BROKEN:
                break
            if now >= _LEAF:
                symbols.append(now - _LEAF)
                now = 0
        row.append((now, bytes(symbols)))
    return row


@cache
def _tree() -> tuple[list[list[int]], frozenset[int]]:
    """Huffman's code (RFC 7541, appendix B) as a tree: by state what a 0 and a 1 lead to, a state or a symbol; and the states that a text
    may end in: behind the at most seven ones that fill its last byte."""
    steps = [[_BROKEN, _BROKEN]]
    for symbol, (code, length) in enumerate(zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)):
        state = 0
        for place in range(length - 1, 0, -1):
            bit = code >> place & 1
            if steps[state][bit] == _BROKEN:
                steps.append([_BROKEN, _BROKEN])
                steps[state][bit] = len(steps) - 1
            state = steps[state][bit]
        steps[state][code & 1] = _BROKEN if symbol == _END else _LEAF + symbol
    final = [0]
    for _ in range(7):
        final.append(steps[final[-1]][1])
    return steps, frozenset(final)
