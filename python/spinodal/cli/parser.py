# SPDX-License-Identifier: BSD-3-Clause
"""The commands and their options.

argparse, because ``spinodal --help`` is to cost no more than bare Python: a command line made with typer takes
0.3 s of CPU before it has said anything, and needs packages that an installation of the core does not have.
"""

from __future__ import annotations

import argparse
from typing import NoReturn, TypeAlias

from spinodal.cli import values

Commands: TypeAlias = "argparse._SubParsersAction[OneLineParser]"
LJ_METHODS = ("local", "langevin", "mala", "hmc", "nve")
METHODS = ("auto", "metropolis", "heat_bath", "wolff", "swendsen_wang", "tempering")
_EXAMPLES = """\
examples:
  spinodal demo
  spinodal ising --size 64 --temperatures 1.5:3.5:0.1 --chains 256 --out run.h5 --report report.html
  spinodal ising --size 16,32,64 --temperatures 2.2:2.34:0.01 --method swendsen_wang --report binder.html
  spinodal lj --n 500 --density 0.776 --temperature 0.85,0.9 --report fluid.html
  spinodal sample --model ising-masked --size 16 --temperatures 2.269 --report neural.html
  spinodal info run.h5
"""
_ISING_NOTES = """\
temperatures  1.5:3.5:0.1 has both its ends; 2.0,2.269,2.5 is a list; commas join both. In units of J, k_B = 1.
lattices      64 is 64 x 64; 24x40; 16x16x16. Several, 16,32,64, locate the critical temperature by the crossing of
              their Binder cumulants; the files are then run-L16.h5, run-L32.h5, ..., and lattice i has seed + i.
method        auto takes cluster updates near the transition of large lattices, else four local sweeps a step.
--out         is written while the run goes on. After Ctrl-C or a crash the same command goes on where it was.
"""
_TRAIN_NOTES = """\
Each level of the lattice has a network of its own, trained by itself: FILE.safetensors.parts holds their checkpoints,
and the same command goes on after Ctrl-C or a crash. Several commands, each with some --levels, may train at once.
"""


_LJ_NOTES = """\
units         of epsilon and sigma, k_B = 1. Temperatures as in `spinodal ising`: 0.85,0.9 or 0.7:1.2:0.1.
method        local moves, mala and hmc tune --step-size in the burn-in; it is the timestep of langevin (BAOAB) and nve,
              velocity Verlet at constant energy. All but langevin start from a short run of it. Dynamics does not feel
              the jump of a truncated potential at the cutoff: its pressure differs by some 0.01 from NIST's.
NIST          values stand beside the measured ones where they are known: cutoff 3 or more, truncated, T = 0.85 and
              0.9, densities 0.001, 0.009, 0.776, 0.82 and 0.9.
--out         is written while the run goes on. After Ctrl-C or a crash the same command goes on where it was.
"""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the page of usage before it."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = OneLineParser(
        prog="spinodal",
        description="Fast Boltzmann sampling with exact error bars.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the version and what runs underneath")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_ising(commands)
    _add_lj(commands)
    _add_sample(commands)
    _add_train(commands)
    _add_demo(commands)
    _add_report(commands)
    _add_info(commands)
    _add_doctor(commands)
    _add_bench(commands)
    return parser


def _add_command(commands: Commands, name: str, text: str, notes: str = "") -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=text, description=text, epilog=notes, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def _add_ising(commands: Commands) -> None:
    what = "sample the Ising model over temperatures, beside its exact solution"
    ising = _add_command(commands, "ising", what, _ISING_NOTES)
    system = ising.add_argument_group("system")
    system.add_argument(
        "--size",
        "--sizes",
        type=values.lattices,
        default=[(64, 64)],
        metavar="L[,L...]",
        help="lattice or lattices (default 64)",
    )
    system.add_argument(
        "--temperatures",
        "-T",
        type=values.temperatures,
        default=values.temperatures("1.5:3.5:0.1"),
        metavar="T",
        help="default 1.5:3.5:0.1",
    )
    system.add_argument("--coupling", "-J", type=values.finite, default=1.0, metavar="J", help="default 1")
    system.add_argument("--field", type=values.finite, default=0.0, metavar="H", help="default 0")
    sampling = ising.add_argument_group("sampling")
    sampling.add_argument("--method", choices=METHODS, default="auto", help="default auto")
    sampling.add_argument(
        "--chains", type=values.at_least(1), default=64, metavar="N", help="chains at each temperature (default 64)"
    )
    sampling.add_argument(
        "--steps",
        type=values.at_least(1),
        default=1000,
        metavar="N",
        help="recorded steps of each chain (default 1000)",
    )
    sampling.add_argument(
        "--burn-in",
        type=values.at_least(0),
        default=None,
        metavar="N",
        help="steps before them (default a quarter as many)",
    )
    sampling.add_argument("--thin", type=values.at_least(1), default=1, metavar="N", help="steps a draw (default 1)")
    sampling.add_argument("--seed", type=values.at_least(0), default=0, metavar="N", help="default 0")
    _add_machine(ising.add_argument_group("machine"))
    _add_outputs(ising.add_argument_group("output"))


def _add_lj(commands: Commands) -> None:
    what = "sample a Lennard-Jones fluid, beside NIST's values where there are any"
    lj = _add_command(commands, "lj", what, _LJ_NOTES)
    number, positive = values.at_least(1), values.positive
    system = lj.add_argument_group("system")
    system.add_argument("--n", type=number, default=500, metavar="N", help="particles (default 500)")
    system.add_argument("--density", type=positive, default=0.8442, metavar="X", help="default 0.8442")
    system.add_argument(
        "--temperature", "-T", type=values.temperatures, default=[0.85], metavar="T[,T...]", help="default 0.85"
    )
    system.add_argument("--dim", type=int, choices=(2, 3), default=3, help="default 3")
    system.add_argument("--cutoff", type=positive, default=3.0, metavar="X", help="default 3")
    system.add_argument(
        "--shift", choices=("truncated", "energy", "force"), default="truncated", help="default truncated"
    )
    sampling = lj.add_argument_group("sampling")
    sampling.add_argument("--method", choices=LJ_METHODS, default="local", help="default local")
    sampling.add_argument("--step-size", type=positive, default=None, metavar="X", help="default 0.004 for dynamics")
    sampling.add_argument("--friction", type=positive, default=1.0, metavar="X", help="of langevin (default 1)")
    sampling.add_argument("--n-leapfrog", type=number, default=10, metavar="N", help="of hmc (default 10)")
    sampling.add_argument("--chains", type=number, default=2, metavar="N", help="at each temperature (default 2)")
    sampling.add_argument(
        "--steps", type=number, default=None, metavar="N", help="recorded (default 4000; local 1000, hmc 400)"
    )
    sampling.add_argument("--burn-in", type=values.at_least(0), default=None, metavar="N", help="default half as many")
    sampling.add_argument("--thin", type=number, default=None, metavar="N", help="default 20; mala 10, local 5, hmc 1")
    sampling.add_argument("--seed", type=values.at_least(0), default=0, metavar="N", help="default 0")
    _add_machine(lj.add_argument_group("machine"))
    _add_outputs(lj.add_argument_group("output"))


def _add_machine(machine: argparse._ArgumentGroup) -> None:
    machine.add_argument("--threads", type=values.at_least(1), default=None, metavar="N", help="default all there are")
    machine.add_argument("--backend", choices=("cpp", "numba"), default=None, help="default cpp")
    machine.add_argument("--stream", choices=("ars7", "ars5", "philox10"), default="ars7", help="default ars7")


def _add_outputs(output: argparse._ArgumentGroup) -> None:
    output.add_argument("--out", metavar="FILE.h5", help="write the samples here, safe against crashes")
    output.add_argument("--report", metavar="FILE.html", help="write a report with pictures, in one file")
    output.add_argument(
        "--keep-draws",
        choices=("last", "all", "none"),
        default="last",
        help="which configurations to keep (default last)",
    )
    output.add_argument(
        "--checkpoint-every",
        type=values.at_least(0),
        default=5,
        metavar="SECONDS",
        help="so much work a crash may cost (default 5)",
    )
    output.add_argument(
        "--resume",
        choices=("auto", "must", "never"),
        default="auto",
        help="go on with --out if it was begun; 'never' begins anew (default auto)",
    )
    output.add_argument("--quiet", "-q", action="store_true", help="no progress, no table")


def _add_sample(commands: Commands) -> None:
    sample = _add_command(commands, "sample", "draw from a trained network, corrected to exact averages; needs torch")
    sample.add_argument(
        "--model",
        default="ising-masked",
        metavar="NAME",
        help="a network of the package, or a .safetensors file (default ising-masked)",
    )
    sample.add_argument("--size", type=values.lattices, default=[(16, 16)], metavar="L", help="default 16")
    sample.add_argument(
        "--temperatures",
        "--temperature",
        "-T",
        type=values.temperatures,
        default=[2.269],
        metavar="T",
        help="as for ising (default 2.269)",
    )
    sample.add_argument("--coupling", "-J", type=values.finite, default=1.0, metavar="J", help="default 1")
    sample.add_argument("--field", type=values.finite, default=0.0, metavar="H", help="default 0")
    sample.add_argument(
        "--samples", type=values.at_least(2), default=2048, metavar="M", help="at each temperature (default 2048)"
    )
    sample.add_argument("--seed", type=values.at_least(0), default=0, metavar="N", help="default 0")
    sample.add_argument("--threads", type=values.at_least(1), default=None, metavar="N", help="default all there are")
    sample.add_argument("--out", metavar="FILE.h5", help="write the weighted samples of one temperature here")
    sample.add_argument("--report", metavar="FILE.html", help="write a report with pictures, in one file")
    sample.add_argument("--quiet", "-q", action="store_true", help="no progress, no table")


def _add_train(commands: Commands) -> None:
    train = _add_command(commands, "train", "train a network on fresh configurations; needs torch", _TRAIN_NOTES)
    train.add_argument("system", choices=("ising",))
    train.add_argument("--model", choices=("masked",), default="masked", help="default masked")
    train.add_argument(
        "--out", required=True, metavar="FILE.safetensors", help="the model, with its manifest beside it"
    )
    train.add_argument(
        "--sizes",
        "--size",
        type=values.lattices,
        default=[(n, n) for n in (8, 16, 24, 32, 64)],
        metavar="L[,L...]",
        help="lattices to train on (default 8,16,24,32,64)",
    )
    train.add_argument("--levels", metavar="NAME[,NAME...]", help="networks to train now (default all)")
    train.add_argument("--channels", type=values.at_least(1), default=64, metavar="N", help="default 64")
    train.add_argument("--blocks", type=values.at_least(1), default=3, metavar="N", help="default 3")
    train.add_argument(
        "--effort", type=values.finite, default=1.0, metavar="X", help="multiplies the steps (default 1)"
    )
    train.add_argument("--batch", type=values.finite, default=1.0, metavar="X", help="multiplies the batch (default 1)")
    train.add_argument(
        "--learning-rate", type=values.finite, default=2e-3, metavar="X", help="the highest (default 0.002)"
    )
    train.add_argument("--start-from", metavar="NAME", help="a network of the package, or a .safetensors file")
    train.add_argument("--seed", type=values.at_least(0), default=0, metavar="N", help="default 0")
    train.add_argument("--threads", type=values.at_least(1), default=None, metavar="N", help="default all there are")
    train.add_argument("--quiet", "-q", action="store_true", help="no progress")


def _add_demo(commands: Commands) -> None:
    demo = _add_command(commands, "demo", "sample, check against the exact solution, locate Tc, write a report")
    demo.add_argument("--report", default="spinodal-demo.html", metavar="FILE.html", help="default spinodal-demo.html")
    demo.add_argument("--seed", type=values.at_least(0), default=0, metavar="N", help="default 0")
    demo.add_argument("--threads", type=values.at_least(1), default=None, metavar="N", help="default all there are")
    demo.add_argument("--quick", action="store_true", help="a tenth of the statistics")
    demo.add_argument("--quiet", "-q", action="store_true", help="no progress, no table")


def _add_report(commands: Commands) -> None:
    report = _add_command(commands, "report", "write the report of files of samples")
    report.add_argument("files", nargs="+", metavar="FILE.h5", help="one for each lattice")
    report.add_argument("--report", required=True, metavar="FILE.html")


def _add_info(commands: Commands) -> None:
    info = _add_command(commands, "info", "show what files of samples hold, and how they were made")
    info.add_argument("files", nargs="+", metavar="FILE.h5")


def _add_doctor(commands: Commands) -> None:
    _add_command(commands, "doctor", "check this installation: backends, threads, exactness, speed")


def _add_bench(commands: Commands) -> None:
    bench = _add_command(commands, "bench", "measure the kernels' speed on this machine, answers checked first")
    bench.add_argument("--threads", type=values.at_least(1), default=None, metavar="N", help="default 1")
