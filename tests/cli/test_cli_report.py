# SPDX-License-Identifier: BSD-3-Clause
"""The report: self-contained, accessible, escaped, honest."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import stats

from cli.small_samples import metropolis_samples
from spinodal.plots import Scan
from spinodal.report import Result, agreement, critical_point, render_report, write_report
from spinodal.report.results import chi2_survival, doubts

SECTIONS = ("thermodynamics", "order", "critical-point", "structure", "numbers", "provenance")
PICTURES = (
    "energy",
    "heat-capacity",
    "magnetization",
    "susceptibility",
    "binder",
    "correlation",
    "histogram",
    "snapshots",
)
_VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Collects elements, and checks that what is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(results) -> str:
    return render_report(results, command="spinodal ising --size 8,12")


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


def test_all_sections_and_pictures(page):
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert set(SECTIONS) <= ids
    assert set(PICTURES) <= ids


def test_nothing_is_loaded_from_elsewhere(page, text):
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/svg+xml;base64,", "#"))
    assert {name for name, _ in page.elements} & {"script", "link", "iframe", "object", "embed"} == set()
    assert "@import" not in text
    assert "url(" not in text
    for svg in pictures(page):
        targets = re.findall(r'(?:href|src)="([^"]*)"', svg)
        assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)


def pictures(page: Page) -> list[str]:
    return [base64.b64decode(image["src"].partition("base64,")[2]).decode() for image in page.all("img")]


def test_accessible(page):
    assert all(image.get("alt") for image in page.all("img"))
    assert page.all("html")[0]["lang"] == "en"
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) >= 3
    assert len(page.all("h1")) == 1


def test_says_what_matters(text):
    for said in ("Agrees with the exact solution", "χ²/dof", "spinodal ising --size 8,12", "Kaufman", "ars7", "R̂"):
        assert said in text
    assert "2.269185" in text


@pytest.mark.usefixtures("no_pictures")
def test_everything_is_escaped(small):
    evil = '<script>alert("x")</script>'
    samples = replace(small, provenance={**small.provenance, "version": evil, "note": evil})
    text = render_report([Result.of(samples)], command=evil)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 3
    Page(text)


@pytest.mark.usefixtures("no_pictures")
def test_disagreement_is_said(small):
    """Samples at a temperature one per cent off what they claim."""
    wrong = replace(small, temperature=small.temperature * 1.01)
    text = render_report([Result.of(wrong)])
    assert "Does not agree with the exact solution" in text
    assert 'class="verdict bad"' in text


@pytest.mark.usefixtures("no_pictures")
def test_unreliable_estimates_are_marked(small):
    stuck = replace(small, energy=np.where(small.temperature[:, None] < 2, small.energy[:, :1], small.energy))
    result = Result.of(stuck)
    found = doubts([result.scan], ["energy_per_site"])
    assert [doubt.temperature for doubt in found] == [1.8]
    text = render_report([result])
    assert '<tr class="doubt">' in text
    assert "marked “?”" in text
    check = agreement([result.scan], "energy_per_site")
    assert check is not None
    assert check.n == 3


def test_without_exact_solution():
    samples = metropolis_samples((4, 4, 4), temperatures=(2.0, 3.0), h=0.5)
    text = render_report([Result.of(samples)])
    assert "No exact solution" in text
    assert "Kaufman’s" not in text


def test_one_temperature_and_no_draws(small):
    samples = replace(small.select(temperature=2.2), draws=None)
    page = Page(render_report([Result.of(samples)]))
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert "histogram" in ids
    assert "snapshots" not in ids


def test_no_results():
    with pytest.raises(ValueError, match="at least one"):
        render_report([])


def test_same_samples_same_file(results, text, tmp_path):
    write_report(tmp_path / "r.html", results, command="spinodal ising --size 8,12")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("dof", [1, 2, 3, 10, 97, 300])
def test_chi2_survival(dof):
    for chi2 in (0.0, 0.01 * dof, 0.9 * dof, dof, 1.5 * dof + 3, 4.0 * dof + 30):
        assert chi2_survival(chi2, dof) == pytest.approx(stats.chi2.sf(chi2, dof), rel=1e-9, abs=1e-300)


def test_agreement(results):
    check = agreement([result.scan for result in results], "energy_per_site")
    assert check is not None
    assert check.n == 8
    assert check.passes()
    assert agreement([result.scan for result in results], "susceptibility") is None


def test_critical_point(results):
    found = critical_point([result.scan for result in results])
    assert found is not None
    estimate = found.crossing.critical_temperature
    assert abs(estimate.mean - found.expected) < max(5 * estimate.stderr, 0.03)
    assert critical_point([results[0].scan]) is None


def test_critical_point_needs_both_sides(small, medium):
    scans = [Scan(samples.select(temperature=2.8)) for samples in (small, medium)]
    assert critical_point(scans) is None


def test_updates(results):
    # 4 temperatures × 48 chains × 64 sites × (800 + 200) sweeps
    assert results[0].updates == 4 * 48 * 64 * 1000
