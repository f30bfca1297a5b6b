# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What holds for all tests.

With PCONV_NO_SKIPS=1 a skipped test is a failure, for machines that should lack nothing. Data sets
that cannot be installed are an exception: their tests say `no data`.

Hypothesis draws the same examples in every run; `--hypothesis-profile=random` draws others.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile("repeatable")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if "no data: " in str(report.longrepr):
        return
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("PCONV_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which PCONV_NO_SKIPS forbids: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself as a whole, for lack of a package."""
    report = yield
    _refuse_skip(report)
    return report
