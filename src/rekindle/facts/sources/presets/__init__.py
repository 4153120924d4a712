"""Exports that are recognised by their header: one small file a kind of export."""
