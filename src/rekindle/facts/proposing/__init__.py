"""Looks at a file and proposes what it holds and which column is which."""

from rekindle.facts.proposing.model import Answers, LeftOut, Proposal, ProposedColumn
from rekindle.facts.proposing.service import propose_source

__all__ = ["Answers", "LeftOut", "Proposal", "ProposedColumn", "propose_source"]
