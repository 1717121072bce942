# SPDX-License-Identifier: BSD-3-Clause
"""Weights come back as they were, or are refused with the reason."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

import spinodal as sp
from spinodal.files import FileFormatError

MANIFEST = {"data": "Ising 8 × 8", "command": "python train.py", "seed": 3, "ess": {"2.269": 0.5}}


class Affine(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, width))
        self.register_buffer("count", torch.tensor(7))

    def architecture(self):
        return {"kind": "Affine", "width": self.width}


def build(architecture):
    return Affine(architecture["width"]) if architecture["kind"] == "Affine" else None


def test_round_trip(tmp_path):
    path = tmp_path / "affine.safetensors"
    network = Affine(5)
    network.weight.data += 0.1
    sp.score.save_weights(path, network, MANIFEST)
    loaded, manifest = sp.score.load_weights(path, build)
    assert not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert {name: manifest[name] for name in MANIFEST} == MANIFEST
    assert manifest == sp.score.read_manifest(path) and manifest["architecture"] == network.architecture()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_half_precision_is_rounded_once(tmp_path):
    network = Affine(5)
    sp.score.save_weights(tmp_path / "half", network, MANIFEST, dtype=torch.float16)
    loaded, _ = sp.score.load_weights(tmp_path / "half", build)
    assert loaded.weight.dtype == torch.float32 and loaded.count.dtype == torch.int64
    assert torch.equal(loaded.weight.data, network.weight.data.half().float())
    network.weight.data[2] = 1e6
    with pytest.raises(ValueError, match=r"weight is not finite as torch\.float16"):
        sp.score.save_weights(tmp_path / "half", network, MANIFEST, dtype=torch.float16)


def test_a_manifest_must_say_where_weights_come_from(tmp_path):
    with pytest.raises(ValueError, match=r"ess is missing"):
        sp.score.save_weights(tmp_path / "x", Affine(2), {k: v for k, v in MANIFEST.items() if k != "ess"})


def test_what_is_not_the_manifests_network_is_refused(tmp_path):
    path = tmp_path / "weights"
    with pytest.raises(FileNotFoundError, match="there is no file"):
        sp.score.load_weights(path, build)
    path.write_bytes(b"spins")
    with pytest.raises(FileFormatError, match="not a safetensors file"):
        sp.score.load_weights(path, build)
    save_file({"weight": torch.zeros(5)}, path)
    with pytest.raises(FileFormatError, match="without a manifest"):
        sp.score.load_weights(path, build)
    sp.score.save_weights(path, Affine(5), MANIFEST)
    with pytest.raises(FileFormatError, match=r"no network this version can build.*'kind': 'Affine'"):
        sp.score.load_weights(path)
    with pytest.raises(FileFormatError, match=r"weight has shape \(5,\), not \(4,\)"):
        sp.score.load_weights(path, lambda _: Affine(4))
    manifest = {"manifest": json.dumps(sp.score.read_manifest(path))}
    save_file({"weight": torch.zeros(5), "count": torch.tensor(7)}, path, manifest)
    with pytest.raises(FileFormatError, match="tensors are not those of its manifest"):
        sp.score.load_weights(path, build)
    sp.score.save_weights(path, Affine(5), MANIFEST)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FileFormatError, match="damaged"):
        sp.score.load_weights(path, build)
