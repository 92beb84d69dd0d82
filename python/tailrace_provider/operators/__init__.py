"""Tailrace's operators."""
