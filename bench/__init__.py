"""Benchmarks: each measures Rekindle beside a baseline, in one run on one machine."""
