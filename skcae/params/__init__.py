"""What the parameters mean, what each may be, and which go together.

Knows neither torch nor the data.
"""
