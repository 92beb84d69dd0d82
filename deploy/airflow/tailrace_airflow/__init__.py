"""Tailrace beside Airflow."""
