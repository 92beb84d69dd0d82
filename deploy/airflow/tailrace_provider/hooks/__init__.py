"""Tailrace's hooks."""
