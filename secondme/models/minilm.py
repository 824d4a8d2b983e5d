"""MiniLM as published (safetensors and a word list) turned into a GGUF file, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondme.errors import IntegrityError

if TYPE_CHECKING:
    from gguf import GGUFWriter

INPUTS: Mapping[str, str] = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""The published files this starts from, and their sha256."""

_LAYERS = 6
_HEADS = 12
_WIDTH = 384
_HIDDEN = 1536
_TRAINED_TOKENS = 512
_NAMES = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_CONTROL, _NORMAL = 3, 1


def convert_minilm(fetched: Iterable[Path], target: Path) -> None:
    """Write the GGUF file made of the published files, plain or in a zip, to `target`. Raises IntegrityError."""
    inputs = _read_inputs(fetched)
    for name, digest in INPUTS.items():
        if hashlib.sha256(inputs.get(name, b"")).hexdigest() != digest:
            raise IntegrityError(f"{name} of MiniLM is not the published file", hint="pull it again")
    from gguf import GGUFWriter

    writer = GGUFWriter(target, "bert")
    _write_settings(writer)
    _write_words(writer, json.loads(inputs["tokenizer.json"]))
    _write_tensors(writer, inputs["model.safetensors"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _read_inputs(fetched: Iterable[Path]) -> dict[str, bytes]:
    inputs: dict[str, bytes] = {}
    for path in fetched:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inputs |= {name: archive.read(name) for name in archive.namelist() if name in INPUTS}
        elif path.name in INPUTS:
            inputs[path.name] = path.read_bytes()
    return inputs


def _write_settings(writer: GGUFWriter) -> None:
    from gguf import LlamaFileType, PoolingType

    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_file_type(LlamaFileType.MOSTLY_F16)
    writer.add_block_count(_LAYERS)
    writer.add_context_length(_TRAINED_TOKENS)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(_HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.MEAN)


def _write_words(writer: GGUFWriter, tokenizer: dict[str, Any]) -> None:
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    specials = {token["content"] for token in tokenizer["added_tokens"]}
    writer.add_tokenizer_model("bert")
    writer.add_token_type_count(2)
    writer.add_token_list([word if word in specials else _phantom_space(word) for word in words])
    writer.add_token_types([_CONTROL if word in specials else _NORMAL for word in words])
    writer.add_unk_token_id(vocabulary["[UNK]"])
    writer.add_sep_token_id(vocabulary["[SEP]"])
    writer.add_pad_token_id(vocabulary["[PAD]"])
    # The format has no key of its own for the token a text starts with: it is the one that begins a sequence.
    writer.add_bos_token_id(vocabulary["[CLS]"])
    writer.add_mask_token_id(vocabulary["[MASK]"])


def _phantom_space(word: str) -> str:
    # llama.cpp marks the beginning of a word where WordPiece marks its continuation.
    return word[2:] if word.startswith("##") else "\u2581" + word


def _write_tensors(writer: GGUFWriter, weights: bytes) -> None:
    import numpy as np
    from safetensors.numpy import load

    for name, tensor in sorted(load(weights).items()):
        if name.startswith("pooler.") or name == "embeddings.position_ids":
            continue
        stem, _, kind = name.rpartition(".")
        block = ""
        if stem.startswith("encoder.layer."):
            number, _, stem = stem.removeprefix("encoder.layer.").partition(".")
            block = f"blk.{number}."
        # Halving the precision of the big matrices halves the file; llama.cpp wants the others as they are.
        is_matrix = block and kind == "weight" and tensor.ndim == 2
        kept = np.float16 if is_matrix or stem == "embeddings.word_embeddings" else np.float32
        writer.add_tensor(f"{block}{_NAMES[stem]}.{kind}", np.ascontiguousarray(tensor.astype(kept)))
