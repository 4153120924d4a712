"""Exports that are recognised by their header: one small file of data a kind of export."""
