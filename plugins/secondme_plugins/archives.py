"""What the readers of zip archives share."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,  # it ends in the middle
    KeyError,  # what should be in it is not
    RuntimeError,  # it has a password, or is packed in an unknown way
    ValueError,  # the name of a file in it is no text
)
"""What the standard library raises for an archive that is not as it should be."""
