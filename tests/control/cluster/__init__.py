"""Tests of the cluster logic."""
