"""Reads QR codes that are drawn as SVG with Debian's libzbar: another implementation than the one
that draws them."""

from __future__ import annotations

import ctypes
import re

_SCALE = 4
_CODE = re.compile(
    r'viewBox="0 0 (\d+) \1" shape-rendering="crispEdges">.*?<path fill="#000" d="([^"]*)"', re.S
)


_PICTURE = re.compile(
    r"<svg xmlns='[^']*' viewBox='0 0 (\d+) \1' .*<path fill='#000' d='([^']*)'/></svg>"
)


def code_of_picture(svg: str) -> str:
    """The text of one code that is a picture of its own."""
    size, path = _PICTURE.fullmatch(svg).groups()
    return _read(int(size), path)


def codes_of(sheet: str) -> list[str]:
    """The text of each code of an SVG or HTML sheet, in its order."""
    return [_read(int(size), path) for size, path in _CODE.findall(sheet)]


def _read(size: int, path: str) -> str:
    side = size * _SCALE
    image = bytearray(b"\xff" * (side * side))
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        for row in range(int(y) * _SCALE, (int(y) + 1) * _SCALE):
            start = row * side + int(x) * _SCALE
            image[start : start + int(run) * _SCALE] = bytes(int(run) * _SCALE)
    return _scan(bytes(image), side)


def _scan(grey: bytes, side: int) -> str:
    zbar = ctypes.CDLL("libzbar.so.0")
    for name in ("image_scanner_create", "image_create", "image_first_symbol"):
        getattr(zbar, f"zbar_{name}").restype = ctypes.c_void_p
    zbar.zbar_symbol_get_data.restype = ctypes.c_char_p
    scanner = ctypes.c_void_p(zbar.zbar_image_scanner_create())
    image = ctypes.c_void_p(zbar.zbar_image_create())
    try:
        zbar.zbar_image_set_format(image, ctypes.c_ulong(int.from_bytes(b"Y800", "little")))
        zbar.zbar_image_set_size(image, side, side)
        zbar.zbar_image_set_data(image, grey, ctypes.c_ulong(len(grey)), None)
        found = zbar.zbar_scan_image(scanner, image)
        if found != 1:
            raise AssertionError(f"{found} codes where one is drawn")
        symbol = ctypes.c_void_p(zbar.zbar_image_first_symbol(image))
        return zbar.zbar_symbol_get_data(symbol).decode()
    finally:
        zbar.zbar_image_destroy(image)
        zbar.zbar_image_scanner_destroy(scanner)
