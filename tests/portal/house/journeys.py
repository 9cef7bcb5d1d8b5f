"""What is a journey, and in which languages and widths it is made."""

import zlib

PHONE, DESK = 360, 1440
ALL = []


def _kept(function, variants):
    ALL.append((function, variants))
    return function


def journey(function):
    """Made in both languages and on both widths: on the phone in one language, on the desk in the other."""
    phone, desk = [("es", "en"), ("en", "es")][zlib.crc32(function.__name__.encode()) % 2]
    return _kept(function, [(phone, PHONE), (desk, DESK)])


def once(function):
    """Checks what no language and no width changes."""
    return _kept(function, [("es", DESK)])


def sentence(function):
    return function.__name__.replace("_", " ")
