# SPDX-License-Identifier: BSD-3-Clause
r"""The masked coarse-to-fine sampler: an autoregressive model of the Ising lattice whose likelihood is exact.

.. math:: q(s) = \tfrac12 \prod_{i \in \text{base}} q(s_i) \prod_{\text{passes}} \prod_i q(s_i \mid \text{revealed})
          \; p(B_2 \mid A, B_1) \; p(\text{odd} \mid \text{even})

The first spin is fair, networks give the logits of A and B1, and the tails are exact (`tails`). So the importance
weight exp(−E/T)/q(s) is p̃(A, B1)/q(A, B1): what the tails draw cancels.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from spinodal.score.masked import tails
from spinodal.score.masked.geometry import Pass, Refinement, refinement
from spinodal.score.masked.networks import BaseNetwork, LevelNetwork, conditions
from spinodal.systems.ising import IsingModel

if TYPE_CHECKING:
    from spinodal.score.masked.sampler import MaskedSampler

_N_PASSES = {"1a": 2, "a": 4, "b": 8}


@dataclass(frozen=True)
class MaskedConfig:
    """What defines the networks.

    Attributes
    ----------
    channels, n_blocks : int
        Of each level's network.
    n_strides : int
        Strides 1, 2, …, 2^(n_strides − 1) have networks of their own; the last serves all larger ones too.
    bases : tuple of int
        Lengths of the coarsest lattices that have a network: 2 for L = 2^k, 6 for L = 3 · 2^k.
    base_hidden : int
    lowest_temperature, highest_temperature : float
        The range trained on, T/J.
    """

    channels: int = 64
    n_blocks: int = 3
    n_strides: int = 3
    bases: tuple[int, ...] = (2, 6)
    base_hidden: int = 192
    lowest_temperature: float = 1.5
    highest_temperature: float = 3.5

    def __post_init__(self) -> None:
        for name in ("channels", "n_blocks", "n_strides", "base_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1; got {getattr(self, name)}")
        object.__setattr__(self, "bases", tuple(self.bases))

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the level networks: stride and kind, from the finest."""
        strides = [2**k for k in range(1, self.n_strides)]
        return ("1a", *(f"{stride}{kind}" for stride in strides for kind in "ab"))

    def level_of(self, step: Pass) -> str:
        """Return the name of the network that serves a pass."""
        return f"{min(step.stride, 2 ** (self.n_strides - 1))}{step.kind}"


@dataclass(frozen=True)
class _Order:
    """A refinement's indices as tensors on one device."""

    base: Any
    windows: tuple[Any, ...]
    sites: tuple[Any, ...]
    visible: tuple[Any, ...]
    learned: Any
    b2: Any
    b2_even: Any
    odd: Any
    odd_even: Any

    @staticmethod
    @functools.lru_cache(maxsize=16)
    def of(length: int, device: str) -> _Order:
        plan = refinement(length)
        on = functools.partial(torch.as_tensor, device=device)
        return _Order(
            on(plan.base),
            tuple(on(each.windows) for each in plan.passes),
            tuple(on(each.sites) for each in plan.passes),
            tuple(on(each.visible).float() for each in plan.passes),
            *map(on, (plan.learned, plan.b2, plan.b2_even, plan.odd, plan.odd_even)),
        )


class MaskedIsing(nn.Module):
    """The networks of all levels, one model for every temperature and lattice length.

    Parameters
    ----------
    config : MaskedConfig
    seed : int
        Of the initial weights; no global generator is touched. Outputs begin at zero: fair spins in A and B1.

    Notes
    -----
    Spins are flat float32 tensors (n, L²), site y L + x. Couplings are K = J/T > 0, fields H = h/T; both are float64
    tensors of shape (n,) or (1,). Networks do not see the field: the tails and the weights do.
    """

    def __init__(self, config: MaskedConfig | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config = config or MaskedConfig()
        # Layers draw their first weights from the global generator: it is lent a state, and gets its own back.
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())
            passes = {level: _N_PASSES.get(level, _N_PASSES[level[-1]]) for level in config.levels}
            self.levels = nn.ModuleDict(
                {level: LevelNetwork(n, config.channels, config.n_blocks) for level, n in passes.items()}
            )
            self.bases = nn.ModuleDict({str(b): BaseNetwork(b * b, config.base_hidden) for b in config.bases})

    @property
    def device(self) -> Any:
        """Where the weights are."""
        return next(self.parameters()).device

    def describe(self) -> dict[str, Any]:
        """Return what defines the networks, as JSON can hold it."""
        return {**asdict(self.config), "bases": list(self.config.bases)}

    def fingerprint(self) -> str:
        """Return the SHA-256 of all weights, as they are now."""
        summed = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            summed.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
        return summed.hexdigest()

    def sampler(self, system: IsingModel, temperature: float | npt.ArrayLike) -> MaskedSampler:
        """Return the sampler of a system at a temperature, or at one a chain, for `spinodal.run`."""
        from spinodal.score.masked.sampler import MaskedSampler

        return MaskedSampler(self, system, temperature)

    def order(self, length: int) -> tuple[Refinement, _Order]:
        """Return the order of an L × L lattice.

        Raises
        ------
        ValueError
            If the model has no network for its coarsest lattice.
        """
        plan = refinement(length)
        if str(plan.base_length) not in self.bases:
            known = ", ".join(f"{b}·2^k" for b in self.config.bases)
            raise ValueError(f"this model samples L = {known}, k >= 1; L = {length} has a coarsest {plan.base_length} "
                             f"× {plan.base_length} lattice")  # fmt: skip
        return plan, _Order.of(length, str(self.device))

    def pass_logits(self, windows: Any, coupling: Any, step: Pass, length: int) -> Any:
        """Return the logits of one pass, (n, m²), from windows (n, m, m, 16) with zeros where nothing is revealed."""
        k = coupling.float()
        given = conditions(k, step.stride, length)
        out = self.levels[self.config.level_of(step)](windows, given, step.number)
        return (out * k[:, None, None]).flatten(1)

    def base_logits(self, spins: Any, coupling: Any, length: int) -> Any:
        """Return the logits of the coarsest sites, (n, b²), given those before each."""
        k = coupling.float()
        b = refinement(length).base_length
        return self.bases[str(b)](spins, conditions(k, length // (2 * b), length)) * k[:, None]

    def log_q_learned(self, spins: Any, coupling: Any) -> Any:
        """Return log q(A, B1) of given configurations, float64 (n,), in one call a pass: teacher-forced."""
        length = _length(spins)
        plan, order = self.order(length)
        base = spins[:, order.base]
        total = log_bernoulli(self.base_logits(base, coupling, length), base)
        for index, step in enumerate(plan.passes):
            windows = spins[:, order.windows[index]] * order.visible[index]
            total += log_bernoulli(self.pass_logits(windows, coupling, step, length), spins[:, order.sites[index]])
        return total

    def log_q_tails(self, spins: Any, coupling: Any, field: Any) -> Any:
        """Return log p(B2 | A, B1) + log p(odd | even), float64 (n,)."""
        order = self.order(_length(spins))[1]
        b2 = log_bernoulli(tails.b2_logits(spins, order.b2_even, coupling, field), spins[:, order.b2])
        odd = log_bernoulli(tails.odd_logits(spins, order.odd_even, coupling, field), spins[:, order.odd])
        return b2 + odd

    def log_q(self, spins: Any, coupling: Any, field: Any) -> Any:
        """Return log q(s) of whole configurations, float64 (n,)."""
        return self.log_q_learned(spins, coupling) + self.log_q_tails(spins, coupling, field)

    def log_weights(self, spins: Any, coupling: Any, field: Any) -> Any:
        """Return log[exp(−E/T)/q(s)], float64 (n,): the mean of the weights is an estimate of Z."""
        order = self.order(_length(spins))[1]
        marginal = tails.log_marginal(spins, order.learned, order.b2_even, coupling, field)
        return marginal - self.log_q_learned(spins, coupling)

    def sample(self, uniform: Any, coupling: Any, field: Any) -> tuple[Any, Any]:
        """Turn uniform numbers into configurations and their log weights.

        Parameters
        ----------
        uniform : float64 tensor, shape (n, L²)
            In [0, 1); site i is up if its number is below its probability.
        coupling, field : float64 tensors, shape (n,) or (1,)

        Returns
        -------
        spins : float32 tensor, shape (n, L²)
        log_weights : float64 tensor, shape (n,)
        """
        length = _length(uniform)
        plan, order = self.order(length)
        spins = torch.zeros(uniform.shape, device=self.device)
        log_q = self._sample_base(spins, uniform, coupling, length)
        for index, step in enumerate(plan.passes):
            logits = self.pass_logits(spins[:, order.windows[index]], coupling, step, length)
            log_q += _reveal(spins, uniform, order.sites[index], logits)
        log_weights = tails.log_marginal(spins, order.learned, order.b2_even, coupling, field) - log_q
        _reveal(spins, uniform, order.b2, tails.b2_logits(spins, order.b2_even, coupling, field))
        _reveal(spins, uniform, order.odd, tails.odd_logits(spins, order.odd_even, coupling, field))
        return spins, log_weights

    def _sample_base(self, spins: Any, uniform: Any, coupling: Any, length: int) -> Any:
        order = self.order(length)[1]
        log_q = torch.zeros(len(spins), dtype=torch.float64, device=self.device)
        for index, site in enumerate(order.base):
            logits = self.base_logits(spins[:, order.base], coupling, length)[:, index : index + 1]
            log_q += _reveal(spins, uniform, site[None], logits)
        return log_q


def log_bernoulli(logits: Any, spins: Any) -> Any:
    """Return the sum of log σ(s ℓ) over the last axis, in float64."""
    return F.logsigmoid(logits.double() * spins).sum(-1)


def _reveal(spins: Any, uniform: Any, sites: Any, logits: Any) -> Any:
    """Draw the spins of sites in place, and return their log probability."""
    drawn = torch.where(uniform[:, sites] < torch.sigmoid(logits.double()), 1.0, -1.0)
    spins[:, sites] = drawn.float()
    return log_bernoulli(logits, drawn)


def _length(spins: Any) -> int:
    return int(spins.shape[-1] ** 0.5 + 0.5)
