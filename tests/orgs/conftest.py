"""The desk of tests/approvals: rights are given through requests too."""

from tests.approvals.conftest import desk as desk
