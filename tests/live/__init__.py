"""Whole recordings over the virtual radio, held against what every sensor says it sent."""
