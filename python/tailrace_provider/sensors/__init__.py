"""Tailrace's sensors."""
