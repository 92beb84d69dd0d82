"""Airflow's operators, sensors and hook for Tailrace."""
__version__ = "0.1.0"
