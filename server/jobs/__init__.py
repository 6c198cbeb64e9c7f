"""Timed work: what becomes due without anybody doing anything."""
